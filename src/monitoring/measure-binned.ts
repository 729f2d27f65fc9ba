import { rowTotal } from '../stats/block-rows.ts';
import { cramerVonMisesFromCounts } from '../stats/cramer-von-mises.ts';
import { ksPValue } from '../stats/ks.ts';
import { cumulativeCounts, innerEdges, quantileFromCumulative } from '../stats/quantile-bins.ts';
import { countBelow } from '../stats/sorted.ts';
import { isUndefined } from '../stats/undefined.ts';
import { normedWasserstein, standardDeviation, wassersteinFromCounts } from '../stats/wasserstein.ts';
import { aspectsOf, type ColumnCounts, type Scaled, scaledEffect } from './aspects.ts';
import type { BinnedColumn, BinnedSide } from './binned-column.ts';
import { nullCounts } from './block-counts.ts';
import {
  asksCramerVonMises,
  type ClassicalStatistics,
  noStatistics,
  overDeciles,
  toldCramerVonMises,
} from './classical.ts';
import { coarseCounts } from './coarse-counts.ts';
import { type Ends, farEnds, placesWithin } from './far-values.ts';
import { drawnEdges, numericHistogram, sharesWithin } from './histogram.ts';
import type { Measured } from './measure.ts';
import { type ClassicalRules, floorOf, type MonitoringPolicy } from './policy.ts';
import { numericSegments } from './segments.ts';
import type { TablePair } from './tables.ts';

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
  const statistics =
    byDecile === null ? noStatistics : binnedStatistics(column, { below, byDecile, rules: policy.classical });
  const ends = both
    ? farEnds({
        reference: {
          quantiles: (shares) => shares.map((p) => quantile(below[0], p)),
          below: (x) => (below[0][countBelow(positions, x) - 1] ?? 0) / reference.n,
        },
        ...{ least: positions[0] as number, most: positions.at(-1) as number },
        shift: floorOf(policy, name).shift ?? 0,
      })
    : null;
  const counts: ColumnCounts = {
    name,
    ...coarseCounts(column, ends),
    nulls: nullCounts(column, pair),
    unseen: null,
    ...(ends === null
      ? { ...scaledEffect(reference.sd ?? 0, statistics.wasserstein), parted: null }
      : withinEnds(column, ends)),
  };
  const { parted } = counts;
  const atShare = (p: number) =>
    sharesWithin(parted, p).flatMap((share, i) =>
      share === null ? [] : [quantile(below[i] as Float64Array, share)],
    );
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
    candidates: aspectsOf(counts, { pair, policy }),
    parted,
    histogram: both ? numericHistogram(edges, count(edges.subarray(1, -1))) : null,
    segments: byDecile === null ? [] : numericSegments(name, deciles, byDecile),
    unseen: null,
  };
}

/** Of the bins within the ends. */
function withinEnds(
  { positions, reference, current }: BinnedColumn,
  ends: Ends,
): Scaled & Pick<ColumnCounts, 'parted'> {
  const [from, until] = placesWithin(positions, ends);
  const values = positions.subarray(from, until);
  const side = ({ counts, n }: BinnedSide) => {
    const own = counts.subarray(from, until);
    const [below, rows] = [rowTotal(counts, 0, from), rowTotal(own, 0, own.length)];
    const mean =
      rows === 0 ? null : own.reduce((sum, count, i) => sum + (count / rows) * (values[i] as number), 0);
    return { counts: own, told: { below: below / n, above: (n - below - rows) / n, mean_within: mean } };
  };
  const [before, after] = [side(reference), side(current)];
  const raw = wassersteinFromCounts({ values, first: before.counts, second: after.counts });
  return {
    ...scaledEffect(standardDeviation(values, before.counts), raw),
    parted: { ends, far: { reference: before.told, current: after.told } },
  };
}

/** Of the reference and of the current rows. */
type Sides = [Float64Array, Float64Array];

function binnedStatistics(
  { positions, reference, current }: BinnedColumn,
  { below, byDecile, rules }: { below: Sides; byDecile: Sides; rules: ClassicalRules },
): ClassicalStatistics {
  const sides = { first: reference.counts, second: current.counts };
  const raw = wassersteinFromCounts({ values: positions, ...sides });
  const distance = isUndefined(raw) ? null : raw;
  const ks = ksPValue(largestGap(below, reference.n, current.n), reference.n, current.n);
  return {
    ...noStatistics,
    ks: { statistic: ks.statistic, p_value: ks.pValue },
    cramer_von_mises: asksCramerVonMises(rules) ? toldCramerVonMises(cramerVonMisesFromCounts(sides)) : null,
    ...overDeciles(...byDecile),
    wasserstein: distance,
    wasserstein_normed: distance === null ? null : normedWasserstein(distance, reference.sd ?? 0),
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
