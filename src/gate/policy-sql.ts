import type { SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';

/** A relation that a policy's SQL runs over, and what an author is told of its columns. */
export interface PolicyRows {
  /** A plain name of ours. */
  view: string;
  fix: string;
}

const candidateRows: PolicyRows = {
  view: 'candidate_rows',
  fix: 'It may use key, label, prediction and the columns in features.keep.',
};

/** Whether a policy's SQL is one expression of the wanted type over the candidate's rows, or others. */
export async function checkExpression(
  engine: SqlEngine,
  request: { expression: string; where: string; type: 'number' | 'boolean'; rows?: PolicyRows },
): Promise<void> {
  const { expression, where, type, rows = candidateRows } = request;
  const columns = await runPolicySql(
    () => engine.describe(`SELECT (\n${expression}\n) AS value FROM ${rows.view}`),
    where,
    rows.fix,
  );
  const found = columns[0]?.type ?? 'nothing';
  const right = type === 'boolean' ? found === 'boolean' : ['number', 'integer', 'boolean'].includes(found);
  if (columns.length === 1 && right) return;
  throw new UserError({
    code: 'config_invalid',
    message: `The SQL gives ${columns.length === 1 ? `a ${found}` : `${columns.length} columns`}, but one ${type} a row is needed.`,
    where,
    fix:
      type === 'boolean'
        ? 'Write a condition, e.g. prediction >= 0.'
        : 'Write a number, e.g. CASE WHEN label = 1 AND prediction < 0.5 THEN 100 ELSE 0 END.',
  });
}

/** Runs SQL that a policy brought along: what the engine objects to is the policy's mistake. */
export async function runPolicySql<T>(
  run: () => Promise<T>,
  where: string,
  fix: string = candidateRows.fix,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError({
      code: 'config_invalid',
      message: `The SQL does not run: ${(said ?? '').slice(0, 300)}`,
      where,
      fix,
      cause: error,
    });
  }
}
