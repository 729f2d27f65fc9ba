import { chiSquareSf } from './distributions.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** Test of independence of an r × c table. */
export interface ContingencyResult {
  readonly statistic: number;
  readonly dof: number;
  readonly pValue: number;
  /** Smallest expected count: below about 5 the p-value is rough. */
  readonly smallestExpected: number;
}

/** A table of counts, rows × columns, row-major: for drift two rows (reference, current), one column a category. */
export interface CountTable {
  readonly counts: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Pearson's χ² = Σ (O − E)² / E without continuity correction, `chi2_contingency(correction=False)`; rows and
 * columns without any count are left out.
 */
export function chiSquareTest(table: CountTable): ContingencyResult | Undefined {
  return test(table, (o, e) => ((o - e) * (o - e)) / e);
}

/** The likelihood ratio G = 2 Σ O ln(O/E), `chi2_contingency(lambda_='log-likelihood', correction=False)`. */
export function gTest(table: CountTable): ContingencyResult | Undefined {
  return test(table, (o, e) => (o > 0 ? 2 * o * Math.log(o / e) : 0));
}

/** The table of two samples' counts over shared categories. */
export function twoSampleTable(first: ArrayLike<number>, second: ArrayLike<number>): CountTable {
  const counts = new Float64Array(first.length * 2);
  counts.set(Float64Array.from(first), 0);
  counts.set(Float64Array.from(second), first.length);
  return { counts, rows: 2, columns: first.length };
}

function test(
  { counts, rows, columns }: CountTable,
  term: (observed: number, expected: number) => number,
): ContingencyResult | Undefined {
  const rowSums = new Float64Array(rows);
  const columnSums = new Float64Array(columns);
  let total = 0;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const count = counts[r * columns + c] as number;
      if (!(count >= 0)) return undefinedBecause('out_of_range', `count ${count}`);
      rowSums[r] = (rowSums[r] as number) + count;
      columnSums[c] = (columnSums[c] as number) + count;
      total += count;
    }
  const usedRows = rowSums.reduce((k, s) => k + (s > 0 ? 1 : 0), 0);
  const usedColumns = columnSums.reduce((k, s) => k + (s > 0 ? 1 : 0), 0);
  if (usedRows < rows) return undefinedBecause('empty', 'a sample has no rows');
  let statistic = 0;
  let smallestExpected = Infinity;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const expected = ((rowSums[r] as number) * (columnSums[c] as number)) / total;
      if (expected === 0) continue;
      smallestExpected = Math.min(smallestExpected, expected);
      statistic += term(counts[r * columns + c] as number, expected);
    }
  statistic = Math.max(0, statistic);
  const dof = (usedRows - 1) * (usedColumns - 1);
  return { statistic, dof, pValue: dof === 0 ? 1 : chiSquareSf(statistic, dof), smallestExpected };
}
