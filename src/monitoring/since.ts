import { toShares } from '../stats/divergence.ts';
import { type BlockCounts, sumBlocks } from './block-counts.ts';

/**
 * Index of the current block from which on the distribution stays moved. Each block is scored by
 * the mean log likelihood ratio of its rows, current window against reference, over the bins (so that blocks like
 * the reference score low); the change point is where the sum of (score − midpoint) over all later blocks is
 * largest. Null where the two do not differ.
 *
 * Source: Page (1954), "Continuous Inspection Schemes" (the cumulative sum).
 */
export function movedSince({ bins, reference, current }: BlockCounts): number | null {
  const before = toShares(sumBlocks(reference, bins));
  const after = toShares(sumBlocks(current, bins));
  // half a row a bin, so that an empty one says something finite
  const smooth = (shares: Float64Array, counts: Float64Array) => {
    const rows = sumBlocks(counts, bins).reduce((sum, n) => sum + n, 0);
    return shares.map((share) => (share * rows + 0.5) / (rows + bins / 2));
  };
  const [p, q] = [smooth(before, reference), smooth(after, current)];
  const ratio = p.map((share, bin) => Math.log((q[bin] as number) / share));
  const score = (shares: Float64Array) =>
    shares.reduce((sum, share, bin) => sum + share * (ratio[bin] as number), 0);
  const middle = (score(before) + score(after)) / 2;
  if (!(score(after) > score(before))) return null;
  let best: number | null = null;
  let highest = 0;
  let sum = 0;
  for (let block = current.length / bins - 1; block >= 0; block--) {
    const rows = current.subarray(block * bins, (block + 1) * bins);
    if (rows.some((n) => n > 0)) sum += score(toShares(rows)) - middle;
    if (sum > highest) {
      highest = sum;
      best = block;
    }
  }
  return best;
}
