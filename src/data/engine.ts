/** The SQL types that cross the engine's edge, whatever the engine calls them. */
export type ColumnType = 'boolean' | 'integer' | 'number' | 'string' | 'timestamp' | 'date' | 'other';

export interface Column {
  name: string;
  type: ColumnType;
  /** The engine's or file's own word, e.g. VARCHAR, BIGINT, DOUBLE. */
  physicalType: string;
}

/** A value of a result row. Timestamps are ISO 8601 in UTC; integers beyond 2^53 are strings. */
export type Value = null | boolean | number | string;
export type Row = Record<string, Value>;

/** A result by columns: numbers as Float64Array (null is NaN and marked in `nulls`), others as arrays. */
export interface ColumnVector {
  name: string;
  type: ColumnType;
  values: Float64Array | (string | null)[];
  /** 1 where the value is null; only for Float64Array values. */
  nulls?: Uint8Array;
}

export type NumberArray = Float64Array | Uint8Array | Uint16Array;

/**
 * The port of a SQL engine (DuckDB; Trino can follow). A session is private to one stage: its views and
 * tables are gone when it is closed. External access is off but for the files that were declared.
 */
export interface SqlEngine {
  /** Declares a local Parquet or CSV file as a view. Throws `data_unreadable` for a corrupt one. */
  addFile(view: string, file: string | readonly string[], format?: 'parquet' | 'csv'): Promise<void>;

  /** What is wrong when a text is not exactly one SELECT, else null. Ask before running a stranger's SQL. */
  checkSelect(sql: string): Promise<string | null>;

  /** Columns of a query. */
  describe(sql: string): Promise<Column[]>;

  /** Runs a statement without result. */
  execute(sql: string, parameters?: readonly Value[]): Promise<void>;

  rows(sql: string, parameters?: readonly Value[]): Promise<Row[]>;

  /** A result by columns: for whole tables of numbers. */
  columns(sql: string, parameters?: readonly Value[]): Promise<ColumnVector[]>;

  /**
   * The same a batch of rows at a time: for tables that need not be in memory whole. Rows of one table or file, filtered
   * or not, come in the same order each time; of a join or groups in no stated one. Vectors of numbers hold until the
   * next batch is asked for.
   */
  batches(sql: string, parameters?: readonly Value[]): AsyncIterable<ColumnVector[]>;

  /**
   * Reads a result of numbers into arrays of the caller's, one a column, from a row on, and gives the number of rows:
   * null is NaN, in arrays of whole numbers 0. Quicker than batches, but the engine holds the result whole: of a large
   * table, ask for one section at a time.
   */
  numbers(sql: string, to: { arrays: readonly NumberArray[]; from: number }): Promise<number>;

  /**
   * Queries whose rows, one after the other, are those of a declared file in their order, each of about so many rows.
   * Null where `relation` (quoted) is no file, or one that can't be cut without reading it.
   */
  sections(relation: string, rows: number): Promise<string[] | null>;

  /** Writes a query's result as one Parquet file (zstd), and gives the number of rows. */
  writeParquet(sql: string, file: string): Promise<number>;

  close(): Promise<void>;
}

export interface EngineOptions {
  /** Memory limit in MiB; beyond it the engine spills to `workDirectory`. */
  memoryMiB?: number;
  threads?: number;
  /** The session makes a folder of its own in here, and removes it when it is closed. */
  workDirectory: string;
  /** Interrupts the running statement. */
  signal?: AbortSignal;
}

/** A quoted SQL identifier: safe for any name, hostile ones included. */
export function identifier(name: string): string {
  if (name.includes('\0')) throw new TypeError('a name must not hold NUL');
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted SQL string literal. Prefer parameters where the statement can take them. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('a text must not hold NUL');
  return `'${text.replaceAll("'", "''")}'`;
}
