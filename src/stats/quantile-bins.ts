/** Quantiles as NumPy computes them (method 'linear') and bins between them. */

import { countUpTo } from './sorted.ts';

/** Linear quantile of an ascending sample, numpy.quantile's default: position p (n − 1), interpolated. */
export function quantileSorted(sorted: Float64Array, p: number): number {
  return quantileAt((i) => sorted[i] as number, sorted.length, p);
}

/** The same from cumulative counts (`cumulativeCounts`) on ascending values. O(log(number of values)). */
export function quantileFromCumulative(values: Float64Array, cumulative: Float64Array, p: number): number {
  const at = (rank: number) => values[Math.min(values.length - 1, binOf(rank, cumulative))] as number;
  return quantileAt(at, cumulative[cumulative.length - 1] ?? 0, p);
}

/** Rows up to each value and at it. */
export function cumulativeCounts(counts: ArrayLike<number>): Float64Array {
  const cumulative = new Float64Array(counts.length);
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i] as number;
    cumulative[i] = sum;
  }
  return cumulative;
}

/** The same of n rows, where `at` gives the value of a rank from 0. NumPy's lerp is exact at both ends and monotone. */
export function quantileAt(at: (rank: number) => number, n: number, p: number): number {
  if (n === 0) throw new RangeError('a quantile of no rows');
  const position = p * (n - 1);
  const i = Math.min(n - 1, Math.max(0, Math.floor(position)));
  const t = position - i;
  const low = at(i);
  const high = at(Math.min(i + 1, n - 1));
  return t >= 0.5 ? high - (high - low) * (1 - t) : low + (high - low) * t;
}

/** Duplicates of ascending edges removed and the outermost dropped: what is left divides the line into bins. */
export function innerEdges(edges: readonly number[]): Float64Array {
  const unique = edges.filter((edge, i) => i === 0 || edge !== edges[i - 1]);
  return Float64Array.from(unique.slice(1, -1));
}

/**
 * Inner edges of the reference's quantile bins (deciles unless said), NaN not allowed. The outer bins are open;
 * k edges make k + 1 bins. The convention is that of `e = np.unique(np.quantile(x, np.linspace(0, 1, 11)))` with
 * `e[0], e[-1] = -inf, inf` and `np.histogram`: quantiles that coincide are one edge, the least and the greatest are
 * open ends. So where deciles tie with the minimum, its rows share the first bin with all below the next distinct
 * decile, and where they tie with the maximum, its rows share the last bin with all from the decile before. Rows
 * that move within such a bin are not seen. A reference with one or two distinct quantiles has no inner edge and
 * one bin: see such a column by its Kolmogorov-Smirnov or Wasserstein distance.
 */
export function quantileEdges(sortedReference: Float64Array, bins = 10): Float64Array {
  return innerEdges(quantileShares(bins).map((p) => quantileSorted(sortedReference, p)));
}

/** The shares 0 to 1 whose quantiles are the bins' edges, the outermost included. */
export function quantileShares(bins = 10): number[] {
  return Array.from({ length: bins + 1 }, (_, i) => (i === bins ? 1 : i * (1 / bins)));
}

/** Rows in each bin: bin i holds edges[i−1] ≤ x < edges[i], outer bins open; NaN left out. */
export function countInBins(values: ArrayLike<number>, edges: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  for (let i = 0; i < values.length; i++) {
    const x = values[i] as number;
    if (Number.isNaN(x)) continue;
    const bin = binOf(x, edges);
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts;
}

/** Index of the bin of x: how many edges are ≤ x. */
export function binOf(x: number, edges: Float64Array): number {
  return countUpTo(edges, x);
}
