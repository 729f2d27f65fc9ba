import { countBelow } from './sorted.ts';

/** Histograms made cumulative, one row of `bins` a block. */
interface Blocks {
  readonly cumulative: Float64Array;
  readonly bins: number;
  readonly positions: Float64Array;
}

/** Each block's mean position; NaN without rows. */
export function blockMeans({ cumulative, bins, positions }: Blocks): Float64Array {
  const means = new Float64Array(cumulative.length / bins);
  for (let block = 0; block < means.length; block++) {
    let sum = 0;
    let last = 0;
    for (let i = 0; i < bins; i++) {
      const below = cumulative[block * bins + i] as number;
      sum += (below - last) * (positions[i] as number);
      last = below;
    }
    means[block] = last > 0 ? sum / last : Number.NaN;
  }
  return means;
}

export interface BlockRanks {
  /** Each block's place among all blocks by its mean, in [0, 1], ties in the middle; NaN where there is none. */
  readonly ranks: Float64Array;
  /** Blocks with a mean, and the sum of their ranks. */
  readonly blocks: number;
  readonly sum: number;
}

export function blockRanks(means: Float64Array): BlockRanks {
  const sorted = means.filter((mean) => !Number.isNaN(mean)).sort();
  const ranks = new Float64Array(means.length);
  let sum = 0;
  for (let block = 0; block < means.length; block++) {
    const mean = means[block] as number;
    // means that differ by rounding are equal
    const tolerance = 1e-12 * Math.max(1, Math.abs(mean));
    const below = countBelow(sorted, mean - tolerance);
    const through = countBelow(sorted, mean + tolerance);
    const rank = Number.isNaN(mean) ? Number.NaN : (below + through) / 2 / sorted.length;
    ranks[block] = rank;
    if (!Number.isNaN(rank)) sum += rank;
  }
  return { ranks, blocks: sorted.length, sum };
}

/**
 * |Difference of the mean block ranks| of the chosen blocks (the first k of `chosen`) and all others: Wilcoxon's and
 * Mann and Whitney's statistic with blocks for rows, in which a stormy day counts no more than any other. It sees
 * that typical days moved where a few wild ones hide it from the rows' mean. 0 where a side has no rows.
 *
 * Source: Mann & Whitney (1947), Ann. Math. Statist. 18:50-60.
 */
export function typicalBlock({ ranks, blocks, sum: all }: BlockRanks, chosen: Int32Array, k: number): number {
  let sum = 0;
  let size = 0;
  for (let c = 0; c < k; c++) {
    const rank = ranks[chosen[c] as number] as number;
    if (Number.isNaN(rank)) continue;
    sum += rank;
    size++;
  }
  return size === 0 || size === blocks ? 0 : Math.abs(sum / size - (all - sum) / (blocks - size));
}
