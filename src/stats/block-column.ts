import {
  type GroupView,
  ksOf,
  locationAndSpread,
  totalVariationOf,
  wassersteinOf,
} from './block-distances.ts';
import { accumulateRow, sumChosenRows, sumOfRows } from './block-rows.ts';
import { centreStrata } from './block-strata.ts';
import { centreVolume } from './block-volume.ts';
import { decileBins, shareBelowDifferences } from './decile-shares.ts';
import { commonLevels, shareDifferences } from './level-shares.ts';
import { blockMeans, blockRanks, typicalBlock } from './typical-block.ts';
import { standardDeviation } from './wasserstein.ts';

/** Which distance between two groups of blocks is permuted. */
export type BlockStatistic =
  | 'ks'
  | 'total_variation'
  | 'wasserstein'
  | 'typical_block'
  /** Of numbers: location, spread, shape, typical block, and the share below each decile. */
  | 'combined'
  /** Of categories: total variation and the share of each common one, as they are and at equal volume of blocks. */
  | 'shares';

/** Histograms of one column: one row of `bins` counts a block, row-major, over shared bins. */
export interface BlockColumn {
  readonly bins: number;
  /** Reference blocks × bins, then current blocks × bins; all columns of a test have the same blocks. */
  readonly reference: ArrayLike<number>;
  readonly current: ArrayLike<number>;
  readonly statistic: BlockStatistic;
  /** Compared within the strata of the test: what strata differ in is taken out, blocks change sides within one. */
  readonly stratified?: boolean;
  /** Ascending bin positions in the column's unit; needed by wasserstein, typical_block and combined, else bin numbers. */
  readonly positions?: Float64Array;
}

/** Place of the typical block among the components of `combined`. */
export const typicalComponent = 3;

/** Writes the statistic's components for the group of `chosen` blocks (k of them) against all others. */
export interface PreparedColumn {
  /** Numbers that are written; more than one are studentised and their largest taken. */
  readonly components: number;
  readonly measure: (chosen: Int32Array, k: number, out: Float64Array) => void;
}

/** What the components of a column are, whatever blocks are chosen. */
export interface ColumnFrame {
  /** In the column's unit; for `combined` centred and scaled by the mean and sd of all rows. */
  readonly positions: Float64Array;
  /** Of `combined`: bins that end at deciles; of `shares`: common levels. */
  readonly marked: Int32Array;
}

export function columnFrame(column: BlockColumn): ColumnFrame {
  const pooled = cumulativeTotal(column);
  return { positions: standardPositions(column, pooled), marked: markedBins(column, pooled) };
}

function markedBins({ bins, statistic }: BlockColumn, pooled: Float64Array): Int32Array {
  if (statistic === 'combined') return decileBins(pooled);
  // two categories have one share between them, which is the total variation
  return statistic === 'shares' && bins > 2 ? commonLevels(pooled) : new Int32Array();
}

/**
 * Lays a column out for permutation: each block's counts are made cumulative once, so that a permutation costs
 * one sum of k × bins numbers (two for `shares`). A group without any row has no distance and counts as 0.
 * Given the frame of another column of the same bins, the components are the same as that one's.
 */
export function prepareColumn(
  column: BlockColumn,
  strata: Int32Array | null,
  frame: ColumnFrame = columnFrame(column),
): PreparedColumn {
  const { bins, statistic } = column;
  const raw = allBlocks(column);
  const counts = strata === null ? raw : centreStrata({ bins, counts: raw, strata });
  const view = groupViews({ bins, counts });
  const { positions } = frame;
  switch (statistic) {
    case 'ks':
      return single(view, positions, ksOf);
    case 'total_variation':
      return single(view, positions, totalVariationOf);
    case 'wasserstein':
      return single(view, positions, wassersteinOf);
    case 'typical_block': {
      const ranks = blockRanks(blockMeans({ cumulative: view.cumulative, bins, positions }));
      return {
        components: 1,
        measure: (chosen, k, out) => {
          out[0] = typicalBlock(ranks, chosen, k);
        },
      };
    }
    case 'combined':
      return combined(view, bins, frame);
    case 'shares':
      return shares(view, groupViews({ bins, counts: centreVolume({ bins, counts, strata }) }), frame);
  }
}

