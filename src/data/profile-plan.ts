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

/** Of each column. */
const shares = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;
/** Places in `shares` between which half of the rows lie. */
const half = 5;
/** What begins so many widths of the rest away from it is no part of the bulk. */
const farther = 10;

/**
 * Width between the first and the last of the quantiles at `shares`; where some of the rows lie far outside of the rest
 * (9999 for "not known" in a third of them, or another unit), that of the rest: of the narrowest half and what follows
 * it without a gap.
 */
export function bulkWidth(quantiles: readonly number[]): number {
  const last = quantiles.length - 1;
  const width = (from: number, until: number) => (quantiles[until] as number) - (quantiles[from] as number);
  const starts = [...quantiles.slice(half).keys()];
  const narrowest = starts.reduce((best, at) =>
    width(at, at + half) < width(best, best + half) ? at : best,
  );
  let [from, until] = [narrowest, narrowest + half];
  // half of the rows are one value
  if (width(from, until) === 0) [from, until] = [1, last - 1];
  if (width(from, until) === 0) return width(0, last);
  while (from > 0 || until < last) {
    const below = from > 0 ? width(from - 1, from) : Number.POSITIVE_INFINITY;
    const above = until < last ? width(until, until + 1) : Number.POSITIVE_INFINITY;
    if (Math.min(below, above) > farther * width(from, until)) break;
    if (below <= above) from--;
    else until++;
  }
  return width(from, until);
}

/**
 * `bulkWidth` of numeric columns, by position: from a sample, where rows are many. Where the 5 % and the 95 % quantile
 * are one value, nearly all rows hold it: twice the median distance of the others from it, so that a single large one
 * does not decide how finely the rest is told apart.
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
    const quantiles = `(quantile_disc(${value}, [${shares.join(', ')}]) FILTER (${usable(value)}))`;
    return shares.map((_, i) => `${quantiles}[${i + 1}] AS q${index}_${i}`);
  });
  if (selected.length === 0) return new Map();
  const [row = {}] = await engine.rows(
    `SELECT ${selected.join(', ')} FROM (
       SELECT * FROM ${identifier(view)} USING SAMPLE reservoir(${sampledRows} ROWS) REPEATABLE (1))`,
  );
  const found = columns.flatMap((_, index) => {
    const quantiles = shares.map((_, i) => row[`q${index}_${i}`]).filter((one) => typeof one === 'number');
    const [low] = quantiles;
    if (low === undefined || quantiles.length < shares.length) return [];
    return [{ index, low, width: bulkWidth(quantiles) }];
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
