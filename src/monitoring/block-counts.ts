import { sumOfRows } from '../stats/block-rows.ts';
import { countByLabel } from '../stats/label-counts.ts';
import type { CategoricalData, ColumnData, NumericSide } from './column-data.ts';
import { joinBins, partFar, type ValueCounts } from './far-counts.ts';
import { type Ends, farEnds } from './far-values.ts';
import type { Floor } from './policy.ts';
import type { TablePair } from './tables.ts';

/** Row counts of one column by block and bin: all that significance by blocks needs to know of the rows. */
export interface BlockCounts {
  bins: number;
  /** A place on the number line for each bin (the mean of its values); null where bins are categories. */
  positions: Float64Array | null;
  /** Where each bin begins, of numbers: its rows lie from there to where the next one begins. */
  starts?: Float64Array;
  /** blocks × bins, row by row. */
  reference: Float64Array;
  current: Float64Array;
}

/** Quantiles of each side that become edges: fine enough that a bin's mean stands for its values. */
export const binShares = Array.from({ length: 64 }, (_, i) => (i + 1) / 64);
/** Categories beyond these, by rows, share one bin. */
const categoryLimit = 300;

/** Counts by block of a column's values; nulls left out. */
export function valueCounts(data: ColumnData, pair: TablePair, ends: Ends | null): ValueCounts {
  if (data.kind === 'categorical') {
    const bins = Math.min(data.levels.length, categoryLimit);
    const binOf = binsOfLevels(data, bins);
    const fold = (byBlock: Float64Array) => foldLevels(byBlock, binOf, bins);
    const [reference, current] = [fold(data.reference.byBlock), fold(data.current.byBlock)];
    return { values: { bins, positions: null, reference, current }, far: null };
  }
  const edges = sharedEdges([data.reference, data.current], ends);
  const bins = edges.length + 1;
  const count = ({ sample, block }: NumericSide, size: number) =>
    countByLabel(sample, edges, { labels: block, size });
  const before = count(data.reference, pair.reference.blocks.length);
  const after = count(data.current, pair.current.blocks.length);
  const rows = before.rows.map((n, bin) => n + (after.rows[bin] as number));
  // one that holds no row would lie between its neighbours as if it did
  const filled = Int32Array.from(rows.keys()).filter((bin) => (rows[bin] as number) > 0);
  const kept = filled.length === 0 ? Int32Array.of(0) : filled;
  const positions = Float64Array.from(kept, (bin) => {
    const sum = (before.sums[bin] as number) + (after.sums[bin] as number);
    // sums of the largest doubles overflow: a bin of these is where it begins
    return Number.isFinite(sum)
      ? sum / Math.max(1, rows[bin] as number)
      : (edges[Math.max(0, bin - 1)] as number);
  });
  const starts = Float64Array.from(kept, (bin) => edges[bin - 1] ?? Number.NaN);
  // the first is open: as far below its mean as it reaches above
  if (kept[0] === 0) starts[0] = 2 * (positions[0] as number) - (edges[0] ?? (positions[0] as number));
  const alone = Array.from(kept, (bin) => [bin]);
  const values = {
    ...{ bins: kept.length, positions, starts },
    reference: joinBins(before.counts, bins, alone),
    current: joinBins(after.counts, bins, alone),
  };
  return ends === null
    ? { values, far: null }
    : partFar(values, { below: kept[0] === 0, above: kept.at(-1) === bins - 1 });
}

/** Two bins: with a value, null. */
export function nullCounts(
  data: Record<'reference' | 'current', { nullsByBlock: Float64Array }>,
  pair: TablePair,
): BlockCounts {
  const side = (nulls: Float64Array, rows: Float64Array) => {
    const counts = new Float64Array(nulls.length * 2);
    for (let block = 0; block < nulls.length; block++) {
      counts[2 * block] = (rows[block] as number) - (nulls[block] as number);
      counts[2 * block + 1] = nulls[block] as number;
    }
    return counts;
  };
  return {
    bins: 2,
    positions: null,
    reference: side(data.reference.nullsByBlock, pair.reference.rowsByBlock),
    current: side(data.current.nullsByBlock, pair.current.rowsByBlock),
  };
}

