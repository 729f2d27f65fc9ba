import { identifier, type NumberArray, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { BucketMap } from '../stats/bucket-map.ts';
import { fittedMap, type SampleRoom, sampleRoom } from '../stats/bucket-rows.ts';
import { BucketedSample } from '../stats/bucketed-sample.ts';
import { quantileShares } from '../stats/quantile-bins.ts';
import { binShares } from './block-counts.ts';
import type { ColumnKind, Side, TablePair } from './tables.ts';

/** Null rows (nulls, NaN and infinities) per block; the rest of the rows has values. */
interface SideBase {
  /** Rows with a value. */
  n: number;
  nullsByBlock: Float64Array;
}

export interface NumericSide extends SideBase {
  /** All rows: what is not finite counts as null. */
  sample: BucketedSample;
  /** Index of the block of each row. */
  block: Uint8Array | Uint16Array;
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
 * Reads the columns of both tables, numbers first, a few at a time: more of them in one query where the tables are
 * small. Values come in batches; no row is an object. The arrays of a numeric column are used again for the next ones:
 * what is yielded holds until the next is asked for.
 */
export async function* readColumns(engine: SqlEngine, pair: TablePair): AsyncGenerator<ColumnData> {
  const named = (kind: ColumnKind) => pair.columns.filter((one) => one.kind === kind).map(({ name }) => name);
  yield* readNumeric(engine, pair, named('numeric'));
  for (const name of named('categorical')) yield await readCategorical(engine, pair, name);
}

async function* readNumeric(
  engine: SqlEngine,
  pair: TablePair,
  names: readonly string[],
): AsyncGenerator<ColumnData> {
  const rows = Math.max(1, pair.reference.rows, pair.current.rows);
  const together = Math.max(1, Math.min(columnsTogether, Math.floor(valuesTogether / rows)));
  const reference = roomOf(pair.reference);
  const current = roomOf(pair.current);
  const { block } = pair;
  try {
    for (let from = 0; from < names.length; from += together) {
      const some = names.slice(from, from + together);
      await readValues(engine, { side: pair.reference, block, names: some, room: reference });
      await readValues(engine, { side: pair.current, block, names: some, room: current });
      for (const [i, name] of some.entries()) {
        const map = fittedMap([reference.columns[i] as Float64Array, current.columns[i] as Float64Array]);
        yield {
          kind: 'numeric',
          name,
          reference: numericSide(sampleOf(reference, i, map), pair.reference, reference.block),
          current: numericSide(sampleOf(current, i, map), pair.current, current.block),
        };
      }
    }
  } finally {
    release(reference);
    release(current);
  }
}

/** Arrays for the rows of one side. */
interface Room {
  block: Uint8Array | Uint16Array;
  /** Blocks need not be read again. */
  hasBlocks: boolean;
  columns: Float64Array[];
  sample: SampleRoom;
}

/** What is asked of every numeric column: its extremes, deciles, the bins of counts by block, the ends of a drawing. */
const quantilesToCome = [0, ...quantileShares(), ...binShares, 0.01, 0.99];

const roomOf = ({ rows, blocks }: Side): Room => ({
  block: blocks.length <= 2 ** 8 ? new Uint8Array(rows) : new Uint16Array(rows),
  // a single one has the number 0
  hasBlocks: blocks.length <= 1,
  columns: [],
  sample: sampleRoom(rows),
});

/** Gives the memory back at once: left to be collected, it would still be there while significance is computed. */
function release({ block, columns, sample }: Room): void {
  for (const { buffer } of [block, ...columns, ...Object.values(sample)]) {
    (buffer as ArrayBuffer).transfer(0);
  }
}

const columnsTogether = 8;
/** Values of one side that are read at a time, unless a single column has more: 4 MiB. */
const valuesTogether = 2 ** 19;
/** Blocks are numbered in 16 bits. */
const blockLimit = 2 ** 16;

async function readCategorical(engine: SqlEngine, pair: TablePair, name: string): Promise<CategoricalData> {
  const before = await countLevels(engine, { side: pair.reference, block: pair.block, name });
  const after = await countLevels(engine, { side: pair.current, block: pair.block, name });
  const levels = levelsByRows(before.total, after.total);
  return {
    kind: 'categorical',
    name,
    levels,
    reference: categoricalSide(before, pair.reference, levels),
    current: categoricalSide(after, pair.current, levels),
  };
}

/** The levels of both sides, the most frequent of the first first. */
export function levelsByRows(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): string[] {
  const rows = (total: ReadonlyMap<string, number>, level: string) => total.get(level) ?? 0;
  return [...new Set([...before.keys(), ...after.keys()])].sort(
    (a, b) => rows(before, b) - rows(before, a) || rows(after, b) - rows(after, a) || (a < b ? -1 : 1),
  );
}

/** Reads the values of numeric columns and the rows' blocks. */
async function readValues(
  engine: SqlEngine,
  { side, block, names, room }: { side: Side; block: string; names: readonly string[]; room: Room },
): Promise<void> {
  if (side.blocks.length > blockLimit) throw tooManyBlocks(side);
  names.forEach((_, i) => {
    room.columns[i] ??= new Float64Array(side.rows);
  });
  // NaN for null: vectors without nulls are read as they lie in memory
  const selected = names.map((name, i) => `coalesce(CAST(${identifier(name)} AS DOUBLE), 'nan') AS "${i}"`);
  if (!room.hasBlocks) selected.push(`coalesce(${identifier(block)}, 0) AS b`);
  const query = (relation: string) =>
    `SELECT ${selected.join(', ')} FROM ${relation} ${inBlocks(side, block)}`;
  const arrays = room.columns.slice(0, names.length);
  await readInto(engine, side, { query, arrays: room.hasBlocks ? arrays : [...arrays, room.block] });
  room.hasBlocks ||= side.ordered === true;
}

/** Reads a side's rows section by section, or in batches where it can't be cut. */
async function readInto(
  engine: SqlEngine,
  side: Side,
  { query, arrays }: { query: (relation: string) => string; arrays: readonly NumberArray[] },
): Promise<void> {
  let row = 0;
  for (const section of side.sections ?? [])
    row += await engine.numbers(query(section), { arrays, from: row });
  if ((side.sections ?? null) === null) {
    for await (const vectors of engine.batches(query(side.relation))) {
      vectors.forEach(({ values }, i) => {
        arrays[i]?.set(values as Float64Array, row);
      });
      row += vectors[0]?.values.length ?? 0;
    }
  }
  if (row !== side.rows) throw new Error(`${side.relation} gave ${row} rows, not ${side.rows}`);
}

function sampleOf({ columns, sample: room }: Room, column: number, map: BucketMap): BucketedSample {
  const sample = new BucketedSample(columns[column] as Float64Array, map, room);
  sample.expect(quantilesToCome);
  return sample;
}

/** Leaves out rows without a block; nothing where there are none, since a filter costs as much as reading a column. */
function inBlocks(side: Side, block: string): string {
  return side.rowsWithoutTime === 0 ? '' : `WHERE ${identifier(block)} IS NOT NULL`;
}

function numericSide(sample: BucketedSample, side: Side, block: NumericSide['block']): NumericSide {
  const nullsByBlock = new Float64Array(side.blocks.length);
  if (sample.n < side.rows) {
    // NaN and infinities are no numbers less themselves
    sample.values.forEach((value, row) => {
      if (value - value !== 0) nullsByBlock[block[row] as number]!++;
    });
  }
  return { n: sample.n, nullsByBlock, sample, block };
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
  const [levels, blocks, counts] = await engine.columns(
    `SELECT CAST(${identifier(name)} AS VARCHAR) AS v, ${identifier(block)} AS b, CAST(count(*) AS DOUBLE) AS n
     FROM ${side.relation} ${inBlocks(side, block)} GROUP BY ALL`,
  );
  const total = new Map<string, number>();
  const cells: LevelCounts['cells'] = [];
  levels?.values.forEach((level, i) => {
    // nulls are left out here: a filter costs more than counting them
    if (typeof level !== 'string') return;
    const [at, n] = [blocks, counts].map((column) => column?.values[i] as number) as [number, number];
    cells.push({ level, block: at, n });
    total.set(level, (total.get(level) ?? 0) + n);
  });
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
