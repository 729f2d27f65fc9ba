import { bucketedDistances } from '../stats/bucketed-distances.ts';
import { type ContingencyResult, chiSquareTest, gTest, twoSampleTable } from '../stats/contingency.ts';
import { type CramerVonMisesResult, cramerVonMisesSorted } from '../stats/cramer-von-mises.ts';
import {
  binnedDivergence,
  floorShares,
  hellinger,
  jsDistance,
  klDivergence,
  lInfinity,
  psi,
  toShares,
  totalVariation,
} from '../stats/divergence.ts';
import { ksPValue } from '../stats/ks.ts';
import { innerEdges, quantileShares } from '../stats/quantile-bins.ts';
import { isUndefined, type Undefined } from '../stats/undefined.ts';
import { normedWasserstein } from '../stats/wasserstein.ts';
import type { CategoricalData, ColumnData, NumericData } from './column-data.ts';
import type { DriftColumn } from './drift-report.ts';
import type { ClassicalRules } from './policy.ts';

/** The textbook statistics of one column; null where one does not exist for its kind or for want of rows. */
export type ClassicalStatistics = Pick<
  DriftColumn,
  | 'ks'
  | 'cramer_von_mises'
  | 'chi_square'
  | 'g'
  | 'psi'
  | 'kl'
  | 'js_distance'
  | 'hellinger'
  | 'total_variation'
  | 'l_infinity'
  | 'wasserstein'
  | 'wasserstein_normed'
>;

/** Where nothing was measured. */
export const noStatistics: ClassicalStatistics = {
  ks: null,
  cramer_von_mises: null,
  chi_square: null,
  g: null,
  psi: null,
  kl: null,
  js_distance: null,
  hellinger: null,
  total_variation: null,
  l_infinity: null,
  wasserstein: null,
  wasserstein_normed: null,
};

/**
 * Statistics of two columns, nulls left out. KS, Cramér-von Mises and Wasserstein are on raw values, chi-square and G
 * on the levels of both sides; the distances of shares of a numeric column are on the reference's deciles (see
 * docs/monitoring.md). What costs a sort of all rows is measured only where `rules` ask for it.
 */
export function classicalStatistics(data: ColumnData, rules: ClassicalRules): ClassicalStatistics {
  if (data.reference.n === 0 || data.current.n === 0) return noStatistics;
  return data.kind === 'categorical' ? ofLevels(data) : ofNumbers(data, rules);
}

function ofLevels({ reference, current }: CategoricalData): ClassicalStatistics {
  const table = twoSampleTable(reference.counts, current.counts);
  const p = toShares(reference.counts);
  const q = toShares(current.counts);
  return {
    ...noStatistics,
    chi_square: toldTest(chiSquareTest(table)),
    g: toldTest(gTest(table)),
    psi: psi(floorShares(p), floorShares(q)),
    kl: klDivergence(floorShares(p), floorShares(q)),
    js_distance: jsDistance(p, q),
    ...distances(p, q),
  };
}

function ofNumbers(
  { reference: { sample: before }, current: { sample: after } }: NumericData,
  rules: ClassicalRules,
): ClassicalStatistics {
  const raw = bucketedDistances({ first: before, second: after });
  const ks = ksPValue(raw.ks, before.n, after.n);
  const edges = innerEdges(before.quantiles(quantileShares()));
  return {
    ...noStatistics,
    ks: { statistic: ks.statistic, p_value: ks.pValue },
    cramer_von_mises: asksCramerVonMises(rules)
      ? toldCramerVonMises(cramerVonMisesSorted(before.sorted(), after.sorted()))
      : null,
    ...overDeciles(before.countInBins(edges), after.countInBins(edges)),
    wasserstein: raw.wasserstein,
    wasserstein_normed: normedWasserstein(raw.wasserstein, before.standardDeviation()),
  };
}

/** The statistics of a numeric column that compare the rows of both sides between the reference's deciles. */
export function overDeciles(reference: Float64Array, current: Float64Array) {
  const binned = binnedDivergence(reference, current);
  const divergence = isUndefined(binned) ? null : binned;
  return {
    psi: divergence?.psi ?? null,
    kl: divergence?.kl ?? null,
    js_distance: divergence?.jsDistance ?? null,
    ...distances(toShares(reference), toShares(current)),
  };
}

const distances = (p: Float64Array, q: Float64Array) => ({
  hellinger: hellinger(p, q),
  total_variation: totalVariation(p, q),
  l_infinity: lInfinity(p, q),
});

function toldTest(test: ContingencyResult | Undefined): ClassicalStatistics['chi_square'] {
  return isUndefined(test) ? null : { statistic: test.statistic, dof: test.dof, p_value: test.pValue };
}

/** The one statistic of numbers that needs all rows in order. */
export const asksCramerVonMises = (rules: ClassicalRules): boolean => rules.cramer_von_mises !== undefined;

export function toldCramerVonMises(
  test: CramerVonMisesResult | Undefined,
): ClassicalStatistics['cramer_von_mises'] {
  return isUndefined(test) ? null : { statistic: test.statistic, p_value: test.pValue };
}

const byPValue = ['ks', 'cramer_von_mises', 'chi_square', 'g'] as const;
const bySize = [
  'psi',
  'kl',
  'js_distance',
  'hellinger',
  'total_variation',
  'l_infinity',
  'wasserstein_normed',
] as const;

/** The classical rules that a column breaks, by name, e.g. `psi 0.31 > 0.2`. */
export function brokenRules(statistics: ClassicalStatistics, rules: ClassicalRules): string[] {
  const told: string[] = [];
  for (const name of byPValue) {
    const [p, limit] = [statistics[name]?.p_value, rules[name]];
    if (p !== undefined && limit !== undefined && p < limit)
      told.push(`${name} p ${p.toPrecision(3)} < ${limit}`);
  }
  for (const name of bySize) {
    const [size, limit] = [statistics[name], rules[name]];
    if (size !== null && limit !== undefined && size > limit)
      told.push(`${name} ${size.toPrecision(3)} > ${limit}`);
  }
  return told;
}
