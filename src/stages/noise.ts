import { z } from 'zod';
import { identifier } from '../data/engine.ts';
import { putJson } from '../data/manifests.ts';
import { UserError } from '../errors.ts';
import { estimateCandidate } from '../gate/metrics.ts';
import { Digest } from '../json.ts';
import { PAIRED_METRICS, type PairedMetric } from '../stats/compare-metric.ts';
import { seededRandom } from '../stats/random.ts';
import { isUndefined } from '../stats/undefined.ts';
import { defineStage, runStage, type Stage, type StageContext } from './define.ts';
import { evaluate, PinnedSet } from './evaluate.ts';
import { TrainingRecipe, train } from './train.ts';

interface NoiseInput {
  split: Digest;
  code: Digest;
  training: TrainingRecipe;
  evaluation_set: PinnedSet;
  file: Digest;
  dataset: Digest;
  replicates: number;
}

const regression: readonly PairedMetric[] = ['rmse', 'mse', 'mae', 'mape'];

/** How much the metrics of one recipe differ when chance draws its rows anew. */
export const noise = defineStage({
  name: 'noise',
  description: 'Trains the same recipe on bootstraps of its rows and measures how much each metric differs.',
  inputs: z.object({
    split: Digest,
    code: Digest,
    training: TrainingRecipe,
    evaluation_set: PinnedSet,
    file: Digest,
    dataset: Digest,
    replicates: z.number().int().min(2).max(100),
  }),
  outputs: z.object({ noise: Digest, sd: z.record(z.string(), z.number()) }),
  cache: { version: 1 },
  async run(input: NoiseInput, context) {
    const { training, replicates } = input;
    const values = new Map<string, number[]>();
    const made: { bootstrap: number; model: Digest; evaluation: Digest }[] = [];
    const started = performance.now();
    for (const bootstrap of bootstrapSeeds(training.seed, replicates)) {
      context.logger.info(`retraining ${made.length + 1} of ${replicates}`);
      const { model } = await succeed(
        train,
        { split: input.split, code: input.code, training: { ...training, bootstrap } },
        context,
      );
      const { evaluation_set, file, dataset } = input;
      const { evaluation } = await succeed(
        evaluate,
        { model, champion: null, evaluation_set, file, dataset },
        context,
      );
      made.push({ bootstrap, model, evaluation });
      for (const [metric, value] of await metricsOf(evaluation, training.task, context)) {
        values.set(metric, [...(values.get(metric) ?? []), value]);
      }
    }
    // a metric that is not defined for one replicate has no spread over all of them
    const whole = [...values].filter(([, list]) => list.length === replicates);
    const sd = Object.fromEntries(whole.map(([metric, list]) => [metric, standardDeviation(list)]));
    const result = { replicates, sd, values: Object.fromEntries(whole), trainings: made };
    const digest = await context.store.putManifest({
      kind: 'noise',
      files: [await putJson(context.store, 'noise.json', result)],
      inputs: { split: input.split, code: input.code, evaluation_set: input.file, dataset: input.dataset },
      producer: context.producer,
      facts: { replicates, sd },
    });
    const first = training.task === 'classification' ? 'auc' : 'rmse';
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${replicates} retrainings of the same recipe: ${first} differs by ${(sd[first] ?? 0).toPrecision(2)} (standard deviation).`,
      outputs: { noise: digest, sd },
      timings: { training: Math.round(performance.now() - started) / 1000 },
    };
  },
});

/** Distinct seeds of the replicates, derived from the recipe's own. */
export function bootstrapSeeds(seed: number, replicates: number): number[] {
  const random = seededRandom(seed);
  const seeds = new Set<number>();
  while (seeds.size < replicates) seeds.add(1 + random.below(2_147_483_647));
  return [...seeds];
}

/** Sample standard deviation (n − 1). */
export function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Each metric that is defined for the task, on the evaluation's predictions. */
async function metricsOf(
  evaluation: Digest,
  task: TrainingRecipe['task'],
  context: StageContext,
): Promise<Map<string, number>> {
  const engine = await context.engine();
  try {
    await engine.addFile('predictions', await context.store.manifestFile(evaluation, 'predictions.parquet'));
    const columns = await engine.columns(
      `SELECT CAST(label AS DOUBLE) AS label, candidate FROM predictions ORDER BY ${identifier('key')}`,
    );
    const [label, candidate] = columns.map(({ values }) => values);
    if (!(label instanceof Float64Array && candidate instanceof Float64Array))
      throw new Error('expected numbers');
    const rows = { label, candidate, champion: null, clusters: null, losses: undefined };
    const metrics = PAIRED_METRICS.filter(
      (metric) => regression.includes(metric) === (task === 'regression'),
    );
    const found = new Map<string, number>();
    for (const metric of metrics) {
      const estimate = estimateCandidate({ metric, threshold: 0.5 }, rows);
      if (!isUndefined(estimate) && Number.isFinite(estimate.value)) found.set(metric, estimate.value);
    }
    return found;
  } finally {
    await engine.close();
  }
}

/** Runs a stage within this one: cached as it always is, its error passed on as it was. */
async function succeed<Input, Outputs>(
  stage: Stage<Input, Outputs>,
  input: NoInfer<Input>,
  context: StageContext,
): Promise<Outputs> {
  const outcome = await runStage(stage, input, context);
  if (outcome.verdict === 'pass') return outcome.outputs as Outputs;
  context.signal.throwIfAborted();
  const { reason_code, error } = outcome;
  if (reason_code === 'internal' || error === undefined) throw new Error(error?.message ?? outcome.summary);
  const { message, where, fix } = error;
  throw new UserError({ code: reason_code, message, fix, ...(where === null ? {} : { where }) });
}
