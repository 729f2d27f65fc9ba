/**
 * How far two independent samples of one distribution lie apart by chance. For each cumulative share or category
 * share s the difference of two sample shares has variance s(1 − s)(1/n + 1/m), and the mean of its absolute value
 * is √(2/π) of its sd (normal approximation). Rows that are alike (of one day) lie farther apart than this.
 */

const MEAN_OF_ABSOLUTE_NORMAL = Math.sqrt(2 / Math.PI);

/** Rows per bin, both samples together, and the rows of each sample. */
export interface PooledCounts {
  readonly counts: ArrayLike<number>;
  readonly n: number;
  readonly m: number;
}

/** Expected total variation, in [0, 1]. */
export function expectedTotalVariation({ counts, n, m }: PooledCounts): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += spread((counts[i] as number) / (n + m));
  return (sum / 2) * MEAN_OF_ABSOLUTE_NORMAL * Math.sqrt(1 / n + 1 / m);
}

/** Expected first Wasserstein distance, in the unit of the ascending `positions` of the bins. */
export function expectedWasserstein(pooled: PooledCounts & { readonly positions: Float64Array }): number {
  const { counts, n, m, positions } = pooled;
  let sum = 0;
  let below = 0;
  for (let i = 0; i + 1 < counts.length; i++) {
    below += counts[i] as number;
    sum += spread(below / (n + m)) * ((positions[i + 1] as number) - (positions[i] as number));
  }
  return sum * MEAN_OF_ABSOLUTE_NORMAL * Math.sqrt(1 / n + 1 / m);
}

function spread(share: number): number {
  return Math.sqrt(Math.max(0, share * (1 - share)));
}
