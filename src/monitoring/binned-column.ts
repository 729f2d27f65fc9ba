import type { NumericPart } from '../data/blocks.ts';
import { addMoments, noMoments } from '../stats/moments.ts';
import type { BlockSide, StoredColumn } from './block-side.ts';
import { countOnGrid, type GridCounts, type GridPart } from './grid-counts.ts';
import { aroundMean } from './wide-bins.ts';

/** A numeric column of both sides on shared fine bins, added up from stored blocks. */
export interface BinnedColumn {
  kind: 'numeric';
  name: string;
  /** A place for each bin that holds a row, ascending, within the bin. */
  positions: Float64Array;
  /** Where each of these bins begins. */
  starts: Float64Array;
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

interface Part extends GridPart {
  block: number;
  part: NumericPart;
}

/**
 * Adds up a numeric column. Profiles choose their bins' width by their own rows; all are made as coarse as the
 * coarsest, except that rows of a profile far coarser than the reference (a day that went wild) become points
 * within their bins instead. A profile without the column counts as nulls.
 */
export function binnedColumn(
  { name, stored }: StoredColumn,
  { reference, current }: { reference: BlockSide; current: BlockSide },
): BinnedColumn {
  const found = [numericParts(reference, stored, 0), numericParts(current, stored, 1)] as const;
  const exponent = sharedExponent(...found);
  const [before, after] = found.map((parts) => parts.map((part) => placed(part, exponent))) as [
    Part[],
    Part[],
  ];
  const grid = countOnGrid([...before, ...after], exponent);
  const rows = [grid.rows.subarray(0, before.length), grid.rows.subarray(before.length)] as const;
  const sides = {
    reference: binnedSide(reference, { parts: before, rows: rows[0], counts: grid.counts[0], grid }),
    current: binnedSide(current, { parts: after, rows: rows[1], counts: grid.counts[1], grid }),
  };
  const starts = grid.numbers.map((number) => number * 2 ** exponent);
  return { kind: 'numeric', name, positions: positionsOf(grid.numbers, exponent, sides), starts, ...sides };
}

function numericParts({ parts }: BlockSide, name: string, side: 0 | 1): Part[] {
  const found: Part[] = [];
  for (const { columns, index, block } of parts) {
    const column = columns.get(name);
    if (column?.kind !== 'numeric') continue;
    const part = column.parts[index] as NumericPart;
    found.push({ block, exponent: column.exponent, part, bins: part.bins, side });
  }
  return found;
}

function placed(own: Part, to: number): Part {
  const { exponent, bins, part } = own;
  const moved = exponent > to ? aroundMean({ exponent, bins, mean: part.mean }, to) : null;
  return moved === null ? own : { ...own, exponent: to, bins: moved };
}

function sharedExponent(before: readonly Part[], after: readonly Part[]): number {
  const most = (parts: readonly Part[]) => Math.max(-1074, ...new Set(parts.map(({ exponent }) => exponent)));
  if (before.length === 0) return most(after);
  const limit = most(before) + coarser;
  return Math.max(most(before), most(after.filter(({ exponent }) => exponent <= limit)));
}

function binnedSide(
  side: BlockSide,
  own: { parts: readonly Part[]; rows: Float64Array; counts: Float64Array; grid: GridCounts },
): BinnedSide {
  const { parts, rows, counts, grid } = own;
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  let moments = noMoments;
  parts.forEach(({ block, part }, p) => {
    const n = rows[p] as number;
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
      const sums = new Float64Array(side.labels.length * groups);
      const add = grid.grouped(groupOf);
      for (const part of parts) add(part, sums, part.block * groups);
      return sums;
    },
  };
}

/**
 * Bins stand at their middles, moved together by what the known means say of where in a bin values lie: whole numbers
 * in bins of one lie at its beginning.
 */
function positionsOf(
  numbers: Float64Array,
  exponent: number,
  { reference, current }: Record<'reference' | 'current', BinnedSide>,
): Float64Array {
  const width = 2 ** exponent;
  const positions = new Float64Array(numbers.length);
  middlesOf(numbers, width, positions);
  const n = reference.n + current.n;
  const known = reference.n * (reference.mean ?? 0) + current.n * (current.mean ?? 0);
  const sum = addProducts(addProducts(0, reference.counts, positions), current.counts, positions);
  const offset = n === 0 ? 0 : Math.min(width / 2, Math.max(-width / 2, (known - sum) / n));
  for (let bin = 0; bin < positions.length; bin++) positions[bin]! += offset;
  return positions;
}

function middlesOf(numbers: Float64Array, width: number, middles: Float64Array): void {
  for (let bin = 0; bin < numbers.length; bin++) middles[bin] = ((numbers[bin] as number) + 0.5) * width;
}

function addProducts(from: number, counts: Float64Array, positions: Float64Array): number {
  let sum = from;
  for (let bin = 0; bin < counts.length; bin++) sum += (counts[bin] as number) * (positions[bin] as number);
  return sum;
}
