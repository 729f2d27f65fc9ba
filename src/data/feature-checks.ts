import { UserError } from '../errors.ts';
import type { FeatureColumn } from './definition.ts';
import { identifier, type SqlEngine } from './engine.ts';
import type { FeatureTable } from './features.ts';

/** The key stands in every row, once. Throws `feature_sql_failed` with an example. */
export async function checkKey(engine: SqlEngine, { table, columns }: FeatureTable): Promise<void> {
  const key = named(columns, 'key');
  const name = identifier(key);
  const [twice] = await engine.rows(
    `SELECT ${name} AS key, count(*) AS n, count(*) OVER () AS keys FROM ${identifier(table)}
     GROUP BY 1 HAVING count(*) > 1 OR ${name} IS NULL ORDER BY 2 DESC, 1 LIMIT 1`,
  );
  if (twice === undefined) return;
  const what =
    twice.key === null
      ? `is null in ${String(twice.n)} rows`
      : `is not unique: ${String(twice.keys)} values stand in more than one row, ${String(twice.key)} in ${String(twice.n)}`;
  throw new UserError({
    code: 'feature_sql_failed',
    message: `The key ${key} ${what}.`,
    where: `features.sql, column ${key}`,
    fix: 'Make the key name one row: add what tells the rows apart, or look for a join that multiplies them.',
  });
}

/**
 * Gives the number of rows without a label: their outcome is not known, or there was none. Throws `label_invalid`
 * when there is no label at all, when all are the same, or for NaN and infinities.
 */
export async function checkLabel(engine: SqlEngine, { table, columns }: FeatureTable): Promise<number> {
  const label = named(columns, 'label');
  const [name, from] = [identifier(label), identifier(table)];
  const [row] = await engine.rows(
    `SELECT count(*) AS rows, count(${name}) AS labelled, count(DISTINCT ${name}) AS classes, min(${name}) AS least,
            count(*) FILTER (NOT isfinite(CAST(${name} AS DOUBLE))) AS nonfinite
     FROM ${from}`,
  );
  const [rows, labelled, classes] = [Number(row?.rows), Number(row?.labelled), Number(row?.classes)];
  const wrong = (message: string, fix: string) =>
    new UserError({ code: 'label_invalid', message, where: `features.sql, column ${label}`, fix });
  if (labelled === 0) {
    throw wrong(
      `All ${rows} rows have no label ${label}.`,
      'Check the label in the SQL, or wait for the outcomes.',
    );
  }
  if (Number(row?.nonfinite) > 0) {
    throw wrong(
      `The label ${label} is NaN or infinite in ${String(row?.nonfinite)} rows.`,
      'Make it null there: such rows are dropped and counted.',
    );
  }
  if (classes === 1) {
    throw wrong(
      `The label ${label} is ${String(row?.least)} in all ${labelled} rows: there is nothing to learn.`,
      'Take a larger window, or check how the label is made.',
    );
  }
  return rows - labelled;
}

/** Drops the rows without a label. */
export async function dropUnlabelled(engine: SqlEngine, { table, columns }: FeatureTable): Promise<void> {
  await engine.execute(
    `DELETE FROM ${identifier(table)} WHERE ${identifier(named(columns, 'label'))} IS NULL`,
  );
}

export interface FeatureCount {
  name: string;
  nulls: number;
  nan: number;
}

/** Nulls and NaN by feature. Throws `feature_sql_failed` for a feature without any value or with infinities. */
export async function checkValues(
  engine: SqlEngine,
  { table, columns, rows }: FeatureTable,
): Promise<FeatureCount[]> {
  const features = columns.filter((column) => column.role === 'feature');
  const selected = features.flatMap(({ name, type }, index) => {
    const column = identifier(name);
    return [
      `count(*) - count(${column}) AS n${index}`,
      type === 'number' ? `count(*) FILTER (isnan(${column})) AS a${index}` : `0 AS a${index}`,
      type === 'number' ? `count(*) FILTER (isinf(${column})) AS i${index}` : `0 AS i${index}`,
    ];
  });
  const [row = {}] = await engine.rows(`SELECT ${selected.join(', ')} FROM ${identifier(table)}`);
  return features.map(({ name }, index) => {
    const [nulls, nan, infinite] = ['n', 'a', 'i'].map((letter) => Number(row[`${letter}${index}`]));
    if ((nulls ?? 0) + (nan ?? 0) >= rows) {
      throw badFeature(name, `has no value in any of ${rows} rows`, 'Mend its expression, or take it out.');
    }
    if ((infinite ?? 0) > 0) {
      throw badFeature(
        name,
        `is infinite in ${infinite} rows`,
        'Look for a division by zero: nullif(divisor, 0) makes it null.',
      );
    }
    return { name, nulls: nulls ?? 0, nan: nan ?? 0 };
  });
}

function badFeature(name: string, what: string, fix: string): UserError {
  return new UserError({
    code: 'feature_sql_failed',
    message: `The feature ${name} ${what}.`,
    where: `features.sql, column ${name}`,
    fix,
  });
}

function named(columns: readonly FeatureColumn[], role: FeatureColumn['role']): string {
  const found = columns.find((column) => column.role === role);
  if (found === undefined) throw new Error(`no ${role} column`);
  return found.name;
}
