import { identifier, type NumberArray, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { BucketMap } from '../stats/bucket-map.ts';
import { fittedMap, type SampleRoom, sampleRoom } from '../stats/bucket-rows.ts';
import { BucketedSample } from '../stats/bucketed-sample.ts';
import { quantileShares } from '../stats/quantile-bins.ts';
import { binShares } from './block-counts.ts';
import type { NumericData, NumericSide } from './column-data.ts';
import { inBlocks, type Section, type Side, type TablePair } from './tables.ts';

/** Values of one side that are read at a time, unless a single column has more: 4 MiB. */
const valuesTogether = 2 ** 19;
/** Blocks are numbered in 16 bits. */
const blockLimit = 2 ** 16;

/** Numeric columns one after the other, read at most `together` at a time; one holds until the next is asked for. */
export async function* readNumeric(
  engine: SqlEngine,
  pair: TablePair,
  { names, together: most }: { names: readonly string[]; together: number },
): AsyncGenerator<NumericData> {
  const rows = Math.max(1, pair.reference.rows, pair.current.rows);
  const together = Math.max(1, Math.min(most, Math.floor(valuesTogether / rows)));
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
