import { z } from 'zod';
import { putJson } from '../data/manifests.ts';
import { UserError } from '../errors.ts';
import { estimateCandidate, metricRows, selectRows } from '../gate/metrics.ts';
import { sliceKey } from '../gate/noise.ts';
import { GatePolicy } from '../gate/policy.ts';
import { readScores } from '../gate/scores.ts';
import { rowsByCode } from '../gate/slice-rows.ts';
import { Digest } from '../json.ts';
import { PAIRED_METRICS, type PairedMetric } from '../stats/paired-metrics.ts';
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
  metrics: MeasuredMetric[];
  slices: string[];
}

/** What of a policy's metric its value depends on. */
const MeasuredMetric = z.strictObject({
  metric: z.string(),
  threshold: z.number().optional(),
  k: z.int().optional(),
  row_loss: z.string().optional(),
  numerator: z.string().optional(),
  denominator: z.string().optional(),
  aggregate: z.string().optional(),
});
type MeasuredMetric = z.infer<typeof MeasuredMetric>;

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
    /** The policy's metrics, whose noise is measured as they are written; known ones of the task always. */
    metrics: z.array(MeasuredMetric).max(50).default([]),
    /** Columns in whose values the noise is measured too. */
    slices: z.array(z.string()).max(20).default([]),
  }),
  outputs: z.object({ noise: Digest, sd: z.record(z.string(), z.number()) }),
  cache: { version: 2 },
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
        { model, champion: null, evaluation_set, file, dataset, admission: training.admission },
        context,
      );
      made.push({ bootstrap, model, evaluation });
      for (const [metric, value] of await metricsOf(evaluation, input, context)) {
        values.set(metric, [...(values.get(metric) ?? []), value]);
      }
    }
    // a metric that is not defined for one replicate has no spread over all of them
    const whole = [...values].filter(([, list]) => list.length === replicates);
    const spread = whole.map(([name, list]) => ({ name, list, sd: standardDeviation(list) }));
    const all = spread.filter(({ name }) => !isSlice(name));
    const sd = Object.fromEntries(all.map((one) => [one.name, one.sd]));
    const slices = spread
      .filter(({ name }) => isSlice(name))
      .map((one) => ({ ...sliceOf(one.name), sd: one.sd }));
    const result = {
      replicates,
      sd,
      slices,
      values: Object.fromEntries(all.map(({ name, list }) => [name, list])),
      trainings: made,
    };
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

const isSlice = (name: string) => name.startsWith('[');

function sliceOf(key: string): { metric: string; column: string; value: string | null } {
  const [metric, column, value] = JSON.parse(key) as [string, string, string | null];
  return { metric, column, value };
}

/** Each metric that is defined, of the task and of the policy, on all rows and under `sliceKey` in each slice. */
export async function metricsOf(
  evaluation: Digest,
  {
    training,
    metrics,
    slices,
  }: Pick<NoiseInput, 'metrics' | 'slices'> & { training: { task: TrainingRecipe['task'] } },
  context: StageContext,
): Promise<Map<string, number>> {
  const known = PAIRED_METRICS.filter(
    (metric) => regression.includes(metric) === (training.task === 'regression'),
  );
  const written = metrics.map((metric) => metric.metric);
  const policy = GatePolicy.parse({
    metrics: [
      ...metrics,
      ...known.filter((name) => !written.includes(name)).map((metric) => ({ metric })),
    ].map((metric) => ({
      ...metric,
      role: metric.metric === known[0] ? 'primary' : 'information',
      margin: 1,
    })),
    ...(slices.length === 0 ? {} : { slices: { by: slices } }),
  });
  const engine = await context.engine();
  try {
    await engine.addFile('predictions', await context.store.manifestFile(evaluation, 'predictions.parquet'));
    const scores = await readScores(engine, 'predictions', policy);
    const found = new Map<string, number>();
    const add = (name: string, estimate: ReturnType<typeof estimateCandidate>) => {
      if (!isUndefined(estimate) && Number.isFinite(estimate.value)) found.set(name, estimate.value);
    };
    for (const metric of policy.metrics) {
      const rows = metricRows(scores, metric.metric);
      add(metric.metric, estimateCandidate(metric, rows));
      // in slices only what the policy compares, lest the file grow with what nobody reads
      if (!written.includes(metric.metric)) continue;
      for (const column of slices) {
        for (const { value, indices } of rowsByCode(scores, column)) {
          if (indices.length >= 2)
            add(sliceKey(metric.metric, column, value), estimateCandidate(metric, selectRows(rows, indices)));
        }
      }
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
