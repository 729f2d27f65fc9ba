import { z } from 'zod';
import { UserError } from '../errors.ts';
import { type Digest, parseJson } from '../json.ts';
import type { TrainingNoise } from '../stats/paired-estimate.ts';
import type { Store } from '../store/store.ts';
import { type GatePolicy, retrainings } from './policy.ts';

/** Spread of each metric between trainings of one recipe, where it is known; of slices under `sliceKey`. */
export type NoiseByMetric = ReadonlyMap<string, TrainingNoise>;

/** noise.json: the spread of each metric over `replicates` trainings of one recipe. */
const NoiseFile = z.looseObject({
  replicates: z.number().int().min(2),
  sd: z.record(z.string(), z.number().nonnegative()),
  slices: z
    .array(
      z.looseObject({
        column: z.string(),
        value: z.string().nullable(),
        metric: z.string(),
        sd: z.number().nonnegative(),
      }),
    )
    .default([]),
});

/** No metric's name looks like this. */
export const sliceKey = (metric: string, column: string, value: string | null): string =>
  JSON.stringify([metric, column, value]);

/** The noise of a metric where a column has a value: the slice's own where it was measured, else the whole's. */
export function noiseOfSlice(
  noise: NoiseByMetric,
  slice: { metric: string; column: string; value: string | null },
): TrainingNoise | undefined {
  return noise.get(sliceKey(slice.metric, slice.column, slice.value)) ?? noise.get(slice.metric);
}

/**
 * The noise of retraining: measured for this recipe, else given by the policy, else pooled from at least two
 * earlier measurements of this model. Throws `config_invalid` when the policy asks to measure it and nobody did:
 * without it the bounds would be too narrow.
 */
export async function readNoise(
  store: Store,
  request: {
    digest: Digest | null;
    policy: GatePolicy;
    pooled?: readonly Digest[];
    /** Without one there is no difference that noise could explain. */
    hasChampion?: boolean;
  },
): Promise<NoiseByMetric> {
  const { digest, policy, pooled = [], hasChampion = true } = request;
  if (digest !== null) return readMeasured(store, digest);
  const given = policy.training_noise;
  if (given === undefined) return pool(await Promise.all(pooled.map((one) => readMeasured(store, one))));
  const retrain = retrainings(policy);
  if (retrain !== null) {
    if (!hasChampion) return new Map();
    throw new UserError({
      code: 'config_invalid',
      message: `The policy asks to measure the noise of retraining ${retrain} times, and no measurement was given.`,
      where: { key: 'gate.training_noise' },
      fix: 'Run modelgate run or modelgate gate, which measure it first, or write the standard deviations down: {auc: 0.008}.',
    });
  }
  return new Map(Object.entries(given).map(([metric, sd]) => [metric, { sd: Number(sd), df: null }]));
}

async function readMeasured(store: Store, digest: Digest): Promise<NoiseByMetric> {
  const manifest = await store.readManifest(digest, 'noise');
  const bytes = await store.readBytes(store.file(manifest, 'noise.json').sha256, 64_000_000);
  const measured = NoiseFile.parse(parseJson(bytes.toString('utf8'), 64_000_000));
  const df = measured.replicates - 1;
  return new Map([
    ...Object.entries(measured.sd).map(([metric, sd]) => [metric, { sd, df }] as const),
    ...measured.slices.map(
      ({ metric, column, value, sd }) => [sliceKey(metric, column, value), { sd, df }] as const,
    ),
  ]);
}

/** Pooled over recipes: sd² = Σ dfᵢ sdᵢ² / Σ dfᵢ with Σ dfᵢ degrees of freedom; only what stands in two or more. */
export function pool(measured: readonly NoiseByMetric[]): NoiseByMetric {
  const pooled = new Map<string, TrainingNoise>();
  for (const name of new Set(measured.flatMap((one) => [...one.keys()]))) {
    const found = measured.flatMap((one) => one.get(name) ?? []);
    if (found.length < 2) continue;
    const df = found.reduce((sum, one) => sum + (one.df ?? 0), 0);
    if (!(df > 0)) continue;
    const square = found.reduce((sum, one) => sum + (one.df ?? 0) * one.sd ** 2, 0) / df;
    pooled.set(name, { sd: Math.sqrt(square), df });
  }
  return pooled;
}
