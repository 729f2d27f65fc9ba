import { countByLabel } from '../stats/label-counts.ts';
import type { ColumnData, NumericSide } from './column-data.ts';
import type { TablePair } from './tables.ts';

/** Row counts of one column by block and bin: all that significance by blocks needs to know of the rows. */
export interface BlockCounts {
  bins: number;
  /** A place on the number line for each bin (the mean of its values); null where bins are categories. */
  positions: Float64Array | null;
  /** blocks × bins, row by row. */
  reference: Float64Array;
  current: Float64Array;
}

/** Quantiles of each side that become edges: fine enough that a bin's mean stands for its values. */
export const binShares = Array.from({ length: 64 }, (_, i) => (i + 1) / 64);
/** Categories beyond these, by rows, share one bin. */
const categoryLimit = 300;

/** Counts by block of a column's values; nulls left out. */
export function valueCounts(data: ColumnData, pair: TablePair): BlockCounts {
  if (data.kind === 'categorical') {
    const bins = Math.min(data.levels.length, categoryLimit);
    const fold = (byBlock: Float64Array) => foldLevels(byBlock, data.levels.length, bins);
    return {
      bins,
      positions: null,
      reference: fold(data.reference.byBlock),
      current: fold(data.current.byBlock),
    };
  }
  const edges = sharedEdges([data.reference, data.current]);
  const bins = edges.length + 1;
  const count = ({ sample, block }: NumericSide, size: number) =>
    countByLabel(sample, edges, { labels: block, size });
  const before = count(data.reference, pair.reference.blocks.length);
  const after = count(data.current, pair.current.blocks.length);
  let last = edges[0] ?? 0;
  const positions = before.sums.map((sum, bin) => {
    const rows = (before.rows[bin] as number) + (after.rows[bin] as number);
    last = rows > 0 ? (sum + (after.sums[bin] as number)) / rows : last;
    return last;
  });
  return { bins, positions, reference: before.counts, current: after.counts };
}

/** Two bins: with a value, null. */
export function nullCounts(
  data: Record<'reference' | 'current', { nullsByBlock: Float64Array }>,
  pair: TablePair,
): BlockCounts {
  const side = (nulls: Float64Array, rows: Float64Array) =>
    Float64Array.from({ length: nulls.length * 2 }, (_, i) => {
      const block = i >> 1;
      const empty = nulls[block] as number;
      return i % 2 === 1 ? empty : (rows[block] as number) - empty;
    });
  return {
    bins: 2,
    positions: null,
    reference: side(data.reference.nullsByBlock, pair.reference.rowsByBlock),
    current: side(data.current.nullsByBlock, pair.current.rowsByBlock),
  };
}

/** Two bins: a level that the reference holds (`before`, rows by level), one that it lacks. Null where all are known. */
export function unseenCounts(
  { bins, reference, current }: Pick<BlockCounts, 'bins' | 'reference' | 'current'>,
  before: Float64Array,
): BlockCounts | null {
  const after = sumBlocks(current, bins);
  if (!after.some((n, bin) => n > 0 && before[bin] === 0)) return null;
  const fold = (counts: Float64Array) => {
    const folded = new Float64Array((counts.length / bins) * 2);
    counts.forEach((n, i) => {
      const cell = Math.floor(i / bins) * 2 + (before[i % bins] === 0 ? 1 : 0);
      folded[cell] = (folded[cell] as number) + n;
    });
    return folded;
  };
  return { bins: 2, positions: null, reference: fold(reference), current: fold(current) };
}

/** Sums over blocks: rows per bin. `from` and `until` are block indexes. */
export function sumBlocks(
  counts: Float64Array,
  bins: number,
  from = 0,
  until = counts.length / bins,
): Float64Array {
  const sum = new Float64Array(bins);
  for (let i = from * bins; i < until * bins; i++)
    sum[i % bins] = (sum[i % bins] as number) + (counts[i] as number);
  return sum;
}

function sharedEdges(sides: readonly NumericSide[]): Float64Array {
  // the largest value (a share of 1) gets a bin of its own, so that two-valued columns keep both values apart
  const edges = sides.flatMap(({ n, sample }) => (n === 0 ? [] : sample.quantiles(binShares)));
  return Float64Array.from(new Set(edges)).sort();
}

function foldLevels(byBlock: Float64Array, levels: number, bins: number): Float64Array {
  if (levels === bins) return byBlock;
  const folded = new Float64Array((byBlock.length / levels) * bins);
  byBlock.forEach((n, i) => {
    const cell = Math.floor(i / levels) * bins + Math.min(i % levels, bins - 1);
    folded[cell] = (folded[cell] as number) + n;
  });
  return folded;
}
