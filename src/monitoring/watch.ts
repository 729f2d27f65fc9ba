import type { SqlEngine } from '../data/engine.ts';
import type { Digest } from '../json.ts';
import type { SegmentInfo } from '../serving/log-schema.ts';
import { listSegments, readPredictions } from '../serving/prediction-log.ts';
import type { Store } from '../store/store.ts';
import { businessSignals } from './business-metric.ts';
import { dataSignals, undecidedColumns } from './data-signals.ts';
import type { DriftReport } from './drift-report.ts';
import { estimatedPerformance } from './estimated-performance.ts';
import type { Evidence } from './findings.ts';
import { type GateEvaluation, gateReader } from './gate-scores.ts';
import type { LabelSource, MonitoringPolicy } from './policy.ts';
import { predictionColumns, predictionSignals } from './prediction-signals.ts';
import { labelsView, measureQuality, worstOf } from './quality.ts';
import type { ModelReference } from './reference.ts';
import type { ServedDay } from './served-blocks.ts';
import { hashedOn } from './served-blocks.ts';
import { answerDrift, inputDimensions, inputDrift, referenceBlocks, windowDays } from './served-drift.ts';
import { serviceSignals } from './service-signals.ts';
import { plainSignal, type Signal } from './signal.ts';
import { suspiciousInputs } from './suspicious-inputs.ts';
import { rowsByDay, type Span, throughputSignal, throughputSpans } from './throughput.ts';

export interface WatchOptions {
  store: Store;
  engine: SqlEngine;
  model: string;
  environment: string;
  since: Date;
  until: Date;
  policy: MonitoringPolicy;
  reference: ModelReference;
  version: number;
  /** The predictions that a version was gated on; null without. */
  evaluationOf: (version: number) => Promise<(GateEvaluation & { digest: Digest }) | null>;
  /** Names of the inputs that a version takes; null of a version that is not known. */
  inputsOf: (version: number) => Promise<readonly string[] | null>;
  /** Local label file; null without. */
  labels: LabelSource | null;
  signal?: AbortSignal | undefined;
}

/** All that was measured of one window of served predictions. */
export interface Watched extends Evidence {
  inputs: DriftReport;
}

/** Measures a window of what was served: inputs, predictions, labels, service. Decides on signals, not on actions. */
export async function watch(options: WatchOptions): Promise<Watched> {
  const { engine, policy, since, until, reference } = options;
  const { storage } = options.store;
  const segments = await listSegments(storage, options.model, options.environment);
  const length = until.getTime() - since.getTime();
  const window = (back: number, span = 1) => ({
    since: new Date(since.getTime() - (back + span - 1) * length),
    until: new Date(until.getTime() - back * length),
    segments,
  });
  await engine.addFile('training', reference.trainFile, 'parquet');
  const { features } = await readPredictions({ ...options, storage, ...window(0), view: 'served' });
  const columns = new Map(features.map(({ name, column }) => [name, column]));
  const training = await referenceBlocks(options);
  const days = await windowDays(options, window(0));
  const hashed = hashedOn(days);
  const dimensions = inputDimensions(options, { columns, hashed });
  const inputs = await inputDrift(options, { training, days, dimensions });
  const earlier: DriftReport[] = [];
  for (let back = 1; back < policy.num_evaluation_windows; back++) {
    const before = await windowDays(options, window(back));
    earlier.push(await inputDrift(options, { training, days: before, dimensions: null }));
  }
  const evaluation = await options.evaluationOf(options.version);
  const predictions = evaluation === null ? null : await answerDrift(options, { days, evaluation });
  const service = [
    ...(await serviceSignals(engine, 'served', { policy, newest: throughputSpans(options)?.recent ?? null })),
    await throughput(options, { days, segments }),
  ];
  const gateOf = gateReader(engine, options.evaluationOf);
  const measure = (span: Span & { segments: readonly SegmentInfo[] }) =>
    measureQuality({ ...options, storage, ...span, task: reference.task, gateOf, service });
  const quality = await measure(window(0));
  const wide = quality.signals.some(({ verdict }) => verdict === 'alert')
    ? await measure(window(0, 3))
    : null;
  const signals: Signal[] = [
    ...undecidedColumns(inputs, policy),
    ...dataSignals(inputs, { policy, importance: reference.importance, earlier }),
    ...(predictions === null ? [noReference] : predictionSignals(predictions, policy)),
    ...quality.signals,
    ...(reference.task === 'classification'
      ? await estimatedPerformance(engine, { policy, gateOf, view: 'served', measured: quality.groups })
      : []),
    ...(await businessSignals(engine, {
      policy,
      view: 'served',
      inputs: reference.inputs,
      labels: options.labels && { view: labelsView, source: options.labels },
    })),
    ...(await suspicious(options, { columns, hashed, evaluation })),
    ...service,
  ];
  return {
    inputs,
    predictions,
    signals,
    worst: worstOf(quality.groups),
    labels: quality.labels,
    wider: wide?.signals ?? [],
  };
}

const noReference: Signal = {
  ...plainSignal,
  signal: 'prediction_drift',
  name: predictionColumns.value,
  verdict: 'not_enough_data',
  summary: 'not enough data: the version was registered without predictions to compare with',
};

/** Reads days before the window where it is shorter than five weeks. */
async function throughput(
  options: WatchOptions,
  { days, segments }: { days: readonly ServedDay[]; segments: readonly SegmentInfo[] },
): Promise<Signal> {
  const spans = throughputSpans(options);
  const firstDay = segments.reduce<string | null>(
    (first, { day }) => (first !== null && first < day ? first : day),
    null,
  );
  const rows = rowsByDay(days);
  for (const span of spans?.before ?? []) {
    if (span.since.getTime() >= options.since.getTime()) continue;
    for (const [day, n] of rowsByDay(await windowDays(options, { ...span, segments }))) rows.set(day, n);
  }
  return throughputSignal(spans, { rows, firstDay, policy: options.policy });
}

async function suspicious(
  { engine, policy, reference, since }: WatchOptions,
  served: {
    /** The served view's column of each input. */
    columns: ReadonlyMap<string, string>;
    /** Inputs of which only a hash is logged. */
    hashed: ReadonlySet<string>;
    evaluation: GateEvaluation | null;
  },
): Promise<Signal[]> {
  const { columns, hashed } = served;
  const features = served.evaluation?.features ?? null;
  const evaluation = features === null ? null : 'evaluation_features';
  if (features !== null) await engine.addFile('evaluation_features', features, 'parquet');
  return suspiciousInputs(engine, {
    ...{ policy, task: reference.task, training: 'training', served: 'served', evaluation },
    ...{ inputs: reference.inputs, columns, hashed, since },
    ...{ key: reference.key, time: policy.time ?? reference.time },
  });
}
