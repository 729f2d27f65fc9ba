import type {
  DuckDBDataChunk,
  DuckDBMaterializedResult,
  DuckDBResult,
  DuckDBVector,
  JS,
} from '@duckdb/node-api';
import type { Bindings } from './duckdb-library.ts';
import type { ColumnType, ColumnVector, NumberArray, Row, Value } from './engine.ts';

/** DuckDB's type names in the engine's words. */
export function columnType(physicalType: string): ColumnType {
  const name = physicalType.toUpperCase();
  if (/[[(]/.test(name) && !name.startsWith('DECIMAL(') && !name.startsWith('ENUM(')) return 'other';
  if (name === 'BOOLEAN') return 'boolean';
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(name)) return 'integer';
  if (name === 'FLOAT' || name === 'DOUBLE' || name.startsWith('DECIMAL(')) return 'number';
  if (name === 'VARCHAR' || name === 'UUID' || name.startsWith('ENUM(')) return 'string';
  if (name.startsWith('TIMESTAMP')) return 'timestamp';
  return name === 'DATE' ? 'date' : 'other';
}

export function toRow(row: Record<string, JS>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toValue(value)]));
}

/** A timestamp or date becomes ISO text, an integer a number while it is exact, a nested value JSON text. */
function toValue(value: JS): Value {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number'
  ) {
    return value;
  }
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? Number(part) : part));
}

/**
 * Reads chunks of a result as one vector a column. Integers beyond 2^53 lose precision here: they are numbers.
 * Chunks know their sizes only by a call into the engine each time: they are asked once. With `reuse`, vectors of
 * numbers hold until the next are read: a new array for each costs more than what is done with it.
 */
export function columnReader(
  result: DuckDBResult,
  { reuse = false } = {},
): (chunks: readonly DuckDBDataChunk[]) => ColumnVector[] {
  const columns = result.deduplicatedColumnNames().map((name, index) => {
    const type = columnType(String(result.columnType(index)));
    const numeric = type === 'integer' || type === 'number' || type === 'boolean';
    return { name, type, index, numeric, room: numbersRoom(0) };
  });
  return (chunks) => {
    const sizes = chunks.map((chunk) => chunk.rowCount);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    return columns.map((column) => {
      const { name, type, index, numeric } = column;
      const parts = chunks.map((chunk, i) => ({
        vector: chunk.getColumnVector(index),
        size: sizes[i] as number,
      }));
      if (!numeric) return { name, type, values: texts(parts, type) };
      if (!reuse || column.room.values.length < total) column.room = numbersRoom(total);
      return { name, type, ...numbers(parts, total, column.room) };
    });
  };
}

/**
 * Copies a result of numbers that the engine holds into arrays, from a row on, and gives the number of its rows. The
 * library asks for a vector's type each time, which takes as long as copying it: it is known of the whole column.
 */
export function copyNumbers(
  result: DuckDBMaterializedResult,
  bindings: Bindings,
  { arrays, from }: { arrays: readonly NumberArray[]; from: number },
): number {
  const chunks = result.chunkCount;
  const kinds = arrays.map((_, column) => plainKinds.get(String(result.columnType(column))));
  let row = from;
  for (let i = 0; i < chunks; i++) {
    const chunk = result.getChunk(i);
    const size = chunk.rowCount;
    for (const [column, values] of arrays.entries()) {
      const kind = kinds[column];
      const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
      // none where no value is null
      const validity: Uint8Array | null = bindings.vector_get_validity(vector, 8 * Math.ceil(size / 64));
      if (kind === undefined || validity !== null) {
        copyPart({ vector: chunk.getColumnVector(column), size }, values, row);
        continue;
      }
      const { buffer, byteOffset } = bindings.vector_get_data(vector, size * kind.BYTES_PER_ELEMENT);
      values.set(new kind(buffer as ArrayBuffer, byteOffset, size), row);
    }
    row += size;
  }
  return row - from;
}

/** How numbers of a type lie in the engine's memory. */
const plainKinds = new Map<string, Float64ArrayConstructor | Int32ArrayConstructor>([
  ['DOUBLE', Float64Array],
  ['INTEGER', Int32Array],
]);

interface Part {
  vector: DuckDBVector;
  size: number;
}

interface Numbers {
  values: Float64Array;
  nulls: Uint8Array;
}

const numbersRoom = (rows: number): Numbers => ({
  values: new Float64Array(rows),
  nulls: new Uint8Array(rows),
});

function numbers(parts: readonly Part[], total: number, room: Numbers): Numbers {
  const values = room.values.subarray(0, total);
  const nulls = room.nulls.subarray(0, total).fill(0);
  let row = 0;
  for (const part of parts) {
    copyPart(part, values, row, nulls);
    row += part.size;
  }
  return { values, nulls };
}

function copyPart({ vector, size }: Part, values: NumberArray, row: number, nulls?: Uint8Array): void {
  const whole = plainNumbers(vector);
  if (whole !== null) {
    values.set(whole, row);
    return;
  }
  for (let item = 0; item < size; item++) {
    const value = vector.getItem(item);
    if (typeof value === 'number') values[row + item] = value;
    else if (value === null) {
      values[row + item] = Number.NaN;
      if (nulls !== undefined) nulls[row + item] = 1;
    } else {
      // a decimal's own Number() is NaN: it is an object with a text form
      values[row + item] = typeof value === 'object' ? Number(value.toString()) : Number(value);
    }
  }
}

type Plain = Float64Array | Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array;
const plainArrays = [Float64Array, Float32Array, Int32Array, Uint32Array, Int16Array, Uint16Array];

/**
 * The numbers of a vector without nulls, as they lie in the engine's memory; null where there are nulls or it holds
 * something else. The library keeps them to itself, and one call a value costs more than all that is done with it.
 */
function plainNumbers(vector: DuckDBVector): Plain | null {
  const { items, validity } = vector as unknown as { items?: unknown; validity?: { data?: unknown } };
  if (validity?.data !== null) return null;
  return plainArrays.some((kind) => items instanceof kind) ? (items as Plain) : null;
}

function texts(parts: readonly Part[], type: ColumnType): (string | null)[] {
  const values: (string | null)[] = [];
  for (const { vector, size } of parts) {
    for (let item = 0; item < size; item++) {
      const value = vector.getItem(item);
      values.push(value === null ? null : toText(value.toString(), type));
    }
  }
  return values;
}

/** `2013-01-01 10:00:00` as ISO 8601 in UTC. */
function toText(text: string, type: ColumnType): string {
  if (type !== 'timestamp') return text;
  const parsed = new Date(`${text.replace(' ', 'T').replace(/[+-]00$/, '')}Z`);
  return Number.isNaN(parsed.getTime()) ? text : parsed.toISOString();
}
