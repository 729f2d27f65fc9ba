import { UserError } from '../errors.ts';
import { type FeatureColumn, type FeatureDefinition, readColumns, sqlFailed } from './definition.ts';
import { identifier, type SqlEngine } from './engine.ts';
import { asTimestamp, sqlTimestamp } from './time.ts';

export interface ComputeFeaturesRequest {
  engine: SqlEngine;
  /** Local Parquet file of each source, by name: the tables of the SQL. */
  sources: Record<string, string>;
  /** One SELECT, from the user's file. */
  sql: string;
  definition: FeatureDefinition;
  /** Rows predicted in [from, until) are kept; null is open. Needs `definition.time`. */
  timeFrom?: string | null;
  timeUntil?: string | null;
  /** Name of the table that is made; default `features`. */
  table?: string;
}

export interface FeatureTable {
  /** The table in the engine's session that holds the rows, ordered by time and key. */
  table: string;
  /** In the table's order. */
  columns: FeatureColumn[];
  rows: number;
}

/**
 * Runs the feature SQL over sources: the one way in which features are made, for training, evaluation and the
 * check of what was served. Labels may be null, and nothing is checked but names and types. Throws
 * `feature_sql_failed`, `label_invalid`, `data_unreadable`.
 */
export async function computeFeatures(request: ComputeFeaturesRequest): Promise<FeatureTable> {
  const { engine, sources, definition } = request;
  for (const [name, file] of Object.entries(sources)) {
    await engine.addFile(rawView(name), file, 'parquet');
    await engine.execute(
      `CREATE OR REPLACE VIEW ${identifier(name)} AS SELECT * FROM ${identifier(rawView(name))}`,
    );
  }
  const sql = statement(request.sql);
  const columns = await readColumns(engine, sql, definition);
  const table = request.table ?? 'features';
  await makeTable({
    engine,
    sql,
    columns,
    definition,
    table,
    from: request.timeFrom ?? null,
    until: request.timeUntil ?? null,
  });
  const [counted] = await engine.rows(`SELECT count(*) AS n FROM ${identifier(table)}`);
  return { table, columns, rows: Number(counted?.n) };
}

/** The view with a source's rows as they are; the SQL's own table of that name may show less of them. */
export function rawView(source: string): string {
  return `raw ${source}`;
}

/** The user's SELECT without a closing semicolon, so that it can stand in parentheses. */
export function statement(sql: string): string {
  return sql.replace(/[;\s]+$/, '');
}

export interface MakeTable {
  engine: SqlEngine;
  /** One SELECT that has been checked. */
  sql: string;
  columns: readonly FeatureColumn[];
  definition: FeatureDefinition;
  table: string;
  from: string | null;
  until: string | null;
}

/** Runs the SQL into a table with the file's columns and types, rows by time and key. */
export async function makeTable(request: MakeTable): Promise<void> {
  const { engine, sql, columns, definition, table, from, until } = request;
  const types = new Map((await engine.describe(sql)).map((column) => [column.name, column.physicalType]));
  const selected = columns.map((column) => {
    const name = identifier(column.name);
    if (column.role === 'time') return `${asTimestamp(name, types.get(column.name) ?? 'VARCHAR')} AS ${name}`;
    if (column.role === 'keep' || column.role === 'key') return name;
    return `CAST(${name} AS ${storedType[column.type] ?? 'VARCHAR'}) AS ${name}`;
  });
  const { time } = definition;
  const bounds: string[] = [];
  if (time !== undefined && from !== null)
    bounds.push(`${identifier(time)} >= TIMESTAMP '${sqlTimestamp(from)}'`);
  if (time !== undefined && until !== null)
    bounds.push(`${identifier(time)} < TIMESTAMP '${sqlTimestamp(until)}'`);
  const order = [...(time === undefined ? [] : [time]), definition.key].map(identifier).join(', ');
  const inner = `SELECT ${selected.join(', ')} FROM (\n${sql}\n)`;
  await engine
    .execute(
      `CREATE OR REPLACE TABLE ${identifier(table)} AS SELECT * FROM (${inner})
       ${bounds.length === 0 ? '' : `WHERE ${bounds.join(' AND ')}`} ORDER BY ${order}`,
    )
    .catch((error: unknown) => {
      throw error instanceof UserError ? error : sqlFailed(error);
    });
}

/** One width a type, so that an engine's choice (HUGEINT for a sum) does not reach the model's signature. */
const storedType: Partial<Record<FeatureColumn['type'], string>> = {
  boolean: 'BOOLEAN',
  integer: 'BIGINT',
  number: 'DOUBLE',
  string: 'VARCHAR',
};
