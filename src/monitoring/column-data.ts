import { identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { type SortScratch, sortRows, sortScratch } from '../stats/sort-rows.ts';
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
  block: Uint16Array;
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

/**
 * Reads the columns of both tables, a few at a time: more of them in one query where the tables are small. Values
 * come in batches and are sorted here; no row is an object. The arrays of a numeric column are used again for the
 * next ones: what is yielded holds until the next is asked for.
 */
export async function* readColumns(engine: SqlEngine, pair: TablePair): AsyncGenerator<ColumnData> {
  const rows = Math.max(pair.reference.rows, pair.current.rows);
  const together = Math.max(1, Math.min(columnsTogether, Math.floor(valuesTogether / Math.max(1, rows))));
  const room: { reference: Room[]; current: Room[] } = { reference: [], current: [] };
  let scratch: SortScratch | null = null;
  for (let from = 0; from < pair.columns.length; ) {
    const { kind, name } = pair.columns[from] as ComparedColumn;
    if (kind === 'categorical') {
      yield await readCategorical(engine, pair, name);
      from++;
      continue;
    }
    const group = pair.columns.slice(from, from + together);
    const next = group.findIndex((column) => column.kind !== 'numeric');
    const names = group.slice(0, next < 0 ? group.length : next).map((column) => column.name);
    from += names.length;
    scratch ??= sortScratch(rows);
    const sides = { reference: [] as NumericSide[], current: [] as NumericSide[] };
    for (const which of ['reference', 'current'] as const) {
      const side = pair[which];
      sides[which] = await readValues(engine, { side, block: pair.block, names, room: room[which] });
    }
    for (const [i, column] of names.entries()) {
      const reference = sides.reference[i] as NumericSide;
      const current = sides.current[i] as NumericSide;
      for (const { sorted, block } of [reference, current]) sortRows(sorted, block, scratch);
      yield { kind: 'numeric', name: column, reference, current };
    }
  }
}

/** Arrays for the values of one column of one side. */
interface Room {
  values: Float64Array;
  blocks: Uint16Array;
}

const columnsTogether = 8;
/** Values of one side that are read at a time, unless a single column has more: 8 MiB. */
const valuesTogether = 2 ** 20;
/** Blocks are numbered in 16 bits. */
const blockLimit = 2 ** 16;

async function readCategorical(engine: SqlEngine, pair: TablePair, name: string): Promise<CategoricalData> {
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

/** The finite values of numeric columns with their blocks, not yet sorted. */
async function readValues(
  engine: SqlEngine,
  { side, block, names, room }: { side: Side; block: string; names: readonly string[]; room: Room[] },
): Promise<NumericSide[]> {
  if (side.blocks.length > blockLimit) throw tooManyBlocks(side);
  const columns = names.map((_, i) => {
    room[i] ??= { values: new Float64Array(side.rows), blocks: new Uint16Array(side.rows) };
    const { values, blocks } = room[i];
    return { n: 0, sorted: values, block: blocks, nullsByBlock: Float64Array.from(side.rowsByBlock) };
  });
  // NaN for null: vectors without nulls are read as they lie in memory
  const selected = names.map((name, i) => `coalesce(CAST(${identifier(name)} AS DOUBLE), 'nan') AS "${i}"`);
  const batches = engine.batches(
    `SELECT coalesce(${identifier(block)}, 0) AS b, ${selected.join(', ')} FROM ${side.relation}
     WHERE ${identifier(block)} IS NOT NULL`,
  );
  for await (const [blocks, ...vectors] of batches) {
    const numbers = blocks?.values as Float64Array;
    columns.forEach((column, i) => {
      column.n = append(column, { values: vectors[i]?.values as Float64Array, blocks: numbers });
    });
  }
  return columns.map((column) => ({
    ...column,
    sorted: column.sorted.subarray(0, column.n),
    block: column.block.subarray(0, column.n),
  }));
}

/** Adds a batch's finite values to a column; nulls are NaN. Gives the number of values so far. */
function append(column: NumericSide, batch: { values: Float64Array; blocks: Float64Array }): number {
  const { sorted, block, nullsByBlock } = column;
  const { values, blocks } = batch;
  let { n } = column;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    // NaN and infinities are no numbers less themselves
    if (value - value !== 0) continue;
    const index = blocks[i] as number;
    sorted[n] = value;
    block[n++] = index;
    nullsByBlock[index]!--;
  }
  return n;
}

function tooManyBlocks({ blocks }: Side): UserError {
  return new UserError({
    code: 'usage',
    message: `The rows fall into ${blocks.length} blocks; at most ${blockLimit} can be compared.`,
    where: '--time',
    fix: 'Take weeks as blocks, or a shorter period.',
  });
}

interface LevelCounts {
  total: Map<string, number>;
  cells: { level: string; block: number; n: number }[];
}

async function countLevels(
  engine: SqlEngine,
  { side, block, name }: { side: Side; block: string; name: string },
): Promise<LevelCounts> {
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
