import type { Verdict } from '../outcome.ts';
import { binomialSf } from '../stats/discrete.ts';

/** Rows of the evaluation set that equal training rows, and how often training rows equal one another. */
export interface EqualRows {
  /** Rows of the evaluation set equal to a training row in all columns but key and time. */
  exact: number;
  /** Of these, those equal in key and time too. */
  identical: number;
  rows: number;
  /** Training rows that equal another training row under another key. */
  repeated: number;
  train_rows: number;
}

const level = 0.01;

/**
 * Whether equal rows are a leak or the nature of the data. Where columns hold few values, rows of different keys are
 * equal by nature, and the share of training rows that equal another one estimates how often: it is the coverage of
 * Good and Turing, 1 − (values seen once) / rows. Given the sum of both counts, chance deals the evaluation's part by
 * a binomial law over the two tables' rows.
 *
 * pass: no row is equal, or no more than nature explains at level 0.01. fail: the same row with its key; any equal row
 * where no two training rows are equal; or more than nature explains, and at least twice its share. Else
 * inconclusive.
 *
 * Source: Good (1953), "The population frequencies of species and the estimation of population parameters".
 */
export function judgeEqualRows({ exact, identical, rows, repeated, train_rows }: EqualRows): Verdict {
  if (exact === 0) return 'pass';
  if (identical > 0 || repeated === 0) return 'fail';
  const p = binomialSf(exact - 1, { n: exact + repeated, p: rows / (rows + train_rows) });
  if (p > level) return 'pass';
  return exact / rows >= (2 * repeated) / train_rows ? 'fail' : 'inconclusive';
}

/** Rows of the evaluation set that equal a training row by nature, if they do as often as training rows do. */
export const expectedByNature = ({ rows, repeated, train_rows }: EqualRows): number =>
  train_rows === 0 ? 0 : (rows * repeated) / train_rows;
