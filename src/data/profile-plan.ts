import type { ColumnBlocks } from './blocks.ts';
import { type Column, identifier, type SqlEngine } from './engine.ts';

/** Bins between the 5 % and the 95 % quantile: at least this many, at most twice as many. */
const bulkBins = 128;
/** Rows from which a bin's width is chosen. */
const sampledRows = 20_000;

/** SQL that is false for NaN and infinities, and for numbers whose squares no double holds. */
export function usable(value: string): string {
  return `abs(${value}) < 1e150`;
}

/** How a column is profiled. */
export interface ColumnPlan {
  column: Column;
  kind: ColumnBlocks['kind'];
  distinct: number;
  /** Numeric columns: bins are 2^exponent wide. */
  exponent: number;
}

/** Two statements for all columns: how many values they have, and how wide their bins are. */
export async function planColumns(
  engine: SqlEngine,
  view: string,
  columns: readonly Column[],
): Promise<ColumnPlan[]> {
  if (columns.length === 0) return [];
  const selected = columns.flatMap((column, index) => {
    const name = identifier(column.name);
    if (kindOf(column) !== 'numeric') return [`count(DISTINCT ${name}) AS d${index}`];
    const value = `CAST(${name} AS DOUBLE)`;
    // numbers are hardly ever few: counting them exactly costs more than all the rest
    return [
      `approx_count_distinct(${name}) AS d${index}`,
      `max(abs(${value})) FILTER (${usable(value)}) AS m${index}`,
    ];
  });
  const [row] = await engine.rows(`SELECT ${selected.join(', ')} FROM ${identifier(view)}`);
  const bulk = await bulks(engine, view, columns);
  return columns.map((column, index) => {
    const most = row?.[`m${index}`];
    return {
      column,
      kind: kindOf(column),
      distinct: Number(row?.[`d${index}`] ?? 0),
      exponent: exponentOf(column, bulk.get(index) ?? 0, typeof most === 'number' ? most : 0),
    };
  });
}

/** So many times wider than between the 10 % and the 90 % quantile, the 5 % and the 95 % one are no bulk. */
const farther = 10;
/** Of a normal distribution: the width between the 5 % and the 95 % quantile by that between the 10 % and the 90 % one. */
const outward = 1.28;

/**
 * Width between the 5 % and the 95 % quantile of numeric columns, by position: from a sample, where rows are many. Where
 * this holds values far outside of the rest (9999 for "not known" in 6 % of the rows), that of the rest; where both
 * quantiles are one value, nearly all rows hold it: twice the median distance of the others from it, so that a single large
 * one does not decide how finely the rest is told apart.
 */
async function bulks(
  engine: SqlEngine,
  view: string,
  columns: readonly Column[],
): Promise<Map<number, number>> {
  const selected = columns.flatMap((column, index) => {
    if (kindOf(column) !== 'numeric') return [];
    const value = `CAST(${identifier(column.name)} AS DOUBLE)`;
    // one aggregate, however often it stands here
    const quantiles = `(quantile_disc(${value}, [0.05, 0.1, 0.9, 0.95]) FILTER (${usable(value)}))`;
    return [
      `${quantiles}[1] AS l${index}`,
      `${quantiles}[4] AS u${index}`,
      `${quantiles}[3] - ${quantiles}[2] AS i${index}`,
    ];
  });
  if (selected.length === 0) return new Map();
  const [row = {}] = await engine.rows(
    `SELECT ${selected.join(', ')} FROM (
       SELECT * FROM ${identifier(view)} USING SAMPLE reservoir(${sampledRows} ROWS) REPEATABLE (1))`,
  );
  const found = columns.flatMap((_, index) => {
    const [low, high, inner] = [row[`l${index}`], row[`u${index}`], row[`i${index}`]];
    if (typeof low !== 'number' || typeof high !== 'number' || typeof inner !== 'number') return [];
    const far = inner > 0 && high - low > farther * inner;
    return [{ index, low, width: far ? outward * inner : high - low }];
  });
  const points = found.filter(({ width }) => width === 0);
  const rest = await widthsBeside(engine, view, { columns, points });
  return new Map(found.map(({ index, width }) => [index, width > 0 ? width : (rest.get(index) ?? 0)]));
}

async function widthsBeside(
  engine: SqlEngine,
  view: string,
  { columns, points }: { columns: readonly Column[]; points: readonly { index: number; low: number }[] },
): Promise<Map<number, number>> {
  if (points.length === 0) return new Map();
  const selected = points.map(({ index }, i) => {
    const value = `CAST(${identifier((columns[index] as Column).name)} AS DOUBLE)`;
    const away = `abs(${value} - $${i + 1})`;
    return `quantile_disc(${away}, 0.5) FILTER (${usable(value)} AND ${value} <> $${i + 1}) AS w${index}`;
  });
  const [row = {}] = await engine.rows(
    `SELECT ${selected.join(', ')} FROM ${identifier(view)}`,
    points.map(({ low }) => low),
  );
  return new Map(
    points.flatMap(({ index }): [number, number][] => {
      const width = row[`w${index}`];
      return typeof width === 'number' ? [[index, 2 * width]] : [];
    }),
  );
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
