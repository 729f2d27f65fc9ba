import { identifier, type NumberArray, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { BucketMap } from '../stats/bucket-map.ts';
import { fittedMap, type SampleRoom, sampleRoom } from '../stats/bucket-rows.ts';
import { BucketedSample } from '../stats/bucketed-sample.ts';
import { quantileShares } from '../stats/quantile-bins.ts';
import { binShares } from './block-counts.ts';
import type { ColumnKind, Section, Side, TablePair } from './tables.ts';

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
  const categories = named('categorical');
  for (let from = 0; from < categories.length; from += columnsTogether)
    yield* await readCategorical(engine, pair, categories.slice(from, from + columnsTogether));
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
        const [before, after] = [sampleOf(reference, i, map), sampleOf(current, i, map)];
        // psi counts both sides between the reference's deciles
        after.expect(quantileShares(), before);
        yield {
          kind: 'numeric',
          name,
          reference: numericSide(before, pair.reference, reference.block),
          current: numericSide(after, pair.current, current.block),
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
function release({ block, columns, sample: { sorting, ...sample } }: Room): void {
  for (const array of [block, ...columns, ...Object.values(sample), ...Object.values(sorting)]) {
    if (ArrayBuffer.isView(array)) (array.buffer as ArrayBuffer).transfer(0);
  }
}

const columnsTogether = 8;
/** Values of one side that are read at a time, unless a single column has more: 4 MiB. */
const valuesTogether = 2 ** 19;
/** Blocks are numbered in 16 bits. */
const blockLimit = 2 ** 16;

async function readCategorical(
  engine: SqlEngine,
  pair: TablePair,
  names: readonly string[],
): Promise<CategoricalData[]> {
  const { block } = pair;
  const before = await countLevels(engine, { side: pair.reference, block, names });
  const after = await countLevels(engine, { side: pair.current, block, names });
  return names.map((name, i) => {
    const [old, now] = [before[i] as LevelCounts, after[i] as LevelCounts];
    const levels = levelsByRows(old.total, now.total);
    return {
      kind: 'categorical',
      name,
      levels,
      reference: categoricalSide(old, pair.reference, levels),
      current: categoricalSide(now, pair.current, levels),
    };
  });
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
  const columns = room.columns.slice(0, names.length);
  const arrays = room.hasBlocks ? columns : [...columns, room.block];
  const from = room.hasBlocks && side.rowsWithoutTime === 0 ? 'plain' : 'numbered';
  await readInto(engine, side, { query, arrays, from });
  room.hasBlocks ||= side.ordered === true;
}

/** Reads a side's rows section by section, or in batches where it can't be cut. */
async function readInto(
  engine: SqlEngine,
  side: Side,
  {
    query,
    arrays,
    from,
  }: { query: (relation: string) => string; arrays: readonly NumberArray[]; from: keyof Section },
): Promise<void> {
  let row = 0;
  for (const section of side.sections ?? [])
    row += await engine.numbers(query(section[from]), { arrays, from: row });
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

/** Counts the levels of some columns by block in one statement, since a row's block costs as much as its count. */
async function countLevels(
  engine: SqlEngine,
  { side, block, names }: { side: Side; block: string; names: readonly string[] },
): Promise<LevelCounts[]> {
  const quoted = names.map((_, i) => `v${i}`);
  const texts = names.map((name, i) => `CAST(${identifier(name)} AS VARCHAR) AS ${quoted[i]}`);
  // of a group all texts but its own are null; a bit of g says which that is, the last column the lowest
  const [levels, blocks, counts, groups] = await engine.columns(
    `SELECT coalesce(${quoted.join(', ')}) AS v, b, CAST(count(*) AS DOUBLE) AS n,
       CAST(grouping_id(${quoted.join(', ')}) AS DOUBLE) AS g
     FROM (SELECT ${texts.join(', ')}, ${identifier(block)} AS b FROM ${side.relation} ${inBlocks(side, block)})
     GROUP BY GROUPING SETS (${quoted.map((one) => `(${one}, b)`).join(', ')})`,
  );
  const found = names.map((): LevelCounts => ({ total: new Map(), cells: [] }));
  const all = 2 ** names.length - 1;
  levels?.values.forEach((level, i) => {
    // nulls are left out here: a filter costs more than counting them
    if (typeof level !== 'string') return;
    const [at, n, g] = [blocks, counts, groups].map((column) => column?.values[i]) as [
      number,
      number,
      number,
    ];
    const { total, cells } = found[names.length - 1 - Math.log2(all - g)] as LevelCounts;
    cells.push({ level, block: at, n });
    total.set(level, (total.get(level) ?? 0) + n);
  });
  return found;
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
