import { identifier, type SqlEngine } from '../data/engine.ts';
import { readPredictions } from '../serving/prediction-log.ts';
import type { Storage } from '../store/storage.ts';
import { businessSignals } from './business-metric.ts';
import { compareTables } from './compare.ts';
import { dataSignals } from './data-signals.ts';
import type { DriftReport } from './drift-report.ts';
import { estimatedPerformance } from './estimated-performance.ts';
import type { Evidence } from './findings.ts';
import { type GateEvaluation, gateReader } from './gate-scores.ts';
import type { LabelSource, MonitoringPolicy } from './policy.ts';
import { predictionColumns, predictionSignals } from './prediction-signals.ts';
import { labelsView, measureQuality, worstOf } from './quality.ts';
import type { ModelReference } from './reference.ts';
import {
  blockLabel,
  clusterDay,
  declareInputs,
  declarePredictions,
  eventTime,
  hashedInputs,
} from './served.ts';
import { serviceSignals } from './service-signals.ts';
import { plainSignal, type Signal } from './signal.ts';
import { suspiciousInputs } from './suspicious-inputs.ts';
import { openPair } from './tables.ts';

export interface WatchOptions {
  storage: Storage;
  engine: SqlEngine;
  model: string;
  environment: string;
  since: Date;
  until: Date;
  policy: MonitoringPolicy;
  reference: ModelReference;
  version: number;
  /** The predictions that a version was gated on; null without. */
  evaluationOf: (version: number) => Promise<GateEvaluation | null>;
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
  const length = until.getTime() - since.getTime();
  const window = (back: number, span = 1) => ({
    since: new Date(since.getTime() - (back + span - 1) * length),
    until: new Date(until.getTime() - back * length),
  });
  await engine.addFile('training', reference.trainFile, 'parquet');
  const { report: inputs, columns, hashed } = await compareInputs(options, { ...window(0), view: 'served' });
  const earlier: DriftReport[] = [];
  for (let back = 1; back < policy.num_evaluation_windows; back++) {
    earlier.push((await compareInputs(options, { ...window(back), view: `served_${back}` })).report);
  }
  const evaluation = await options.evaluationOf(options.version);
  const predictions = evaluation === null ? null : await comparePredictions(options, evaluation.file);
  const service = await serviceSignals(engine, 'served', policy);
  const gateOf = gateReader(engine, options.evaluationOf);
  const measure = (span: { since: Date; until: Date }) =>
    measureQuality({ ...options, ...span, task: reference.task, gateOf, service });
  const quality = await measure(window(0));
  const wide = quality.signals.some(({ verdict }) => verdict === 'alert')
    ? await measure(window(0, 3))
    : null;
  const signals: Signal[] = [
    ...dataSignals(inputs, { policy, importance: reference.importance, earlier }),
    ...(predictions === null ? [noReference] : predictionSignals(predictions, policy)),
    ...quality.signals,
    ...(reference.task === 'classification'
      ? await estimatedPerformance(engine, { policy, gateOf, view: 'served', measured: quality.groups })
      : []),
    ...(await businessSignals(engine, {
      policy,
      view: 'served',
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

interface Span {
  since: Date;
  until: Date;
  view: string;
}

interface ComparedInputs {
  report: DriftReport;
  /** The served view's column of each input. */
  columns: ReadonlyMap<string, string>;
  /** Inputs of which only a hash is logged. */
  hashed: string[];
}

async function compareInputs(options: WatchOptions, { since, until, view }: Span): Promise<ComparedInputs> {
  const { engine, storage, model, environment, reference, policy } = options;
  const read = await readPredictions({ storage, engine, model, environment, since, until, view });
  const columns = new Map(read.features.map(({ name, column }) => [name, column]));
  const { inputs } = reference;
  const trainingTime = policy.time ?? reference.time;
  const hashed = await hashedInputs(engine, { view, features: read.features });
  await declareInputs(engine, { view: 'reference_inputs', source: 'training', inputs, time: trainingTime });
  await declareInputs(engine, {
    view: 'served_inputs',
    source: view,
    inputs: inputs.map((input) => (hashed.includes(input.name) ? { ...input, type: 'string' } : input)),
    empty: read.segments === 0,
    columns,
    time: 'event_time',
  });
  const pair = await openPair(engine, {
    reference: identifier('reference_inputs'),
    current: identifier('served_inputs'),
    time: trainingTime === null ? undefined : eventTime,
    unit: policy.block,
    columns: policy.columns,
    exclude: [...policy.exclude, ...hashed, ...(trainingTime === null ? [eventTime] : [])],
  });
  const report = await compareTables(engine, pair, {
    policy,
    importance: reference.importance,
    names: { reference: 'training rows', current: 'served' },
    signal: options.signal,
  });
  return { report, columns, hashed };
}

async function suspicious(
  { engine, policy, reference, since }: WatchOptions,
  served: Omit<ComparedInputs, 'report'> & { evaluation: GateEvaluation | null },
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

async function comparePredictions(options: WatchOptions, evaluationFile: string): Promise<DriftReport> {
  const { engine, policy, version, reference } = options;
  await engine.addFile('evaluation', evaluationFile, 'parquet');
  const day = await clusterDay(engine, 'evaluation');
  const classification = reference.task === 'classification';
  await declarePredictions(engine, {
    view: 'reference_predictions',
    source: 'evaluation',
    value: 'candidate',
    block: day,
    classification,
    policy,
  });
  await declarePredictions(engine, {
    view: 'served_predictions',
    source: 'served',
    value: 'output',
    block: day === null ? null : 'event_time',
    classification,
    policy,
    where: `version = ${version} AND output IS NOT NULL`,
  });
  const pair = await openPair(engine, {
    reference: identifier('reference_predictions'),
    current: identifier('served_predictions'),
    blockColumn: day === null ? undefined : blockLabel,
    unit: policy.block,
    exclude: [blockLabel],
  });
  return compareTables(engine, pair, {
    policy,
    importance: null,
    names: { reference: 'predictions at the gate', current: 'served' },
    signal: options.signal,
  });
}
