import { identifier, type SqlEngine } from '../data/engine.ts';
import { readPredictions } from '../serving/prediction-log.ts';
import type { Storage } from '../store/storage.ts';
import { compareTables } from './compare.ts';
import { conceptSignals, type LabelledPredictions } from './concept-signals.ts';
import { dataSignals } from './data-signals.ts';
import type { DriftReport } from './drift-report.ts';
import type { Evidence } from './findings.ts';
import type { LabelSource, MonitoringPolicy } from './policy.ts';
import { predictionColumns, predictionSignals } from './prediction-signals.ts';
import type { ModelReference } from './reference.ts';
import {
  blockLabel,
  clusterDay,
  declareInputs,
  declarePredictions,
  eventTime,
  hashedInputs,
  readLabelled,
} from './served.ts';
import { serviceSignals } from './service-signals.ts';
import { plainSignal, type Signal } from './signal.ts';
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
  /** Local file with the predictions that the version was gated on (columns candidate, cluster); null without. */
  evaluationFile: string | null;
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
  const { engine, policy, since, until } = options;
  const length = until.getTime() - since.getTime();
  const window = (back: number, span = 1) => ({
    since: new Date(since.getTime() - (back + span - 1) * length),
    until: new Date(until.getTime() - back * length),
  });
  await engine.addFile('training', options.reference.trainFile, 'parquet');
  const inputs = await compareInputs(options, { ...window(0), view: 'served' });
  const earlier: DriftReport[] = [];
  for (let back = 1; back < policy.num_evaluation_windows; back++) {
    earlier.push(await compareInputs(options, { ...window(back), view: `served_${back}` }));
  }
  const predictions = await comparePredictions(options);
  const concept = await measureLabels(options, window(0));
  const wide = concept.signals.some(({ verdict }) => verdict === 'alert')
    ? await measureLabels(options, window(0, 3))
    : null;
  const signals: Signal[] = [
    ...dataSignals(inputs, { policy, importance: options.reference.importance, earlier }),
    ...(predictions === null ? [noReference] : predictionSignals(predictions, policy)),
    ...concept.signals,
    ...(await serviceSignals(engine, 'served', policy)),
  ];
  return {
    inputs,
    predictions,
    signals,
    worst: worstOf(concept.groups),
    labels: concept.labels,
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

async function compareInputs(options: WatchOptions, { since, until, view }: Span): Promise<DriftReport> {
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
  return compareTables(engine, pair, {
    policy,
    importance: reference.importance,
    names: { reference: 'training rows', current: 'served' },
    signal: options.signal,
  });
}

async function comparePredictions(options: WatchOptions): Promise<DriftReport | null> {
  const { engine, policy, version, reference, evaluationFile } = options;
  if (evaluationFile === null) return null;
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

interface Labelled {
  signals: Signal[];
  groups: LabelledPredictions[];
  labels: Evidence['labels'];
}

async function measureLabels(options: WatchOptions, window: Omit<Span, 'view'>): Promise<Labelled> {
  const { engine, storage, model, environment, labels, policy } = options;
  if (labels === null) return { signals: [], groups: [], labels: null };
  await readPredictions({ storage, engine, model, environment, ...window, view: 'labelled_window' });
  await engine.addFile('labels', labels.file);
  const groups = await readLabelled(engine, {
    predictions: 'labelled_window',
    labels: 'labels',
    source: labels,
  });
  return {
    signals: conceptSignals(groups, policy),
    groups,
    labels: {
      labelled: groups.reduce((sum, group) => sum + group.label.length, 0),
      predictions: groups.reduce((sum, group) => sum + group.predictions, 0),
    },
  };
}

const worstTold = 5;

function worstOf(groups: readonly LabelledPredictions[]): Evidence['worst'] {
  return groups
    .flatMap((group) =>
      Array.from(group.label, (label, i) => ({
        key: group.keys[i] ?? '',
        label,
        prediction: group.prediction[i] as number,
      })),
    )
    .sort((a, b) => Math.abs(b.label - b.prediction) - Math.abs(a.label - a.prediction))
    .slice(0, worstTold);
}
