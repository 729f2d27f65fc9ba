import { type BootstrapResult, bootstrapUnits, randomBuckets, sumByUnit } from './bootstrap.ts';
import type { Clusters } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';
import { degreesOf } from './unit-spread.ts';

/** A metric of both models from sums of columns; NaN where a resample leaves it undefined. */
export type PairedStatistic = (sums: Float64Array) => readonly [a: number, b: number];

interface Common {
  readonly statistic: PairedStatistic;
  readonly higherIsBetter: boolean;
  readonly seed: number;
  /** 2,000 unless said. */
  readonly replicates?: number;
}

/** At most this share of resamples may leave the metric undefined. */
const undefinedShare = 0.05;

/**
 * Paired comparison of a metric without influence function: its standard error by a seeded bootstrap of whole
 * clusters, or of 2,000 random buckets of rows, never of raw rows. `columns` are row columns whose sums the metric
 * needs. The interval is diff ± t se (not percentiles: they are off where the metric is biased), t with units − 1
 * degrees of freedom; the se is scaled by √(G/(G−1)) as G units with replacement are too narrow by that.
 */
export function pairedBootstrap(
  input: Common & { readonly columns: readonly Float64Array[]; readonly clusters: Clusters | null },
): PairedEstimate | Undefined {
  const { columns, clusters, seed } = input;
  const n = columns[0]?.length ?? 0;
  if (n < 2)
    return undefinedBecause(
      'too_few_rows',
      `${n} ${n === 1 ? 'row' : 'rows'}: a standard error needs at least 2`,
    );
  const { codes, count } = clusters === null ? randomBuckets(n, seed) : occupied(clusters);
  const units = sumByUnit(columns, codes, count);
  const result = bootstrapUnits({ units, ...common(input) });
  const total = Float64Array.from(columns, (column) => column.reduce((s, x) => s + x, 0));
  const sizes = new Float64Array(count);
  for (const code of codes) sizes[code]! += 1 / n;
  const df = clusters === null ? count - 1 : degreesOf(sizes);
  return estimateOf({
    input,
    result,
    total,
    n,
    units: count,
    clusters: clusters === null ? null : count,
    df,
  });
}

function common({ statistic, replicates, seed }: Common) {
  const difference = (sums: Float64Array) => {
    const [a, b] = statistic(sums);
    return b - a;
  };
  return { statistic: difference, replicates: replicates ?? 2000, seed };
}

function occupied({ codes, count }: Clusters): Clusters {
  const fresh = new Int32Array(count).fill(-1);
  let next = 0;
  const out = codes.map((code) => {
    if (fresh[code] === -1) fresh[code] = next++;
    return fresh[code] as number;
  });
  return { codes: out, count: next };
}

function estimateOf(found: {
  input: Common;
  result: BootstrapResult | Undefined;
  total: Float64Array;
  n: number;
  units: number;
  clusters: number | null;
  /** Of the bounds that decide: fewer than units − 1 where clusters are uneven. */
  df: number;
}): PairedEstimate | Undefined {
  const { input, result, total, n, units, clusters, df } = found;
  if (isUndefined(result)) return result;
  const drawn = result.values.length + result.undefinedReplicates;
  if (result.undefinedReplicates > undefinedShare * drawn)
    return undefinedBecause('not_finite', `undefined on ${result.undefinedReplicates} of ${drawn} resamples`);
  const [estimateA, estimateB] = input.statistic(total);
  const raw = estimateB - estimateA;
  const se = result.se * Math.sqrt(units / (units - 1));
  const scale = Math.max(Math.abs(estimateA), Math.abs(estimateB)) || 1;
  return {
    method: 'bootstrap',
    n,
    clusters,
    estimateA,
    estimateB,
    diff: input.higherIsBetter ? raw : 0 - raw,
    se,
    df: units - 1,
    spread: { se, df, skewness: 0 },
    ...(se > 1e-12 * scale ? {} : { unseen: { rows: n, effect: scale } }),
  };
}