/**
 * Two bins: a level that the reference holds (`before`, rows by level), one that it lacks. Null where all are known.
 * A level that a single block of the reference holds counts there as one that the others lack (without blocks: one of
 * a single row): so many new levels a further block has although nothing changed (Good 1953, leaving one out).
 */
export function unseenCounts(
  { bins, reference, current }: Pick<BlockCounts, 'bins' | 'reference' | 'current'>,
  before: Float64Array,
): BlockCounts | null {
  const after = sumBlocks(current, bins);
  if (!after.some((n, bin) => n > 0 && before[bin] === 0)) return null;
  const fold = (counts: Float64Array, isNew: (n: number, level: number) => boolean) => {
    const folded = new Float64Array((counts.length / bins) * 2);
    counts.forEach((n, i) => {
      folded[Math.floor(i / bins) * 2 + (isNew(n, i % bins) ? 1 : 0)]! += n;
    });
    return folded;
  };
  const single = reference.length === bins;
  return {
    bins: 2,
    positions: null,
    reference: fold(reference, (n, level) => n === before[level] && (!single || n === 1)),
    current: fold(current, (_, level) => before[level] === 0),
  };
}

/** Sums over blocks: rows per bin. `from` and `until` are block indexes. */
export function sumBlocks(
  counts: Float64Array,
  bins: number,
  from = 0,
  until = counts.length / bins,
): Float64Array {
  return sumOfRows(counts.subarray(from * bins, until * bins), bins);
}

/** The ends of a column that has values far outside of the rest; null where it has none. */
export function endsOf(data: ColumnData, { shift = 0 }: Floor): Ends | null {
  if (data.kind !== 'numeric' || data.reference.n === 0) return null;
  const { reference, current } = data;
  const extremes = [reference, current].flatMap(({ n, sample }) => (n === 0 ? [] : sample.quantiles([0, 1])));
  const { sample, n } = reference;
  return farEnds({
    reference: {
      quantiles: (shares) => sample.quantiles(shares),
      below: (x) => (sample.countInBins(Float64Array.of(x))[0] as number) / n,
    },
    least: Math.min(...extremes),
    most: Math.max(...extremes),
    shift,
  });
}

function sharedEdges(sides: readonly NumericSide[], ends: Ends | null): Float64Array {
  // the largest value (a share of 1) gets a bin of its own, so that two-valued columns keep both values apart
  const edges = sides.flatMap(({ n, sample }) => (n === 0 ? [] : sample.quantiles(binShares)));
  const kept =
    ends === null
      ? edges
      : [ends.low, ...edges.filter((edge) => edge > ends.low && edge < ends.high), ends.high];
  return Float64Array.from(new Set(kept)).sort();
}

/**
 * The bin of each level: the rarest of both sides together share the last. Were they the rarest of one side, its chance
 * would decide which they are, and the other side would seem to have more of them.
 */
function binsOfLevels({ levels, reference, current }: CategoricalData, bins: number): Int32Array {
  const rows = reference.counts.map((n, level) => n + (current.counts[level] as number));
  // ties by name: the order of the levels is that of the reference's rows
  const common = [...levels.keys()].sort(
    (a, b) => (rows[b] as number) - (rows[a] as number) || ((levels[a] ?? '') < (levels[b] ?? '') ? -1 : 1),
  );
  const binOf = new Int32Array(levels.length).fill(bins - 1);
  // in the order of the levels
  common
    .slice(0, levels.length === bins ? bins : bins - 1)
    .sort((a, b) => a - b)
    .forEach((level, bin) => {
      binOf[level] = bin;
    });
  return binOf;
}

function foldLevels(byBlock: Float64Array, binOf: Int32Array, bins: number): Float64Array {
  const levels = binOf.length;
  if (levels === bins) return byBlock;
  const folded = new Float64Array((byBlock.length / levels) * bins);
  byBlock.forEach((n, i) => {
    folded[Math.floor(i / levels) * bins + (binOf[i % levels] as number)]! += n;
  });
  return folded;
}
