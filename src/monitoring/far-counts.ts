import { sumOfRows } from '../stats/block-rows.ts';
import type { BlockCounts } from './block-counts.ts';

/** Counts by block of a column's values. */
export interface ValueCounts {
  /** Without those far outside of the rest. */
  values: BlockCounts;
  /** Bins within the ends, below and above them; one without a row is left out. Null where the column has no ends. */
  far: BlockCounts | null;
}

/** Sets the outermost bins apart where they hold what lies beyond an end, and leaves out empty ones beside them. */
export function partFar(counts: BlockCounts, beyond: { below: boolean; above: boolean }): ValueCounts {
  const { bins, positions, starts, reference, current } = counts;
  const before = sumOfRows(reference, bins);
  const rows = sumOfRows(current, bins).map((n, bin) => n + (before[bin] as number));
  const outer = [...(beyond.below ? [0] : []), ...(beyond.above ? [bins - 1] : [])];
  let [from, until] = [beyond.below ? 1 : 0, beyond.above ? bins - 1 : bins];
  while (from + 1 < until && rows[from] === 0) from++;
  while (from + 1 < until && rows[until - 1] === 0) until--;
  const within = Array.from({ length: until - from }, (_, i) => from + i);
  const ends = outer.filter((bin) => rows[bin] !== 0);
  const far = [within, ...ends.map((bin) => [bin])];
  const join = (groups: readonly (readonly number[])[]) => ({
    bins: groups.length,
    reference: joinBins(reference, bins, groups),
    current: joinBins(current, bins, groups),
  });
  const values: BlockCounts = {
    ...join(within.map((bin) => [bin])),
    positions: positions?.slice(from, until) ?? null,
  };
  if (starts !== undefined && values.positions !== null) {
    values.starts = starts.slice(from, until);
    // the first would begin at the end: as far below its mean as it reaches above
    const [mean, next] = [values.positions[0] as number, values.starts[1]];
    if (beyond.below) values.starts[0] = 2 * mean - (next ?? mean);
  }
  return {
    values,
    far: { ...join(far), positions: null },
  };
}

/** Blocks × groups of bins; a bin that is in no group is left out. */
export function joinBins(
  counts: Float64Array,
  bins: number,
  groups: readonly (readonly number[])[],
): Float64Array {
  const sums = new Float64Array((counts.length / bins) * groups.length);
  let at = 0;
  for (let block = 0; block < counts.length; block += bins)
    for (const group of groups)
      sums[at++] = group.reduce((sum, bin) => sum + (counts[block + bin] as number), 0);
  return sums;
}
