import type { BinnedColumn, BinnedSide } from './binned-column.ts';
import { partFar, type ValueCounts } from './far-counts.ts';
import { type Ends, placesWithin } from './far-values.ts';

/** Quantiles of each side whose bins begin a bin of the permutation; where these give few, twice as many: as from rows. */
const usualQuantiles = 32;
const fewBins = 32;

/** Blocks × bins for permutation: fine bins are joined between quantiles of both sides, and beyond each end. */
export function coarseCounts(
  { positions, starts, reference, current }: BinnedColumn,
  ends: Ends | null,
): ValueCounts {
  const marked = new Uint8Array(positions.length);
  for (const quantiles of [usualQuantiles, 2 * usualQuantiles]) {
    if (marked.reduce((bins, one) => bins + one, 1) >= fewBins) break;
    for (const side of [reference, current]) markQuantiles(side, quantiles, marked);
  }
  const [from, until] = ends === null ? [0, marked.length] : placesWithin(positions, ends);
  marked.fill(0, 0, from);
  marked.fill(0, until);
  for (const place of [from, until]) if (place < marked.length) marked[place] = 1;
  const groupOf = groupsFrom(marked);
  const bins = 1 + (groupOf.at(-1) ?? 0);
  const sums = new Float64Array(bins);
  const rows = new Float64Array(bins);
  for (const { counts } of [reference, current]) addToGroups({ sums, rows }, counts, positions, groupOf);
  const values = {
    bins,
    positions: sums.map((sum, i) => (rows[i] === 0 ? 0 : sum / (rows[i] as number))),
    starts: starts.filter((_, bin) => bin === 0 || marked[bin] === 1),
    reference: reference.byBlock(groupOf, bins),
    current: current.byBlock(groupOf, bins),
  };
  return ends === null
    ? { values, far: null }
    : partFar(values, { below: from > 0, above: until < positions.length });
}

/** The group of each bin; all but the first begin where it is marked. */
function groupsFrom(starts: Uint8Array): Int32Array {
  const groupOf = new Int32Array(starts.length);
  let group = 0;
  for (let i = 1; i < starts.length; i++) {
    group += starts[i] as number;
    groupOf[i] = group;
  }
  return groupOf;
}

/** Adds rows, and the sums of their positions, to those of their groups. */
function addToGroups(
  { sums, rows }: { sums: Float64Array; rows: Float64Array },
  counts: Float64Array,
  positions: Float64Array,
  groupOf: Int32Array,
): void {
  for (let i = 0; i < counts.length; i++) {
    const n = counts[i] as number;
    const group = groupOf[i] as number;
    sums[group]! += n * (positions[i] as number);
    rows[group]! += n;
  }
}

function markQuantiles({ n, counts }: BinnedSide, quantiles: number, starts: Uint8Array): void {
  if (n === 0) return;
  let below = 0;
  let next = 1;
  let last = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const rows = counts[bin] as number;
    if (rows === 0) continue;
    below += rows;
    last = bin;
    if (below > (n * next) / quantiles) {
      starts[bin] = 1;
      while (next < quantiles && below > (n * next) / quantiles) next++;
    }
  }
  // the largest value gets a bin of its own, so that two-valued columns keep both of their values apart
  starts[last] = 1;
}
