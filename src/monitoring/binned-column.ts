import type { NumericPart } from '../data/blocks.ts';
import type { SparseCounts } from '../data/sparse-counts.ts';
import { addMoments, noMoments } from '../stats/moments.ts';
import { placeOnGrid } from './bin-places.ts';
import type { BlockSide, StoredColumn } from './block-side.ts';

/** A numeric column of both sides on shared fine bins, added up from stored blocks. */
export interface BinnedColumn {
  kind: 'numeric';
  name: string;
  /** A place for each bin that holds a row, ascending, within the bin. */
  positions: Float64Array;
  reference: BinnedSide;
  current: BinnedSide;
}

export interface BinnedSide {
  /** Rows with a value. */
  n: number;
  /** Rows by bin. */
  counts: Float64Array;
  /** Mean and standard deviation (ddof 0) of the values themselves; null without rows. */
  mean: number | null;
  sd: number | null;
  nullsByBlock: Float64Array;
  /** Rows of blocks × groups of bins, row by row; `groupOf` has the group of each bin. */
  byBlock: (groupOf: Int32Array, groups: number) => Float64Array;
}

/** A profile up to this power of two coarser than the reference's makes all bins as coarse as its own. */
const coarser = 2;

interface Part {
  block: number;
  exponent: number;
  part: NumericPart;
}

/**
 * Adds up a numeric column. Profiles choose their bins' width by their own rows; all are made as coarse as the
 * coarsest, except that rows of a profile far coarser than the reference (a day that went wild) become points
 * at their bins' middles instead. A profile without the column counts as nulls.
 */
export function binnedColumn(
  { name, stored }: StoredColumn,
  { reference, current }: { reference: BlockSide; current: BlockSide },
): BinnedColumn {
  const [before, after] = [reference, current].map((side) => numericParts(side, stored)) as [Part[], Part[]];
  const exponent = sharedExponent(before, after);
  const { numbers, places } = placeOnGrid(
    [...before, ...after].map((one) => ({ exponent: one.exponent, bins: one.part.bins })),
    exponent,
  );
  const bins = numbers.length;
  const sides = {
    reference: binnedSide(reference, { parts: before, places: places.slice(0, before.length), bins }),
    current: binnedSide(current, { parts: after, places: places.slice(before.length), bins }),
  };
  return { kind: 'numeric', name, positions: positionsOf(numbers, exponent, sides), ...sides };
}

function numericParts({ parts }: BlockSide, name: string): Part[] {
  return parts.flatMap(({ columns, index, block }) => {
    const column = columns.get(name);
    if (column?.kind !== 'numeric') return [];
    return [{ block, exponent: column.exponent, part: column.parts[index] as NumericPart }];
  });
}

function sharedExponent(before: readonly Part[], after: readonly Part[]): number {
  const most = (parts: readonly Part[]) => Math.max(-1074, ...new Set(parts.map(({ exponent }) => exponent)));
  if (before.length === 0) return most(after);
  const limit = most(before) + coarser;
  return Math.max(most(before), most(after.filter(({ exponent }) => exponent <= limit)));
}

function binnedSide(
  side: BlockSide,
  { parts, places, bins }: { parts: readonly Part[]; places: readonly Int32Array[]; bins: number },
): BinnedSide {
  const counts = new Float64Array(bins);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  let moments = noMoments;
  parts.forEach(({ block, part }, p) => {
    const n = addRows(counts, part.bins, places[p] as Int32Array);
    nullsByBlock[block]! -= n;
    if (part.mean !== null && part.m2 !== null)
      moments = addMoments(moments, { n, mean: part.mean, m2: part.m2 });
  });
  const { n, mean, m2 } = moments;
  return {
    counts,
    nullsByBlock,
    ...(n === 0 ? { n, mean: null, sd: null } : { n, mean, sd: Math.sqrt(m2 / n) }),
    byBlock: (groupOf, groups) => {
      const rows = new Float64Array(side.labels.length * groups);
      parts.forEach(({ block, part }, p) => {
        const own = rows.subarray(block * groups, (block + 1) * groups);
        addGroupedRows(own, part.bins, { places: places[p] as Int32Array, groupOf });
      });
      return rows;
    },
  };
}

/** Adds a part's rows to those of their bins; gives their number. */
function addRows(counts: Float64Array, bins: SparseCounts, places: Int32Array): number {
  let n = 0;
  for (let i = 0; i < places.length; i++) {
    const rows = bins[2 * i + 1] as number;
    counts[places[i] as number]! += rows;
    n += rows;
  }
  return n;
}

function addGroupedRows(
  groups: Float64Array,
  bins: SparseCounts,
  { places, groupOf }: { places: Int32Array; groupOf: Int32Array },
): void {
  for (let i = 0; i < places.length; i++)
    groups[groupOf[places[i] as number] as number]! += bins[2 * i + 1] as number;
}

/**
 * Bins stand at their middles, moved together by what the known means say of where in a bin values lie: whole numbers
 * in bins of one lie at its beginning.
 */
function positionsOf(
  numbers: Float64Array,
  exponent: number,
  sides: Record<'reference' | 'current', BinnedSide>,
): Float64Array {
  const width = 2 ** exponent;
  const middles = numbers.map((number) => (number + 0.5) * width);
  let [n, sum, known] = [0, 0, 0];
  for (const side of Object.values(sides)) {
    n += side.n;
    known += side.n * (side.mean ?? 0);
    for (let bin = 0; bin < middles.length; bin++)
      sum += (side.counts[bin] as number) * (middles[bin] as number);
  }
  const offset = n === 0 ? 0 : Math.min(width / 2, Math.max(-width / 2, (known - sum) / n));
  return middles.map((middle) => middle + offset);
}
