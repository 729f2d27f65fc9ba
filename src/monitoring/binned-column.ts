import { counted, type NumericPart } from '../data/blocks.ts';
import { addMoments, noMoments } from '../stats/moments.ts';
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
  /** By part: the block, its bins with rows, and these rows. A block can have several parts. */
  parts: readonly { block: number; bins: Float64Array; rows: Float64Array }[];
}

/** A profile up to this power of two coarser than the reference's makes all bins as coarse as its own. */
const coarser = 2;
/** Bin numbers in a span of up to this many are marked in an array; of others a sorted list is made. */
const denseSpan = 2 ** 16;

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
  const [was, is] = [before, after].map((parts) => parts.map((part) => partOnGrid(part, exponent))) as [
    OnGrid[],
    OnGrid[],
  ];
  const indexes = numberBins([...was, ...is]);
  const bins = indexes.length;
  const sides = {
    reference: binnedSide(reference, { parts: before, onGrid: was, bins }),
    current: binnedSide(current, { parts: after, onGrid: is, bins }),
  };
  return { kind: 'numeric', name, positions: placeBins(indexes, exponent, sides), ...sides };
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

/** One part's bins on the shared grid: bin numbers, later their positions among the bins with rows, and their rows. */
interface OnGrid {
  block: number;
  bins: Float64Array;
  rows: Float64Array;
}

/** Bins on the grid of 2^to: each in which its own lies, or where that is wider, its middle. */
function partOnGrid({ block, exponent, part }: Part, to: number): OnGrid {
  const length = part.bins.length >> 1;
  const [bins, rows] = [new Float64Array(length), new Float64Array(length)];
  const [middle, width] = [exponent > to ? 0.5 : 0, 2 ** (exponent - to)];
  for (let i = 0; i < length; i++) {
    bins[i] = Math.floor(((part.bins[2 * i] as number) + middle) * width);
    rows[i] = part.bins[2 * i + 1] as number;
  }
  return { block, bins, rows };
}

/** Replaces bin numbers by their positions among all that have rows; gives those, ascending. */
function numberBins(parts: readonly OnGrid[]): Float64Array {
  let [first, last] = [Infinity, -Infinity];
  for (const { bins } of parts) {
    if (bins.length === 0) continue;
    first = Math.min(first, bins[0] as number);
    last = Math.max(last, bins[bins.length - 1] as number);
  }
  if (!(last >= first)) return new Float64Array();
  return last - first < denseSpan ? numberDense(parts, first, last) : numberSparse(parts);
}

function numberDense(parts: readonly OnGrid[], first: number, last: number): Float64Array {
  const places = new Int32Array(last - first + 1);
  for (const { bins } of parts) for (let i = 0; i < bins.length; i++) places[(bins[i] as number) - first] = 1;
  const indexes = new Float64Array(places.reduce((used, one) => used + one, 0));
  let end = 0;
  for (let i = 0; i < places.length; i++) {
    if (places[i] === 0) continue;
    indexes[end] = first + i;
    places[i] = end++;
  }
  for (const { bins } of parts)
    for (let i = 0; i < bins.length; i++) bins[i] = places[(bins[i] as number) - first] as number;
  return indexes;
}

function numberSparse(parts: readonly OnGrid[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { bins }) => sum + bins.length, 0));
  let end = 0;
  for (const { bins } of parts) {
    all.set(bins, end);
    end += bins.length;
  }
  all.sort();
  const indexes = all.filter((index, i) => i === 0 || index !== all[i - 1]);
  for (const { bins } of parts) {
    // both ascend
    let place = 0;
    for (let i = 0; i < bins.length; i++) {
      while ((indexes[place] as number) < (bins[i] as number)) place++;
      bins[i] = place;
    }
  }
  return indexes;
}

function binnedSide(
  side: BlockSide,
  { parts, onGrid, bins }: { parts: readonly Part[]; onGrid: readonly OnGrid[]; bins: number },
): BinnedSide {
  const counts = new Float64Array(bins);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  for (const { block, bins, rows } of onGrid) {
    for (let i = 0; i < bins.length; i++) {
      counts[bins[i] as number]! += rows[i] as number;
      nullsByBlock[block]! -= rows[i] as number;
    }
  }
  return { counts, nullsByBlock, parts: onGrid, ...moments(parts) };
}

function moments(parts: readonly Part[]): Pick<BinnedSide, 'n' | 'mean' | 'sd'> {
  const { n, mean, m2 } = parts.reduce(
    (sum, { part: { bins, mean, m2 } }) =>
      mean === null || m2 === null ? sum : addMoments(sum, { n: counted(bins), mean, m2 }),
    noMoments,
  );
  return n === 0 ? { n, mean: null, sd: null } : { n, mean, sd: Math.sqrt(m2 / n) };
}

/**
 * Bins stand at their middles, moved together by what the known means say of where in a bin values lie: whole numbers
 * in bins of one lie at its beginning.
 */
function placeBins(
  indexes: Float64Array,
  exponent: number,
  sides: Record<'reference' | 'current', BinnedSide>,
): Float64Array {
  const width = 2 ** exponent;
  const middles = indexes.map((index) => (index + 0.5) * width);
  let [n, sum, known] = [0, 0, 0];
  for (const side of Object.values(sides)) {
    n += side.n;
    known += side.n * (side.mean ?? 0);
    side.counts.forEach((rows, bin) => {
      sum += rows * (middles[bin] as number);
    });
  }
  const offset = n === 0 ? 0 : Math.min(width / 2, Math.max(-width / 2, (known - sum) / n));
  return middles.map((middle) => middle + offset);
}
