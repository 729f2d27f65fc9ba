import { identifier, type SqlEngine } from '../data/engine.ts';
import type { ComparedColumn, Side, TablePair } from './tables.ts';

/** Null rows (nulls, NaN and infinities) per block; the rest of the rows has values. */
interface SideBase {
  /** Rows with a value. */
  n: number;
  nullsByBlock: Float64Array;
}

export interface NumericSide extends SideBase {
  /** Finite values, ascending. */
  sorted: Float64Array;
  /** Index of the block of each value. */
  block: Int32Array;
}

export interface CategoricalSide extends SideBase {
  /** Rows per level; the order of `levels`. */
  counts: Float64Array;
  /** blocks × levels, row by row. */
  byBlock: Float64Array;
}

export interface NumericData {
  kind: 'numeric';
  name: string;
  reference: NumericSide;
  current: NumericSide;
}

export interface CategoricalData {
  kind: 'categorical';
  name: string;
  /** Levels of both sides, the most frequent of the reference first. */
  levels: string[];
  reference: CategoricalSide;
  current: CategoricalSide;
}

export type ColumnData = NumericData | CategoricalData;

/** Reads one column of both tables: a table's columns are never in memory together. */
export async function readColumn(
  engine: SqlEngine,
  pair: TablePair,
  column: ComparedColumn,
): Promise<ColumnData> {
  const { name } = column;
  if (column.kind === 'numeric') {
    return {
      kind: 'numeric',
      name,
      reference: await readNumeric(engine, { side: pair.reference, block: pair.block, name }),
      current: await readNumeric(engine, { side: pair.current, block: pair.block, name }),
    };
  }
  const before = await countLevels(engine, { side: pair.reference, block: pair.block, name });
  const after = await countLevels(engine, { side: pair.current, block: pair.block, name });
  const total = (counts: LevelCounts, level: string) => counts.total.get(level) ?? 0;
  const levels = [...new Set([...before.total.keys(), ...after.total.keys()])].sort(
    (a, b) => total(before, b) - total(before, a) || total(after, b) - total(after, a) || (a < b ? -1 : 1),
  );
  return {
    kind: 'categorical',
    name,
    levels,
    reference: categoricalSide(before, pair.reference, levels),
    current: categoricalSide(after, pair.current, levels),
  };
}

interface Request {
  side: Side;
  block: string;
  name: string;
}

async function readNumeric(engine: SqlEngine, { side, block, name }: Request): Promise<NumericSide> {
  const value = `CAST(${identifier(name)} AS DOUBLE)`;
  const [values, blocks] = await engine.columns(
    `SELECT ${value} AS v, ${identifier(block)} AS b FROM ${side.relation}
     WHERE ${identifier(block)} IS NOT NULL AND ${identifier(name)} IS NOT NULL AND isfinite(${value}) ORDER BY v`,
  );
  const sorted = values?.values as Float64Array;
  const indexes = Int32Array.from(blocks?.values as Float64Array);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  for (const index of indexes) nullsByBlock[index] = (nullsByBlock[index] as number) - 1;
  return { n: sorted.length, sorted, block: indexes, nullsByBlock };
}

interface LevelCounts {
  total: Map<string, number>;
  cells: { level: string; block: number; n: number }[];
}

async function countLevels(engine: SqlEngine, { side, block, name }: Request): Promise<LevelCounts> {
  const rows = await engine.rows(
    `SELECT CAST(${identifier(name)} AS VARCHAR) AS v, ${identifier(block)} AS b, CAST(count(*) AS DOUBLE) AS n
     FROM ${side.relation} WHERE ${identifier(block)} IS NOT NULL AND ${identifier(name)} IS NOT NULL GROUP BY ALL`,
  );
  const total = new Map<string, number>();
  const cells = rows.map((row) => ({ level: String(row.v), block: Number(row.b), n: Number(row.n) }));
  for (const cell of cells) total.set(cell.level, (total.get(cell.level) ?? 0) + cell.n);
  return { total, cells };
}

function categoricalSide(counts: LevelCounts, side: Side, levels: readonly string[]): CategoricalSide {
  const levelIndex = new Map(levels.map((level, i) => [level, i]));
  const byBlock = new Float64Array(side.blocks.length * levels.length);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  let n = 0;
  for (const cell of counts.cells) {
    const { block } = cell;
    byBlock[block * levels.length + (levelIndex.get(cell.level) as number)] = cell.n;
    nullsByBlock[block] = (nullsByBlock[block] as number) - cell.n;
    n += cell.n;
  }
  return {
    n,
    counts: Float64Array.from(levels, (level) => counts.total.get(level) ?? 0),
    byBlock,
    nullsByBlock,
  };
}
