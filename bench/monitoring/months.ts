import { identifier, type SqlEngine } from '../../src/data/engine.ts';

/** How far a column moved from one month to the next, by plain SQL on rows: shares no code with the decision. */
export interface PlainChange {
  column: string;
  /** Numbers: mean gap of the 99 percentiles in sd of the month before. Texts: half of the summed gaps of shares, in points. */
  effect: number;
  /** Welch's t of the days' means; of texts, of the days' shares of the level whose share moved most. */
  t: number;
  /** What moved: the means, or that level's shares in percent. */
  before: number;
  after: number;
  level: string | null;
}

/** Of `table`, SQL for the rows of two months: `day`, and `later`, true for the second one. */
export async function plainChange(engine: SqlEngine, table: string, column: string): Promise<PlainChange> {
  const name = identifier(column);
  const [type] = await engine.rows(
    `SELECT typeof(${name}) AS type FROM ${table} WHERE ${name} IS NOT NULL LIMIT 1`,
  );
  return type?.type === 'VARCHAR' ? textChange(engine, table, column) : numberChange(engine, table, column);
}

async function numberChange(engine: SqlEngine, table: string, column: string): Promise<PlainChange> {
  const name = identifier(column);
  const levels = `[${Array.from({ length: 99 }, (_, i) => (i + 1) / 100).join(', ')}]`;
  const [row] = await engine.rows(
    `WITH sides AS (SELECT later, quantile_cont(${name}, ${levels}) AS q, avg(${name}) AS mean, stddev_pop(${name}) AS sd
                    FROM ${table} GROUP BY later),
          gaps AS (SELECT unnest(b.q) - unnest(a.q) AS gap FROM sides a, sides b WHERE NOT a.later AND b.later)
     SELECT (SELECT avg(abs(gap)) FROM gaps) / a.sd AS effect, a.mean AS before, b.mean AS after, (${welch(`avg(${name})`, table)}) AS t
     FROM sides a, sides b WHERE NOT a.later AND b.later`,
  );
  return { column, level: null, ...numbers(row) };
}

async function textChange(engine: SqlEngine, table: string, column: string): Promise<PlainChange> {
  const name = identifier(column);
  const [most] = await engine.rows(
    `WITH shares AS (SELECT ${name} AS level,
            100 * count(*) FILTER (NOT later) / (SELECT count(${name}) FROM ${table} WHERE NOT later) AS before,
            100 * count(*) FILTER (later) / (SELECT count(${name}) FROM ${table} WHERE later) AS after
          FROM ${table} WHERE ${name} IS NOT NULL GROUP BY 1)
     SELECT level, before, after, (SELECT sum(abs(after - before)) / 2 FROM shares) AS effect
     FROM shares ORDER BY abs(after - before) DESC, level LIMIT 1`,
  );
  const level = String(most?.level);
  const literal = `'${level.replaceAll("'", "''")}'`;
  const [row] = await engine.rows(
    `SELECT (${welch(`avg(CASE WHEN ${name} = ${literal} THEN 1 ELSE 0 END)`, table)}) AS t`,
  );
  return { column, level, ...numbers({ ...most, ...row }) };
}

function welch(daily: string, table: string): string {
  return `WITH days AS (SELECT later, day, ${daily} AS x FROM ${table} GROUP BY later, day)
    SELECT (avg(x) FILTER (later) - avg(x) FILTER (NOT later))
      / sqrt(var_samp(x) FILTER (later) / count(x) FILTER (later) + var_samp(x) FILTER (NOT later) / count(x) FILTER (NOT later))
    FROM days`;
}

function numbers(row: Record<string, unknown> | undefined): Omit<PlainChange, 'column' | 'level'> {
  const of = (key: string) => Number(row?.[key] ?? Number.NaN);
  return { effect: of('effect'), t: of('t'), before: of('before'), after: of('after') };
}
