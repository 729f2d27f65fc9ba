import { identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';

/**
 * Checks that a part of the split can teach: it has rows, no label is missing, both classes occur (0 and 1,
 * or false and true), or for regression every label is a finite number. Gives the number of rows.
 * Throws `data_empty`, `label_invalid`.
 */
export async function requireLabel(request: {
  engine: SqlEngine;
  view: string;
  label: string;
  task: 'classification' | 'regression';
}): Promise<number> {
  const { engine, view, label, task } = request;
  const value = `TRY_CAST(${identifier(label)} AS DOUBLE)`;
  const [found] = await engine.rows(
    `SELECT count(*) AS n, count(${value}) AS valid, count(*) FILTER (${value} = 1) AS positive,
      count(*) FILTER (${value} = 0) AS negative, count(*) FILTER (isfinite(${value})) AS finite
     FROM ${identifier(view)}`,
  );
  const counts = { n: 0, valid: 0, positive: 0, negative: 0, finite: 0, ...found };
  const n = Number(counts.n);
  const valid = Number(counts.valid);
  const [positive, negative] = [Number(counts.positive), Number(counts.negative)];
  if (n === 0) {
    throw new UserError({
      code: 'data_empty',
      message: `The part ${view} has no rows.`,
      where: { key: 'split' },
      fix: 'Take a longer window, or another share for this part.',
    });
  }
  const name = JSON.stringify(label);
  if (valid < n) throw invalid(`${n - valid} of ${n} labels ${name} in ${view} are null or no number`);
  if (task === 'regression') {
    if (Number(counts.finite) < n) throw invalid(`Labels ${name} in ${view} are not finite`);
  } else if (positive + negative < n) {
    throw invalid(`${n - positive - negative} of ${n} labels ${name} in ${view} are neither 0 nor 1`);
  } else if (positive === 0 || negative === 0) {
    throw invalid(
      `All ${n} labels ${name} in ${view} are ${positive === 0 ? 0 : 1}: there is nothing to tell apart`,
    );
  }
  return n;
}

function invalid(message: string): UserError {
  return new UserError({
    code: 'label_invalid',
    message: `${message}.`,
    where: { key: 'features.label' },
    fix: 'Mend the label in the feature SQL, leave rows without one out, or take a longer window.',
  });
}
