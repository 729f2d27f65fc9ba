import { identifier } from '../data/engine.ts';
import type { Digest } from '../json.ts';
import type { Dimensions } from './compare.ts';
import { compareBlocks } from './compare-blocks.ts';
import type { DriftReport } from './drift-report.ts';
import type { GateEvaluation } from './gate-scores.ts';
import {
  declareTraining,
  evaluationBlocks,
  type ReferenceBlocks,
  trainingBlocks,
  trainingInputs,
} from './reference-blocks.ts';
import { segmentsBy } from './segments.ts';
import { declareInputs, eventTime } from './served.ts';
import { type ServedBlocksOptions, type ServedDay, servedDays } from './served-blocks.ts';
import { answerPair, inputPair } from './served-pairs.ts';
import { openPair, type TablePair } from './tables.ts';
import type { WatchOptions } from './watch.ts';

/** The training rows as blocks; the view `training` must be declared. */
export function referenceBlocks({
  store,
  engine,
  reference,
  policy,
}: WatchOptions): Promise<ReferenceBlocks> {
  return trainingBlocks(store, engine, { ...reference, time: policy.time ?? reference.time });
}

/** What was served in a window, as blocks. */
export function windowDays(
  options: WatchOptions,
  window: Pick<ServedBlocksOptions, 'since' | 'until' | 'segments'>,
): Promise<ServedDay[]> {
  return servedDays({
    ...options,
    ...window,
    inputs: options.reference.inputs,
    threshold: threshold(options),
  });
}

function threshold({ reference, policy }: WatchOptions): number | null {
  return reference.task === 'classification' ? policy.prediction.threshold : null;
}

/** The inputs of a window against the training rows. Without `dimensions` segments by other columns are left out. */
export async function inputDrift(
  { policy, reference, signal, inputsOf }: WatchOptions,
  compared: { training: ReferenceBlocks; days: readonly ServedDay[]; dimensions: Dimensions | null },
): Promise<DriftReport> {
  const { training, days, dimensions } = compared;
  const taken = new Map<number, ReadonlySet<string>>();
  for (const version of new Set(days.flatMap(({ versions }) => versions.map((one) => one.version)))) {
    const names = await inputsOf(version);
    if (names !== null) taken.set(version, new Set(names));
  }
  return compareBlocks(inputPair(training, days, { inputs: reference.inputs, policy, taken }), {
    policy,
    importance: reference.importance,
    names: { reference: 'training rows', current: 'served' },
    signal,
    dimensions: dimensions ?? (async () => []),
  });
}

/** Segments of a drifted input by the levels of another: the one question that needs the window's rows. */
export function inputDimensions(
  options: WatchOptions,
  served: { columns: ReadonlyMap<string, string>; hashed: ReadonlySet<string> },
): Dimensions {
  const { engine, reference, policy } = options;
  const { inputs } = reference;
  const time = policy.time ?? reference.time;
  const open = async (): Promise<TablePair> => {
    await declareTraining(engine, { inputs, time });
    await declareInputs(engine, {
      view: 'served_inputs',
      source: 'served',
      inputs: inputs.filter(({ name }) => !served.hashed.has(name)),
      columns: served.columns,
      time: 'event_time',
    });
    return openPair(engine, {
      reference: identifier(trainingInputs),
      current: identifier('served_inputs'),
      time: time === null ? undefined : eventTime,
      unit: policy.block,
      exclude: inputs.map(({ name }) => name),
    });
  };
  let pair: Promise<TablePair> | undefined;
  return async (question) => {
    pair ??= open();
    return segmentsBy(engine, await pair, question);
  };
}

/** The answers of the deployed version against those it was gated on. */
export async function answerDrift(
  options: WatchOptions,
  served: { days: readonly ServedDay[]; evaluation: GateEvaluation & { digest: Digest } },
): Promise<DriftReport> {
  const { store, engine, policy, version, signal } = options;
  const { days, evaluation } = served;
  const gated = await evaluationBlocks(store, engine, { evaluation, threshold: threshold(options) });
  return compareBlocks(answerPair(gated, days, { version, policy }), {
    policy,
    importance: null,
    names: { reference: 'predictions at the gate', current: 'served' },
    signal,
    dimensions: async () => [],
  });
}
