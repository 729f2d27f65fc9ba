import { binnedDivergence, toShares, totalVariation } from '../stats/divergence.ts';
import { ksPValue } from '../stats/ks.ts';
import { cumulativeCounts, innerEdges, quantileFromCumulative } from '../stats/quantile-bins.ts';
import { isUndefined } from '../stats/undefined.ts';
import { normedWasserstein, standardDeviation, wassersteinFromCounts } from '../stats/wasserstein.ts';
import { aspectsOf, type ColumnCounts, numericScale } from './aspects.ts';
import type { BinnedColumn, BinnedSide } from './binned-column.ts';
import { type BlockCounts, nullCounts } from './block-counts.ts';
import { type ClassicalStatistics, noStatistics } from './classical.ts';
import { type Ends, farEnds } from './far-values.ts';
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
  const below: Sides = [cumulativeCounts(reference.counts), cumulativeCounts(current.counts)];
  const count = (edges: Float64Array) => below.map((side) => countBinned(positions, side, edges)) as Sides;
  const quantile = (side: Float64Array, p: number) => quantileFromCumulative(positions, side, p);
  const deciles = both
    ? innerEdges(Array.from({ length: 11 }, (_, i) => quantile(below[0], i / 10)))
    : new Float64Array();
  const byDecile = both ? count(deciles) : null;
  const statistics = byDecile === null ? noStatistics : binnedStatistics(column, below, byDecile);
  const ends = both
    ? farEnds({
        ...{ q01: quantile(below[0], 0.01), q99: quantile(below[0], 0.99) },
        ...{ least: positions[0] as number, most: positions.at(-1) as number },
      })
    : null;
  const counts: ColumnCounts = {
    name,
    values: coarseCounts(column, ends),
    nulls: nullCounts(column, pair),
    unseen: null,
    ends,
    ...(ends === null ? wholeScale(column, statistics) : scaleWithin(column, ends)),
  };
  const atShare = (p: number) => below.map((side) => quantile(side, p));
  const edges = both
    ? drawnEdges(Math.min(...atShare(0.01)), Math.max(...atShare(0.99)))
    : new Float64Array();
  return {
    name,
    kind: 'numeric',
    n: [reference.n, current.n],
    means: [reference.mean, current.mean],
    levels: Number.POSITIVE_INFINITY,
    statistics,
    candidates: aspectsOf(counts, policy),
    ends,
    histogram: both ? numericHistogram(edges, count(edges.subarray(1, -1))) : null,
    segments: byDecile === null ? [] : numericSegments(name, deciles, byDecile),
    unseen: null,
  };
}

type Scaled = Pick<ColumnCounts, 'scale' | 'effect'>;

function wholeScale({ reference }: BinnedColumn, { wasserstein }: ClassicalStatistics): Scaled {
  const scale = numericScale(reference.sd ?? 0);
  return { scale, effect: wasserstein === null ? null : wasserstein / scale.sd };
}

function scaleWithin({ positions, reference, current }: BinnedColumn, ends: Ends): Scaled {
  const values = within(positions, ends);
  const scale = numericScale(standardDeviation(values, reference.counts));
  const raw = wassersteinFromCounts({ values, first: reference.counts, second: current.counts });
  return { scale, effect: isUndefined(raw) ? null : raw / scale.sd };
}

const within = (positions: Float64Array, { low, high }: Ends): Float64Array =>
  positions.map((position) => Math.min(high, Math.max(low, position)));

/** Of the reference and of the current rows. */
type Sides = [Float64Array, Float64Array];

function binnedStatistics(
  { positions, reference, current }: BinnedColumn,
  below: Sides,
  [p, q]: Sides,
): ClassicalStatistics {
  const raw = wassersteinFromCounts({ values: positions, first: reference.counts, second: current.counts });
  const distance = isUndefined(raw) ? null : raw;
  const ks = ksPValue(largestGap(below, reference.n, current.n), reference.n, current.n);
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

function largestGap([before, after]: Sides, n: number, m: number): number {
  let largest = 0;
  for (let bin = 0; bin < before.length; bin++)
    largest = Math.max(largest, Math.abs((before[bin] as number) / n - (after[bin] as number) / m));
  return largest;
}

/**
 * Rows of the bins whose positions lie in each interval: edges[i−1] ≤ position < edges[i], outer ones open. `below` is
 * cumulative.
 */
function countBinned(positions: Float64Array, below: Float64Array, edges: Float64Array): Float64Array {
  const out = new Float64Array(edges.length + 1);
  let bin = 0;
  let last = 0;
  for (let i = 0; i < out.length; i++) {
    const edge = edges[i] ?? Number.POSITIVE_INFINITY;
    while (bin < positions.length && (positions[bin] as number) < edge) bin++;
    const rows = bin === 0 ? 0 : (below[bin - 1] as number);
    out[i] = rows - last;
    last = rows;
  }
  return out;
}

/** Blocks × bins for permutation: fine bins are joined between quantiles of both sides, and beyond the ends. */
function coarseCounts(
  { positions: places, reference, current }: BinnedColumn,
  ends: Ends | null,
): BlockCounts {
  const positions = ends === null ? places : within(places, ends);
  const starts = new Uint8Array(positions.length);
  for (const side of [reference, current]) markQuantiles(side, starts);
  if (ends !== null) markEnds(positions, ends, starts);
  const bins = new Int32Array(positions.length);
  let bin = 0;
  for (let i = 0; i < positions.length; i++) {
    if (i > 0 && starts[i] === 1) bin++;
    bins[i] = bin;
  }
  const size = bin + 1;
  const [sums, rows] = [new Float64Array(size), new Float64Array(size)];
  for (const { counts } of [reference, current]) {
    for (let i = 0; i < counts.length; i++) {
      const [n, group] = [counts[i] as number, bins[i] as number];
      sums[group]! += n * (positions[i] as number);
      rows[group]! += n;
    }
  }
  return {
    bins: size,
    positions: sums.map((sum, i) => (rows[i] === 0 ? 0 : sum / (rows[i] as number))),
    reference: reference.byBlock(bins, size),
    current: current.byBlock(bins, size),
  };
}

/** The bins beyond an end are one. */
function markEnds(positions: Float64Array, { low, high }: Ends, starts: Uint8Array): void {
  for (let bin = 1; bin < positions.length; bin++) {
    const [before, at] = [positions[bin - 1] as number, positions[bin] as number];
    if (before === at) starts[bin] = 0;
    else if (before === low || at === high) starts[bin] = 1;
  }
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
