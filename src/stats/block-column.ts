import { centreStrata } from './block-strata.ts';
import { commonLevels, shareDifferences } from './level-shares.ts';
import { blockRanks, typicalBlock } from './typical-block.ts';
import { standardDeviation } from './wasserstein.ts';

/** Which distance between two groups of blocks is permuted. */
export type BlockStatistic =
  | 'ks'
  | 'total_variation'
  | 'wasserstein'
  | 'typical_block'
  /** Of numbers: location, spread, shape and typical block. */
  | 'combined'
  /** Of categories: total variation, and the share of each common one. */
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

/** Writes the statistic's components for the group of `chosen` blocks (k of them) against all others. */
export interface PreparedColumn {
  /** Numbers that are written; more than one are studentised and their largest taken. */
  readonly components: number;
  readonly measure: (chosen: Int32Array, k: number, out: Float64Array) => void;
}

/**
 * Lays a column out for permutation: each block's counts are made cumulative once, so that a permutation costs
 * one sum of k × bins numbers. A group without any row has no distance and counts as 0.
 */
export function prepareColumn(column: BlockColumn, strata: Int32Array | null): PreparedColumn {
  const { bins, statistic } = column;
  const blocks = (column.reference.length + column.current.length) / bins;
  const raw = new Float64Array(blocks * bins);
  raw.set(column.reference);
  raw.set(column.current, column.reference.length);
  const counts = strata === null ? raw : centreStrata({ bins, counts: raw, strata });
  const cumulative = new Float64Array(blocks * bins);
  const total = new Float64Array(bins);
  for (let block = 0; block < blocks; block++) {
    let sum = 0;
    for (let i = 0; i < bins; i++) {
      const at = block * bins + i;
      sum += counts[at] as number;
      cumulative[at] = sum;
      total[i] = (total[i] as number) + sum;
    }
  }
  const rows = total[bins - 1] as number;
  const group = new Float64Array(bins);
  const positions = standardPositions(column, total);
  const ranks =
    statistic === 'combined' || statistic === 'typical_block'
      ? blockRanks({ cumulative, bins, positions })
      : null;
  if (ranks !== null && statistic === 'typical_block') {
    return {
      components: 1,
      measure: (chosen, k, out) => {
        out[0] = typicalBlock(ranks, chosen, k);
      },
    };
  }
  // two categories have one share between them, which is the total variation
  const levels = statistic === 'shares' && bins > 2 ? commonLevels(total) : new Int32Array();
  const components = statistic === 'combined' ? 4 : 1 + levels.length;
  return {
    components,
    measure: (chosen, k, out) => {
      group.fill(0);
      for (let c = 0; c < k; c++) {
        const start = (chosen[c] as number) * bins;
        for (let i = 0; i < bins; i++) group[i]! += cumulative[start + i] as number;
      }
      const n = group[bins - 1] as number;
      const m = rows - n;
      if (n === 0 || m === 0) {
        out.fill(0);
        return;
      }
      const view = { group, total, n, m, positions };
      if (ranks !== null) {
        combined(view, out);
        out[3] = typicalBlock(ranks, chosen, k);
        return;
      }
      out[0] =
        statistic === 'ks'
          ? ks(view)
          : statistic === 'wasserstein'
            ? wasserstein(view)
            : totalVariation(view);
      shareDifferences(levels, view, { out, at: 1 });
    },
  };
}

interface View {
  readonly group: Float64Array;
  readonly total: Float64Array;
  readonly n: number;
  readonly m: number;
  readonly positions: Float64Array;
}

function ks({ group, total, n, m }: View): number {
  let largest = 0;
  for (let i = 0; i < group.length; i++) {
    const below = group[i] as number;
    const gap = Math.abs(below / n - ((total[i] as number) - below) / m);
    if (gap > largest) largest = gap;
  }
  return largest;
}

function totalVariation({ group, total, n, m }: View): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < group.length; i++) {
    const below = group[i] as number;
    const gap = below / n - ((total[i] as number) - below) / m;
    sum += Math.abs(gap - last);
    last = gap;
  }
  return sum / 2;
}

function wasserstein({ group, total, n, m, positions }: View): number {
  let sum = 0;
  for (let i = 0; i + 1 < group.length; i++) {
    const below = group[i] as number;
    const gap = Math.abs(below / n - ((total[i] as number) - below) / m);
    sum += gap * ((positions[i + 1] as number) - (positions[i] as number));
  }
  return sum;
}

/** |difference of means|, |difference of ln sd| and KS. */
function combined(view: View, out: Float64Array): void {
  const { group, total, n, m, positions } = view;
  let s1 = 0;
  let s2 = 0;
  let o1 = 0;
  let o2 = 0;
  let last = 0;
  let lastTotal = 0;
  for (let i = 0; i < group.length; i++) {
    const count = (group[i] as number) - last;
    const other = (total[i] as number) - lastTotal - count;
    last = group[i] as number;
    lastTotal = total[i] as number;
    const x = positions[i] as number;
    s1 += count * x;
    s2 += count * x * x;
    o1 += other * x;
    o2 += other * x * x;
  }
  const variance = Math.max(0, s2 / n - (s1 / n) ** 2);
  const otherVariance = Math.max(0, o2 / m - (o1 / m) ** 2);
  // positions have unit variance: a group narrower than 1e-6 counts as that wide
  out[0] = Math.abs(s1 / n - o1 / m);
  out[1] = Math.abs(Math.log(Math.max(variance, 1e-12)) - Math.log(Math.max(otherVariance, 1e-12))) / 2;
  out[2] = ks(view);
}

/** Positions in the column's unit; for `combined` centred and scaled by the pooled mean and sd. */
function standardPositions({ bins, positions, statistic }: BlockColumn, total: Float64Array): Float64Array {
  const raw = positions ?? Float64Array.from({ length: bins }, (_, i) => i);
  if (statistic !== 'combined') return raw;
  const counts = total.map((t, i) => t - (i > 0 ? (total[i - 1] as number) : 0));
  const rows = total[bins - 1] as number;
  const mean = raw.reduce((s, x, i) => s + x * (counts[i] as number), 0) / rows;
  const sd = standardDeviation(raw, counts);
  return raw.map((x) => (sd > 0 ? (x - mean) / sd : 0));
}
