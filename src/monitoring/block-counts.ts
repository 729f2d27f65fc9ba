import { quantileSorted } from '../stats/quantile-bins.ts';
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
const quantiles = 64;
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
  const edges = sharedEdges(data.reference.sorted, data.current.sorted);
  const bins = edges.length + 1;
  const sums = new Float64Array(bins);
  const rows = new Float64Array(bins);
  const count = (side: NumericSide, blocks: number) => {
    const counts = new Float64Array(blocks * bins);
    const { sorted, block } = side;
    let i = 0;
    for (let bin = 0; bin < bins; bin++) {
      const end = bin < edges.length ? countBelow(sorted, edges[bin] as number) : sorted.length;
      let sum = 0;
      rows[bin]! += end - i;
      for (; i < end; i++) {
        counts[(block[i] as number) * bins + bin]!++;
        sum += sorted[i] as number;
      }
      sums[bin]! += sum;
    }
    return counts;
  };
  const reference = count(data.reference, pair.reference.blocks.length);
  const current = count(data.current, pair.current.blocks.length);
  let last = edges[0] ?? 0;
  const positions = sums.map((sum, bin) => {
    last = (rows[bin] as number) > 0 ? sum / (rows[bin] as number) : last;
    return last;
  });
  return { bins, positions, reference, current };
}

/** Two bins: with a value, null. */
export function nullCounts(data: ColumnData, pair: TablePair): BlockCounts {
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

/** Rows of an ascending sample in each bin: bin i holds edges[i−1] ≤ x < edges[i], outer bins open. */
export function countSorted(sorted: Float64Array, edges: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  let below = 0;
  edges.forEach((edge, bin) => {
    const end = countBelow(sorted, edge);
    counts[bin] = end - below;
    below = end;
  });
  counts[edges.length] = sorted.length - below;
  return counts;
}

/** How many values of an ascending sample are less than x. */
function countBelow(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sharedEdges(reference: Float64Array, current: Float64Array): Float64Array {
  const edges = new Set<number>();
  for (const sorted of [reference, current]) {
    if (sorted.length === 0) continue;
    for (let i = 1; i < quantiles; i++) edges.add(quantileSorted(sorted, i / quantiles));
    // the largest value gets a bin of its own, so that two-valued columns keep both of their values apart
    edges.add(sorted[sorted.length - 1] as number);
  }
  return Float64Array.from(edges).sort();
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
