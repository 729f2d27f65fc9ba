import { addMoments, type Moments, noMoments } from '../stats/moments.ts';
import {
  type Block,
  type CategoryPart,
  type ColumnBlocks,
  coarsen,
  compareText,
  type NumericColumn,
  type NumericPart,
  type PlainPart,
} from './blocks.ts';
import { identifier, type SqlEngine, type Value } from './engine.ts';
import { type ColumnPlan, usable } from './profile-plan.ts';

/** Above this number of values, a column's values are not counted one by one (an identifier, free text). */
const maximumCategories = 1000;
/** Above this number of bins in use, bins are made coarser: a heavy tail can use many. */
const maximumBins = 4096;

/** A table by day, to be counted. */
export interface DailyTable {
  view: string;
  /** SQL for the day of a row. */
  day: string;
  blocks: readonly Block[];
}

/** Counts a column by day: a statement over all rows. */
export function columnBlocks(engine: SqlEngine, plan: ColumnPlan, table: DailyTable): Promise<ColumnBlocks> {
  if (plan.kind === 'numeric') return numericBlocks(engine, plan, table);
  if (plan.kind === 'category' && plan.distinct <= maximumCategories)
    return categoryBlocks(engine, plan, table);
  return plainBlocks(engine, plan, table);
}

/** Runs a statement whose first column is a row's day, and gives its rows by block, the other columns in order. */
async function byDay(engine: SqlEngine, sql: string, blocks: readonly Block[]): Promise<Value[][][]> {
  const columns = await engine.columns(sql);
  const position = new Map(blocks.map(({ day }, block) => [day, block]));
  const grouped: Value[][][] = blocks.map(() => []);
  const [days, ...values] = columns;
  for (let i = 0; i < (days?.values.length ?? 0); i++) {
    const block = position.get((days?.values[i] as string | null) ?? null) as number;
    grouped[block]?.push(
      values.map((column) => (column.nulls?.[i] === 1 ? null : (column.values[i] ?? null))),
    );
  }
  return grouped;
}

async function numericBlocks(
  engine: SqlEngine,
  { column, distinct, exponent }: ColumnPlan,
  { view, day, blocks }: DailyTable,
): Promise<ColumnBlocks> {
  const value = `CAST(${identifier(column.name)} AS DOUBLE)`;
  // + 0: a negative zero is no bin of its own
  const bin = `floor(v / CAST('${2 ** exponent}' AS DOUBLE)) + 0`;
  const groups = await byDay(
    engine,
    `SELECT strftime(day, '%Y-%m-%d') AS day, k, n, filled, mean, n * variance AS m2, least, most FROM (
       SELECT day, ${bin} AS k, CAST(count(*) AS DOUBLE) AS n, CAST(count(raw) AS DOUBLE) AS filled,
         avg(v) AS mean, var_pop(v) AS variance, min(v) AS least, max(v) AS most
       FROM (SELECT day, raw, CASE WHEN ${usable('raw')} THEN raw END AS v
             FROM (SELECT ${day} AS day, ${value} AS raw FROM ${identifier(view)}))
       GROUP BY 1, 2
     ) ORDER BY 1 NULLS FIRST, 2 NULLS FIRST`,
    blocks,
  );
  const parts = groups.map((group): NumericPart => {
    const [without = []] = group.filter(([k]) => k === null);
    const bins = group.filter(([k]) => k !== null) as number[][];
    const nonfinite = Number(without[2] ?? 0);
    return {
      nulls: Number(without[1] ?? 0) - nonfinite,
      nonfinite,
      min: bins[0]?.[5] ?? null,
      max: bins.at(-1)?.[6] ?? null,
      ...pooledMoments(bins),
      bins: bins.flatMap(([k, n]) => [k as number, n as number]),
    };
  });
  return bounded({ ...column, distinct, kind: 'numeric', exponent, parts });
}

/** Of bins as [number, rows, …, mean, sum of squares, …]. */
function pooledMoments(bins: readonly (readonly number[])[]): Pick<NumericPart, 'mean' | 'm2'> {
  const { n, mean, m2 } = bins
    .map(([, n = 0, , mean = 0, m2 = 0]): Moments => ({ n, mean, m2 }))
    .reduce(addMoments, noMoments);
  return n === 0 ? { mean: null, m2: null } : { mean, m2 };
}

async function categoryBlocks(
  engine: SqlEngine,
  { column, distinct }: ColumnPlan,
  { view, day, blocks }: DailyTable,
): Promise<ColumnBlocks> {
  const groups = await byDay(
    engine,
    `SELECT strftime(day, '%Y-%m-%d') AS day, k, n FROM (
       SELECT ${day} AS day, CAST(${identifier(column.name)} AS VARCHAR) AS k, CAST(count(*) AS DOUBLE) AS n
       FROM ${identifier(view)} GROUP BY 1, 2)`,
    blocks,
  );
  const texts = groups.flat().flatMap(([text]) => (text === null ? [] : [String(text)]));
  const categories = [...new Set(texts)].toSorted(compareText);
  const position = new Map(categories.map((text, at) => [text, at]));
  const parts = groups.map((group): CategoryPart => {
    const counts = group.flatMap(([text, n]) =>
      text === null ? [] : [[position.get(String(text)) as number, Number(n)] as const],
    );
    return {
      nulls: Number(group.find(([text]) => text === null)?.[1] ?? 0),
      counts: counts.toSorted(([a], [b]) => a - b).flat(),
      other: 0,
    };
  });
  return { ...column, distinct, kind: 'category', categories, complete: true, parts };
}

/** Values that are not counted one by one: of times the first and the last, of texts how many. */
async function plainBlocks(
  engine: SqlEngine,
  { column, kind, distinct }: ColumnPlan,
  { view, day, blocks }: DailyTable,
): Promise<ColumnBlocks> {
  const name = identifier(column.name);
  const ordered = column.type === 'timestamp' || column.type === 'date';
  const ends = ordered ? `min(${name}) AS a, max(${name}) AS b` : 'NULL AS a, NULL AS b';
  const rows = await engine.rows(
    `SELECT strftime(day, '%Y-%m-%d') AS day, p, a, b FROM (
       SELECT ${day} AS day, count(${name}) AS p, ${ends} FROM ${identifier(view)} GROUP BY 1
     ) ORDER BY 1 NULLS FIRST`,
  );
  const filled = (block: number) => Number(rows[block]?.p);
  if (kind === 'category') {
    const parts = blocks.map(({ rows: n }, block): CategoryPart => {
      return { nulls: n - filled(block), counts: [], other: filled(block) };
    });
    return { ...column, distinct, kind, categories: [], complete: false, parts };
  }
  const text = (value: Value | undefined) => (value === null || value === undefined ? null : String(value));
  const parts = blocks.map(({ rows: n }, block): PlainPart => {
    return { nulls: n - filled(block), min: text(rows[block]?.a), max: text(rows[block]?.b) };
  });
  return { ...column, distinct, kind: 'plain', parts };
}

function bounded(column: NumericColumn): NumericColumn {
  const used = new Set(
    column.parts.flatMap((part) => Array.from(part.bins).filter((_value, at) => at % 2 === 0)),
  );
  return used.size <= maximumBins || column.exponent >= 1000
    ? column
    : bounded(coarsen(column, column.exponent + 1));
}
