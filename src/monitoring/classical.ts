import { bucketedDistances } from '../stats/bucketed-distances.ts';
import { chiSquareTest, twoSampleTable } from '../stats/contingency.ts';
import {
  binnedDivergence,
  floorShares,
  jsDistance,
  klDivergence,
  psi,
  toShares,
  totalVariation,
} from '../stats/divergence.ts';
import { ksPValue } from '../stats/ks.ts';
import { innerEdges, quantileShares } from '../stats/quantile-bins.ts';
import { isUndefined } from '../stats/undefined.ts';
import { normedWasserstein } from '../stats/wasserstein.ts';
import type { ColumnData } from './column-data.ts';
import type { ClassicalRules } from './policy.ts';

/** The textbook statistics of one column; null where one does not exist for its kind or for want of rows. */
export interface ClassicalStatistics {
  ks: { statistic: number; p_value: number } | null;
  chi_square: { statistic: number; dof: number; p_value: number } | null;
  psi: number | null;
  js_distance: number | null;
  kl: number | null;
  wasserstein: number | null;
  wasserstein_normed: number | null;
  total_variation: number | null;
}

/** Where nothing was measured. */
export const noStatistics: ClassicalStatistics = {
  ks: null,
  chi_square: null,
  psi: null,
  js_distance: null,
  kl: null,
  wasserstein: null,
  wasserstein_normed: null,
  total_variation: null,
};

/**
 * Statistics of two columns, nulls left out. KS and Wasserstein are on raw values, chi-square on the levels of
 * both sides; psi, kl and js_distance of a numeric column are on the reference's deciles (see docs/monitoring.md).
 */
export function classicalStatistics(data: ColumnData): ClassicalStatistics {
  if (data.reference.n === 0 || data.current.n === 0) return noStatistics;
  if (data.kind === 'categorical') {
    const { counts: before } = data.reference;
    const { counts: after } = data.current;
    const test = chiSquareTest(twoSampleTable(before, after));
    const p = toShares(before);
    const q = toShares(after);
    return {
      ...noStatistics,
      chi_square: isUndefined(test)
        ? null
        : { statistic: test.statistic, dof: test.dof, p_value: test.pValue },
      psi: psi(floorShares(p), floorShares(q)),
      kl: klDivergence(floorShares(p), floorShares(q)),
      js_distance: jsDistance(p, q),
      total_variation: totalVariation(p, q),
    };
  }
  const { sample: before } = data.reference;
  const { sample: after } = data.current;
  const raw = bucketedDistances({ first: before, second: after });
  const ks = ksPValue(raw.ks, before.n, after.n);
  const distance = raw.wasserstein;
  const edges = innerEdges(before.quantiles(quantileShares()));
  const [p, q] = [before.countInBins(edges), after.countInBins(edges)];
  const binned = binnedDivergence(p, q);
  const divergence = isUndefined(binned) ? null : binned;
  return {
    ...noStatistics,
    ks: { statistic: ks.statistic, p_value: ks.pValue },
    psi: divergence?.psi ?? null,
    kl: divergence?.kl ?? null,
    js_distance: divergence?.jsDistance ?? null,
    wasserstein: distance,
    wasserstein_normed: normedWasserstein(distance, before.standardDeviation()),
    total_variation: totalVariation(toShares(p), toShares(q)),
  };
}

/** The classical rules that a column breaks, by name, e.g. `psi 0.31 > 0.2`. */
export function brokenRules(statistics: ClassicalStatistics, rules: ClassicalRules): string[] {
  const told: string[] = [];
  const below = (name: string, p: number | undefined, limit: number | undefined) => {
    if (p !== undefined && limit !== undefined && p < limit)
      told.push(`${name} p ${p.toPrecision(3)} < ${limit}`);
  };
  const above = (name: string, value: number | null, limit: number | undefined) => {
    if (value !== null && limit !== undefined && value > limit)
      told.push(`${name} ${value.toPrecision(3)} > ${limit}`);
  };
  below('ks', statistics.ks?.p_value, rules.ks);
  below('chi_square', statistics.chi_square?.p_value, rules.chi_square);
  above('psi', statistics.psi, rules.psi);
  above('kl', statistics.kl, rules.kl);
  return told;
}
