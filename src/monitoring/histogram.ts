import { toShares } from '../stats/divergence.ts';
import type { Parted } from './aspects.ts';
import type { ColumnData } from './column-data.ts';
import type { Histogram } from './drift-report.ts';
import { binLabels } from './segments.ts';

const drawnBins = 24;
const drawnLevels = 10;

/** Where the share p of the values within the ends lies among all of a side; null where none is within. */
export function sharesWithin(parted: Parted | null, p: number): [number | null, number | null] {
  if (parted === null) return [p, p];
  const { reference, current } = parted.far;
  return [reference, current].map(({ below, above, mean_within: mean }) =>
    mean === null ? null : below + p * (1 - below - above),
  ) as [number | null, number | null];
}

/**
 * Shares of both sides for a drawing: equal bins between the 1st and 99th percentile of both (of what lies within the
 * ends), or the top levels.
 */
export function histogramOf(data: ColumnData, parted: Parted | null): Histogram | null {
  if (data.reference.n === 0 || data.current.n === 0) return null;
  if (data.kind === 'categorical') {
    const fold = (counts: Float64Array) => {
      const shares = Array.from(toShares(counts));
      const rest = shares.slice(drawnLevels).reduce((sum, share) => sum + share, 0);
      return shares.length > drawnLevels ? [...shares.slice(0, drawnLevels), rest] : shares;
    };
    const more = data.levels.length - drawnLevels;
    return {
      edges: null,
      labels: [...data.levels.slice(0, drawnLevels), ...(more > 0 ? [`(${more} others)`] : [])],
      reference: fold(data.reference.counts),
      current: fold(data.current.counts),
    };
  }
  const [before, after] = [data.reference.sample, data.current.sample];
  const atShare = (p: number) => {
    const [old, now] = sharesWithin(parted, p);
    return [
      ...(old === null ? [] : before.quantiles([old])),
      ...(now === null ? [] : after.quantiles([now])),
    ];
  };
  const edges = drawnEdges(Math.min(...atShare(0.01)), Math.max(...atShare(0.99)));
  const inner = edges.subarray(1, -1);
  return numericHistogram(edges, [before.countInBins(inner), after.countInBins(inner)]);
}

/** Edges of equal bins from `low` to `high`; of one bin around them where they are one value. */
export function drawnEdges(low: number, high: number): Float64Array {
  const bins = high > low ? drawnBins : 1;
  // not low + i (high − low) / bins: the difference of the largest doubles overflows
  const edge = (i: number) => (high > low ? low * (1 - i / bins) + high * (i / bins) : low - 0.5 + i);
  return Float64Array.from({ length: bins + 1 }, (_, i) => edge(i));
}

/** Shares of both sides in the bins between edges, of which the outer ones are open. */
export function numericHistogram(
  edges: Float64Array,
  [reference, current]: [Float64Array, Float64Array],
): Histogram {
  return {
    edges: Array.from(edges),
    labels: binLabels(edges.subarray(1, -1)),
    reference: Array.from(toShares(reference)),
    current: Array.from(toShares(current)),
  };
}
