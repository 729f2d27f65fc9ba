import { binnedDivergence, toShares, totalVariation } from '../stats/divergence.ts';
import { ksPValue } from '../stats/ks.ts';
import { binOf, innerEdges, quantileFromCounts } from '../stats/quantile-bins.ts';
import { isUndefined } from '../stats/undefined.ts';
import { normedWasserstein, wassersteinFromCounts } from '../stats/wasserstein.ts';
import { aspectsOf, type ColumnCounts, numericScale } from './aspects.ts';
import type { BinnedColumn, BinnedSide } from './binned-column.ts';
import { type BlockCounts, nullCounts } from './block-counts.ts';
import { type ClassicalStatistics, noStatistics } from './classical.ts';
import type { Measured } from './measure.ts';
import type { MonitoringPolicy } from './policy.ts';
import { drawnEdges, numericHistogram, numericSegments } from './segments.ts';
import type { TablePair } from './tables.ts';

/** Quantiles of each side whose bins begin a bin of the permutation, as for rows (block-counts.ts). */
const quantiles = 32;

/**
 * Measures a numeric column from fine bins in place of rows. A value is known to within its bin's width, about
 * 1/128 to 1/256 of the bulk of its day: distances are so to about that share of the bulk, KS is a lower bound.
 */
export function measureBinned(column: BinnedColumn, pair: TablePair, policy: MonitoringPolicy): Measured {
  const { name, positions, reference, current } = column;
  const both = reference.n > 0 && current.n > 0;
  const deciles = both ? decileEdges(column) : new Float64Array();
  const statistics = both ? binnedStatistics(column, deciles) : noStatistics;
  const scale = numericScale(reference.sd ?? 0);
  const counts: ColumnCounts = {
    name,
    values: coarseCounts(column, pair),
    nulls: nullCounts(column, pair),
    unseen: null,
    scale,
    effect: statistics.wasserstein === null ? null : statistics.wasserstein / scale.sd,
  };
  const sides: [Float64Array, Float64Array] = [reference.counts, current.counts];
  const count = (edges: Float64Array) =>
    sides.map((side) => countBinned(positions, side, edges)) as [Float64Array, Float64Array];
  const quantile = (p: number) => sides.map((side) => quantileFromCounts(positions, side, p));
  const edges = both
    ? drawnEdges(Math.min(...quantile(0.01)), Math.max(...quantile(0.99)))
    : new Float64Array();
  return {
    name,
    kind: 'numeric',
    n: [reference.n, current.n],
    means: [reference.mean, current.mean],
    levels: Number.POSITIVE_INFINITY,
    statistics,
    candidates: aspectsOf(counts, policy),
    histogram: both ? numericHistogram(edges, count(edges.subarray(1, -1))) : null,
    segments: both ? numericSegments(name, deciles, count(deciles)) : [],
    unseen: null,
  };
}

function binnedStatistics(column: BinnedColumn, deciles: Float64Array): ClassicalStatistics {
  const { positions, reference, current } = column;
  const raw = wassersteinFromCounts({ values: positions, first: reference.counts, second: current.counts });
  const distance = isUndefined(raw) ? null : raw;
  const ks = ksPValue(largestGap(reference, current), reference.n, current.n);
  const [p, q] = [reference, current].map(({ counts }) => countBinned(positions, counts, deciles)) as [
    Float64Array,
    Float64Array,
  ];
  const divergence = binnedDivergence(p, q);
  const shares = isUndefined(divergence) ? null : divergence;
  return {
    ...noStatistics,
    ks: { statistic: ks.statistic, p_value: ks.pValue },
    psi: shares?.psi ?? null,
    kl: shares?.kl ?? null,
    js_distance: shares?.jsDistance ?? null,
    wasserstein: distance,
    wasserstein_normed: distance === null ? null : normedWasserstein(distance, reference.sd ?? 0),
    total_variation: totalVariation(toShares(p), toShares(q)),
  };
}

function largestGap(reference: BinnedSide, current: BinnedSide): number {
  let [before, after, largest] = [0, 0, 0];
  for (let bin = 0; bin < reference.counts.length; bin++) {
    before += reference.counts[bin] as number;
    after += current.counts[bin] as number;
    largest = Math.max(largest, Math.abs(before / reference.n - after / current.n));
  }
  return largest;
}

function decileEdges({ positions, reference }: BinnedColumn): Float64Array {
  const edges = Array.from({ length: 11 }, (_, i) => quantileFromCounts(positions, reference.counts, i / 10));
  return innerEdges(edges);
}

/** Rows of the bins whose positions lie in each interval: edges[i−1] ≤ position < edges[i], outer ones open. */
function countBinned(positions: Float64Array, counts: Float64Array, edges: Float64Array): Float64Array {
  const out = new Float64Array(edges.length + 1);
  counts.forEach((rows, bin) => {
    if (rows > 0) out[binOf(positions[bin] as number, edges)]! += rows;
  });
  return out;
}

/** Blocks × bins for permutation: fine bins are joined between quantiles of both sides. */
function coarseCounts({ positions, reference, current }: BinnedColumn, pair: TablePair): BlockCounts {
  const starts = new Uint8Array(positions.length);
  for (const side of [reference, current]) markQuantiles(side, starts);
  const bins = new Int32Array(positions.length);
  let bin = 0;
  for (let i = 0; i < positions.length; i++) {
    if (i > 0 && starts[i] === 1) bin++;
    bins[i] = bin;
  }
  const size = bin + 1;
  const [sums, rows] = [new Float64Array(size), new Float64Array(size)];
  for (const { counts } of [reference, current]) {
    counts.forEach((n, i) => {
      sums[bins[i] as number]! += n * (positions[i] as number);
      rows[bins[i] as number]! += n;
    });
  }
  const byBlock = (side: BinnedSide, blocks: number) => {
    const counts = new Float64Array(blocks * size);
    for (const { block, bins: own, rows: n } of side.parts) {
      for (let i = 0; i < own.length; i++) {
        counts[block * size + (bins[own[i] as number] as number)]! += n[i] as number;
      }
    }
    return counts;
  };
  return {
    bins: size,
    positions: sums.map((sum, i) => (rows[i] === 0 ? 0 : sum / (rows[i] as number))),
    reference: byBlock(reference, pair.reference.blocks.length),
    current: byBlock(current, pair.current.blocks.length),
  };
}

function markQuantiles({ n, counts }: BinnedSide, starts: Uint8Array): void {
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
