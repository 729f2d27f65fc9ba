import { UserError } from '../errors.ts';
import {
  type Blocks,
  type CategoryPart,
  type ColumnBlocks,
  coarsen,
  compareText,
  type NumericColumn,
  type NumericPart,
  type PlainPart,
} from './blocks.ts';
import { type Column, identifier, type Row, type SqlEngine, type Value } from './engine.ts';
import { timeExpression } from './time.ts';

/** Above this number of values, a column's values are not counted one by one (an identifier, free text). */
const maximumCategories = 1000;
/** Above this number of bins in use, bins are made coarser: a heavy tail can use many. */
const maximumBins = 4096;
/** Bins between the 5 % and the 95 % quantile: at least this many, at most twice as many. */
const bulkBins = 128;
const maximumColumns = 2000;

/** False for NaN and infinities, and for numbers whose squares no double holds. */
function usable(value: string): string {
  return `abs(${value}) < 1e150`;
}

export interface ProfileRequest {
  engine: SqlEngine;
  /** A view or table. */
  view: string;
  /** The column of event time; null: the whole table is one block. */
  time: string | null;
}

/**
 * Profiles a table once: two statements, one for the bins' widths and one for all counts by day. With one
 * thread, equal tables give equal bytes.
 */
export async function computeBlocks({ engine, view, time }: ProfileRequest): Promise<Blocks> {
  const columns = (await engine.describe(`SELECT * FROM ${identifier(view)}`)).slice(0, maximumColumns);
  const timeColumn = columns.find((column) => column.name === time);
  const plans = await plan(engine, view, columns);
  const day = timeColumn === undefined ? 'NULL' : `strftime(${timeExpression(timeColumn)}, '%Y-%m-%d')`;
  const selected = plans.flatMap((each, index) => aggregates(each, index));
  if (timeColumn !== undefined) await requireTimes(engine, view, timeColumn);
  const rows = await engine.rows(
    `SELECT ${[`${day} AS day`, 'count(*) AS n', ...selected].join(', ')}
     FROM ${identifier(view)} GROUP BY 1 ORDER BY 1 NULLS FIRST`,
  );
  return {
    schema: 'modelgate.blocks/1',
    time: timeColumn === undefined ? null : timeColumn.name,
    rows: rows.reduce((sum, row) => sum + Number(row.n), 0),
    blocks: rows.map((row) => ({ day: row.day === null ? null : String(row.day), rows: Number(row.n) })),
    columns: plans.map((each, index) => assemble(each, index, rows)),
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

interface Plan {
  column: Column;
  kind: ColumnBlocks['kind'];
  distinct: number;
  exponent: number;
}

async function plan(engine: SqlEngine, view: string, columns: readonly Column[]): Promise<Plan[]> {
  if (columns.length === 0) return [];
  const selected = columns.flatMap((column, index) => {
    const name = identifier(column.name);
    const distinct = `count(DISTINCT ${name}) AS d${index}`;
    if (kindOf(column) !== 'numeric') return [distinct];
    const value = `CAST(${name} AS DOUBLE)`;
    const finite = `FILTER (${usable(value)})`;
    return [
      distinct,
      `quantile_disc(${value}, 0.05) ${finite} AS l${index}`,
      `quantile_disc(${value}, 0.95) ${finite} AS u${index}`,
      `max(abs(${value})) ${finite} AS m${index}`,
    ];
  });
  const [row] = await engine.rows(`SELECT ${selected.join(', ')} FROM ${identifier(view)}`);
  return columns.map((column, index) => {
    const number = (value: Value | undefined) => (typeof value === 'number' ? value : 0);
    const [low, high, most] = [row?.[`l${index}`], row?.[`u${index}`], row?.[`m${index}`]].map(number);
    return {
      column,
      kind: kindOf(column),
      distinct: Number(row?.[`d${index}`] ?? 0),
      exponent: exponentOf(column, (high ?? 0) - (low ?? 0), most ?? 0),
    };
  });
}

function kindOf({ type }: Column): ColumnBlocks['kind'] {
  if (type === 'integer' || type === 'number') return 'numeric';
  return type === 'string' || type === 'boolean' ? 'category' : 'plain';
}

/** The power of two that cuts the bulk into 128 to 256 bins, within what a bin's index can hold exactly. */
function exponentOf(column: Column, bulk: number, largest: number): number {
  const spread = bulk > 0 ? bulk : largest;
  const wanted = spread > 0 && Number.isFinite(spread) ? Math.floor(Math.log2(spread / bulkBins)) : 0;
  const exact = largest > 0 ? Math.ceil(Math.log2(largest)) - 50 : -1000;
  const least = column.type === 'integer' ? 0 : -1000;
  return Math.min(1000, Math.max(wanted, exact, least));
}

/** A column's aggregates, named by its position: its own name never becomes an alias. */
function aggregates({ column, kind, distinct, exponent }: Plan, index: number): string[] {
  const name = identifier(column.name);
  const present = `count(${name}) AS p${index}`;
  if (kind === 'category') {
    return distinct > maximumCategories
      ? [present]
      : [present, `to_json(map_entries(histogram(CAST(${name} AS VARCHAR)))) AS h${index}`];
  }
  if (kind === 'plain') {
    const ordered = column.type === 'timestamp' || column.type === 'date';
    return ordered ? [present, `min(${name}) AS a${index}`, `max(${name}) AS b${index}`] : [present];
  }
  const value = `CAST(${name} AS DOUBLE)`;
  const finite = `FILTER (${usable(value)})`;
  // the filter of an aggregate does not keep its argument from being computed
  const bin = `CASE WHEN ${usable(value)} THEN CAST(floor(${value} / CAST('${2 ** exponent}' AS DOUBLE)) AS BIGINT) END`;
  return [
    present,
    `count(${name}) ${finite} AS f${index}`,
    `min(${value}) ${finite} AS a${index}`,
    `max(${value}) ${finite} AS b${index}`,
    `avg(${value}) ${finite} AS c${index}`,
    `var_pop(${value}) ${finite} AS v${index}`,
    `to_json(map_entries(histogram(${bin}) ${finite})) AS h${index}`,
  ];
}

function assemble(
  { column, kind, distinct, exponent }: Plan,
  index: number,
  rows: readonly Row[],
): ColumnBlocks {
  const base = { ...column, distinct };
  const nulls = (row: Row) => Number(row.n) - Number(row[`p${index}`]);
  if (kind === 'numeric') {
    const parts = rows.map((row) => numericPart(row, index, nulls(row)));
    return bounded({ ...base, kind, exponent, parts });
  }
  if (kind === 'plain') {
    const text = (value: Value | undefined) => (value === null || value === undefined ? null : String(value));
    const parts: PlainPart[] = rows.map((row) => ({
      nulls: nulls(row),
      min: text(row[`a${index}`]),
      max: text(row[`b${index}`]),
    }));
    return { ...base, kind, parts };
  }
  const complete = distinct <= maximumCategories;
  const counts = rows.map((row) =>
    entries(row[`h${index}`]).map(({ key, value }) => [String(key), value] as const),
  );
  const categories = [...new Set(counts.flat().map(([text]) => text))].toSorted(compareText);
  const position = new Map(categories.map((text, at) => [text, at]));
  const parts: CategoryPart[] = rows.map((row, block) => ({
    nulls: nulls(row),
    counts: (counts[block] ?? [])
      .map(([text, n]) => [position.get(text) ?? 0, n] as const)
      .toSorted(([a], [b]) => a - b)
      .flat(),
    other: complete ? 0 : Number(row[`p${index}`]),
  }));
  return { ...base, kind, categories, complete, parts };
}

function numericPart(row: Row, index: number, nulls: number): NumericPart {
  const n = Number(row[`f${index}`]);
  const statistic = (letter: string) => {
    const value = row[`${letter}${index}`];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  const variance = statistic('v');
  return {
    nulls,
    nonfinite: Number(row[`p${index}`]) - n,
    min: statistic('a'),
    max: statistic('b'),
    mean: statistic('c'),
    m2: variance === null ? null : variance * n,
    bins: entries(row[`h${index}`])
      .map(({ key, value }) => [Number(key), value] as const)
      .toSorted(([a], [b]) => a - b)
      .flat(),
  };
}

function entries(json: Value | undefined): { key: unknown; value: number }[] {
  return typeof json === 'string' ? (JSON.parse(json) as { key: unknown; value: number }[]) : [];
}

function bounded(column: NumericColumn): NumericColumn {
  const used = new Set(column.parts.flatMap((part) => part.bins.filter((_value, at) => at % 2 === 0)));
  return used.size <= maximumBins || column.exponent >= 1000
    ? column
    : bounded(coarsen(column, column.exponent + 1));
}
