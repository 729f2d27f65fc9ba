import { UserError } from '../errors.ts';
import type { Blocks, ColumnBlocks } from './blocks.ts';
import { type Column, identifier, type SqlEngine } from './engine.ts';
import { columnBlocks } from './profile-column.ts';
import { planColumns } from './profile-plan.ts';
import { timeExpression } from './time.ts';

const maximumColumns = 2000;

export interface ProfileRequest {
  engine: SqlEngine;
  /** A view or table. */
  view: string;
  /** The column of event time; null: the whole table is one block. */
  time: string | null;
}

/**
 * Profiles a table once: two statements for the bins' widths, one for the days, and one a column for its counts and
 * moments by day and bin. With one thread, equal tables give equal bytes.
 */
export async function computeBlocks({ engine, view, time }: ProfileRequest): Promise<Blocks> {
  const columns = (await engine.describe(`SELECT * FROM ${identifier(view)}`)).slice(0, maximumColumns);
  const timeColumn = columns.find((column) => column.name === time);
  const day = timeColumn === undefined ? 'CAST(NULL AS DATE)' : `CAST(${timeExpression(timeColumn)} AS DATE)`;
  if (timeColumn !== undefined) await requireTimes(engine, view, timeColumn);
  const plans = await planColumns(engine, view, columns);
  const days = await engine.rows(
    `SELECT strftime(day, '%Y-%m-%d') AS day, n
     FROM (SELECT ${day} AS day, count(*) AS n FROM ${identifier(view)} GROUP BY 1) ORDER BY 1 NULLS FIRST`,
  );
  const blocks = days.map((row) => ({ day: row.day === null ? null : String(row.day), rows: Number(row.n) }));
  const measured: ColumnBlocks[] = [];
  for (const each of plans) measured.push(await columnBlocks(engine, each, { view, day, blocks }));
  return {
    schema: 'modelgate.blocks/1',
    time: timeColumn === undefined ? null : timeColumn.name,
    rows: blocks.reduce((sum, block) => sum + block.rows, 0),
    blocks,
    columns: measured,
  };
}

/** Throws `data_unreadable` for a column that holds no times, before a cast of it fails among all the others. */
async function requireTimes(engine: SqlEngine, view: string, column: Column): Promise<void> {
  if (column.type === 'timestamp' || column.type === 'date') return;
  const name = identifier(column.name);
  const wrong =
    column.type === 'string'
      ? (
          await engine.rows(
            `SELECT ${name} AS text FROM ${identifier(view)}
             WHERE ${name} IS NOT NULL AND TRY_CAST(${name} AS TIMESTAMPTZ) IS NULL LIMIT 1`,
          )
        )[0]
      : { text: column.physicalType };
  if (wrong === undefined) return;
  throw new UserError({
    code: 'data_unreadable',
    message: `The column ${JSON.stringify(column.name)} holds no times: ${JSON.stringify(String(wrong.text).slice(0, 80))}.`,
    where: column.name,
    fix: 'Name a column of timestamps, or of ISO 8601 texts, as the time.',
  });
}
