import type { DuckDBDataChunk, DuckDBResult, JS } from '@duckdb/node-api';
import type { ColumnType, ColumnVector, Row, Value } from './engine.ts';

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

/** Result chunks as one vector a column. Integers beyond 2^53 lose precision here: they are numbers. */
export function toColumnVectors(result: DuckDBResult, chunks: DuckDBDataChunk[]): ColumnVector[] {
  const total = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  return result.deduplicatedColumnNames().map((name, index) => {
    const type = columnType(String(result.columnType(index)));
    return type === 'integer' || type === 'number' || type === 'boolean'
      ? numbers({ name, type, index, chunks, total })
      : texts({ name, type, index, chunks, total });
  });
}

interface Request {
  name: string;
  type: ColumnType;
  index: number;
  chunks: DuckDBDataChunk[];
  total: number;
}

function numbers({ name, type, index, chunks, total }: Request): ColumnVector {
  const values = new Float64Array(total);
  const nulls = new Uint8Array(total);
  let row = 0;
  for (const chunk of chunks) {
    const vector = chunk.getColumnVector(index);
    for (let item = 0; item < chunk.rowCount; item++, row++) {
      const value = vector.getItem(item);
      if (value === null) {
        values[row] = Number.NaN;
        nulls[row] = 1;
      } else {
        // a decimal's own Number() is NaN: it is an object with a text form
        values[row] = typeof value === 'object' ? Number(value.toString()) : Number(value);
      }
    }
  }
  return { name, type, values, nulls };
}

function texts({ name, type, index, chunks, total }: Request): ColumnVector {
  const values: (string | null)[] = new Array(total);
  let row = 0;
  for (const chunk of chunks) {
    const vector = chunk.getColumnVector(index);
    for (let item = 0; item < chunk.rowCount; item++, row++) {
      const value = vector.getItem(item);
      values[row] = value === null ? null : toText(value.toString(), type);
    }
  }
  return { name, type, values };
}

/** `2013-01-01 10:00:00` as ISO 8601 in UTC. */
function toText(text: string, type: ColumnType): string {
  if (type !== 'timestamp') return text;
  const parsed = new Date(`${text.replace(' ', 'T').replace(/[+-]00$/, '')}Z`);
  return Number.isNaN(parsed.getTime()) ? text : parsed.toISOString();
}
