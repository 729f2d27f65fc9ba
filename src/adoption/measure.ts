import { type ColumnType, identifier, type SqlEngine, type Value } from '../data/engine.ts';
import { computeBlocks } from '../data/profile.ts';
import { type ColumnSummary, summarize } from '../data/summary.ts';
import { timeExpression } from '../data/time.ts';
import { looksPersonal } from './personal-names.ts';

/** What is known of a column from its rows. */
export interface MeasuredColumn
  extends Pick<
    ColumnSummary,
    'name' | 'type' | 'physicalType' | 'nulls' | 'null_rate' | 'nonfinite' | 'mean' | 'sd'
  > {
  /** Exact. */
  distinct: number;
  /** Numbers only. */
  min: number | null;
  max: number | null;
  /** Texts of few values, with their rows, the most frequent first; null where there are too many. */
  values: readonly (readonly [string, number])[] | null;
  /** Texts: whether nearly all read as a time. */
  time: TimeSpan | null;
  personal: boolean;
}

export interface TimeSpan {
  /** Days with rows, in UTC, as dates. */
  first: string;
  last: string;
  days: number;
  /** The day after which the newest fifth of the rows lies. */
  cut: string;
  /** Rows before `cut`, and days from it on. */
  before: number;
  daysAfter: number;
}

export interface Measured {
  rows: number;
  columns: MeasuredColumn[];
}

const email = '[^@[:space:]]+@[^@[:space:]]+[.][A-Za-z]{2,}';

/** Looks at all rows of a view. Columns of types that a contract cannot name are left as they are. */
export async function measureTable(engine: SqlEngine, view: string): Promise<Measured> {
  const blocks = await computeBlocks({ engine, view, time: null });
  const columns: MeasuredColumn[] = [];
  for (const summary of summarize(blocks)) {
    const { name, type, physicalType, nulls, null_rate, nonfinite, mean, sd } = summary;
    const seen = await look(engine, view, { name, type });
    const numeric = type === 'integer' || type === 'number';
    columns.push({
      ...{ name, type, physicalType, nulls, null_rate, nonfinite, mean, sd },
      distinct: seen.distinct,
      min: numeric && typeof summary.min === 'number' ? summary.min : null,
      max: numeric && typeof summary.max === 'number' ? summary.max : null,
      values: type === 'string' && summary.categories.length > 0 ? summary.categories : null,
      time:
        type === 'timestamp' || type === 'date' || seen.times
          ? await timeSpan(engine, view, timeExpression({ name, type, physicalType }))
          : null,
      personal: looksPersonal(name) || seen.emails,
    });
  }
  return { rows: blocks.rows, columns };
}

async function look(
  engine: SqlEngine,
  view: string,
  { name, type }: { name: string; type: ColumnType },
): Promise<{ distinct: number; emails: boolean; times: boolean }> {
  const column = identifier(name);
  const text = type === 'string';
  const [row] = await engine.rows(
    `SELECT count(DISTINCT ${type === 'other' ? `CAST(${column} AS VARCHAR)` : column}) AS distinct_values,
            count(${column}) AS filled,
            ${text ? `count(*) FILTER (regexp_full_match(${column}, '${email}'))` : '0'} AS emails,
            ${text ? `count(*) FILTER (TRY_CAST(${column} AS TIMESTAMPTZ) IS NOT NULL AND ${column} LIKE '____-__-__%')` : '0'} AS times
     FROM ${identifier(view)}`,
  );
  const filled = Number(row?.filled);
  return {
    distinct: Number(row?.distinct_values),
    emails: filled > 0 && Number(row?.emails) > filled / 2,
    times: filled > 0 && Number(row?.times) === filled,
  };
}

async function timeSpan(engine: SqlEngine, view: string, time: string): Promise<TimeSpan | null> {
  const [row] = await engine.rows(
    `WITH rows AS (SELECT CAST(${time} AS DATE) AS day FROM ${identifier(view)}),
          cuts AS (SELECT quantile_disc(day, 0.8) AS cut FROM rows)
     SELECT strftime(min(day), '%Y-%m-%d') AS first, strftime(max(day), '%Y-%m-%d') AS last,
            strftime(any_value(cut), '%Y-%m-%d') AS cut, count(DISTINCT day) AS days,
            count(*) FILTER (day < cut) AS before, count(DISTINCT day) FILTER (day >= cut) AS days_after
     FROM rows, cuts`,
  );
  const date = (value: Value | undefined) => (typeof value === 'string' ? value : null);
  const [first, last, cut] = [date(row?.first), date(row?.last), date(row?.cut)];
  if (first === null || last === null || cut === null) return null;
  const count = (value: Value | undefined) => Number(value ?? 0);
  return {
    ...{ first, last, cut },
    days: count(row?.days),
    before: count(row?.before),
    daysAfter: count(row?.days_after),
  };
}

/** Rows that are equal to an earlier one in all of these columns. */
export async function repeatedRows(
  engine: SqlEngine,
  view: string,
  columns: readonly string[],
): Promise<number> {
  if (columns.length === 0) return 0;
  const [row] = await engine.rows(
    `SELECT count(*) - count(DISTINCT ROW(${columns.map(identifier).join(', ')})) AS n FROM ${identifier(view)}`,
  );
  return Number(row?.n);
}
