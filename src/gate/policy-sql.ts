import type { SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';

/** Whether a policy's SQL is one expression of the wanted type over the candidate's rows. */
export async function checkExpression(
  engine: SqlEngine,
  { expression, where, type }: { expression: string; where: string; type: 'number' | 'boolean' },
): Promise<void> {
  const columns = await runPolicySql(
    () => engine.describe(`SELECT (\n${expression}\n) AS value FROM candidate_rows`),
    where,
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
export async function runPolicySql<T>(run: () => Promise<T>, where: string): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError({
      code: 'config_invalid',
      message: `The SQL does not run: ${(said ?? '').slice(0, 300)}`,
      where,
      fix: 'It may use key, label, prediction and the columns in features.keep.',
      cause: error,
    });
  }
}