/** Counts of all blocks of a column, reference blocks first. */
export function allBlocks({ reference, current }: Pick<BlockColumn, 'reference' | 'current'>): Float64Array {
  const all = new Float64Array(reference.length + current.length);
  all.set(reference);
  all.set(current, reference.length);
  return all;
}

/** Rows up to each bin, over all blocks of a column. */
export function cumulativeTotal(column: BlockColumn): Float64Array {
  const total = sumOfRows(allBlocks(column), column.bins);
  accumulateRow(total, 0, total.length);
  return total;
}

function single(
  views: GroupViews,
  positions: Float64Array,
  distance: (view: GroupView) => number,
): PreparedColumn {
  return {
    components: 1,
    measure: (chosen, k, out) => {
      const view = views.of(chosen, k, positions);
      out[0] = view === null ? 0 : distance(view);
    },
  };
}

function combined(
  views: GroupViews,
  bins: number,
  { positions, marked: deciles }: ColumnFrame,
): PreparedColumn {
  const ranks = blockRanks(blockMeans({ cumulative: views.cumulative, bins, positions }));
  return {
    components: 4 + deciles.length,
    measure: (chosen, k, out) => {
      const view = views.of(chosen, k, positions);
      if (view === null) {
        out.fill(0);
        return;
      }
      locationAndSpread(view, out);
      out[2] = ksOf(view);
      out[typicalComponent] = typicalBlock(ranks, chosen, k);
      shareBelowDifferences(deciles, view, { out, at: 4 });
    },
  };
}

/** Shares of categories as they are, and as they would be if all blocks had as many rows. */
function shares(
  asIs: GroupViews,
  atEqualVolume: GroupViews,
  { positions, marked: levels }: ColumnFrame,
): PreparedColumn {
  const components = 1 + levels.length;
  return {
    components: 2 * components,
    measure: (chosen, k, out) => {
      measureShares(asIs.of(chosen, k, positions), levels, { out, at: 0 });
      measureShares(atEqualVolume.of(chosen, k, positions), levels, { out, at: components });
    },
  };
}

function measureShares(
  view: GroupView | null,
  levels: Int32Array,
  { out, at }: { out: Float64Array; at: number },
): void {
  if (view === null) {
    out.fill(0, at, at + 1 + levels.length);
    return;
  }
  out[at] = totalVariationOf(view);
  shareDifferences(levels, view, { out, at: at + 1 });
}

interface GroupViews {
  /** Counts of each block made cumulative, and their sums. */
  readonly cumulative: Float64Array;
  readonly total: Float64Array;
  /** The chosen blocks (k of them) against all others; null where one of both has no rows. The view is used again. */
  readonly of: (chosen: Int32Array, k: number, positions: Float64Array) => GroupView | null;
}

function groupViews({ bins, counts }: { bins: number; counts: Float64Array }): GroupViews {
  const cumulative = counts.slice();
  for (let at = 0; at < counts.length; at += bins) accumulateRow(cumulative, at, bins);
  const total = sumOfRows(cumulative, bins);
  const rows = total[bins - 1] as number;
  const group = new Float64Array(bins);
  return {
    cumulative,
    total,
    of: (chosen, k, positions) => {
      sumChosenRows(cumulative, chosen, k, group);
      const n = group[bins - 1] as number;
      const m = rows - n;
      return n === 0 || m === 0 ? null : { group, total, n, m, positions };
    },
  };
}

function standardPositions({ bins, positions, statistic }: BlockColumn, total: Float64Array): Float64Array {
  const raw = positions ?? Float64Array.from({ length: bins }, (_, i) => i);
  if (statistic !== 'combined') return raw;
  const counts = total.map((t, i) => t - (i > 0 ? (total[i - 1] as number) : 0));
  const rows = total[bins - 1] as number;
  const mean = raw.reduce((s, x, i) => s + x * (counts[i] as number), 0) / rows;
  const sd = standardDeviation(raw, counts);
  return raw.map((x) => (sd > 0 ? (x - mean) / sd : 0));
}
