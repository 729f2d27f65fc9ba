import { constants } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import { headProblem, wholeProblem } from './csv-problems.ts';
import { csvReader } from './csv-reader.ts';
import { type Bindings, importDuckDb } from './duckdb-library.ts';
import { parquetSections, rowNumber } from './duckdb-sections.ts';
import { columnReader, columnType, copyNumbers, toRow } from './duckdb-values.ts';
import {
  type Column,
  type ColumnVector,
  type EngineOptions,
  identifier,
  literal,
  type NumberArray,
  type Row,
  type SqlEngine,
  type Value,
} from './engine.ts';

/**
 * Opens a private, in-memory DuckDB. It can read and write one folder only, which is its own: declared files
 * are linked or copied into it. Network, other files, extensions and later changes of the settings are off,
 * so that a stranger's SQL reaches the declared files and nothing else.
 */
export async function openDuckDb(options: EngineOptions): Promise<SqlEngine> {
  const { library, bindings } = await importDuckDb();
  await mkdir(options.workDirectory, { recursive: true });
  const folder = await mkdtemp(path.join(path.resolve(options.workDirectory), 'duckdb-'));
  await mkdir(path.join(folder, 'spill'));
  const instance = await library.DuckDBInstance.create(':memory:', {
    threads: String(options.threads ?? 2),
    memory_limit: `${options.memoryMiB ?? 768}MiB`,
    temp_directory: path.join(folder, 'spill'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const settings = [
    "TimeZone = 'UTC'",
    // a file is asked for one column after the other
    'parquet_metadata_cache = true',
    `allowed_directories = [${literal(`${folder}/`)}]`,
    'allow_community_extensions = false',
    'enable_external_access = false',
    'lock_configuration = true',
  ];
  await connection.run(settings.map((setting) => `SET ${setting};`).join('\n'));
  return new DuckDbEngine({ instance, connection, bindings, folder, signal: options.signal });
}

/** Vectors of a batch hold 16 KiB or more in the engine's memory until they are collected. */
const vectorsUncollected = 256;
/** A result that is held as a whole is in memory twice until it is collected, the second time as vectors. */
const valuesUncollected = 2 ** 17;

interface Parts {
  instance: DuckDBInstance;
  connection: DuckDBConnection;
  bindings: Bindings;
  folder: string;
  signal: AbortSignal | undefined;
}

class DuckDbEngine implements SqlEngine {
  readonly #parts: Parts;
  #files = 0;
  /** Columns of the files' views, by the SQL that reads them. */
  readonly #columns = new Map<string, Column[]>();
  #closed = false;
  /** Parquet files of the session's own folder, by the quoted name of the view that holds their rows. */
  readonly #parquet = new Map<string, string[]>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #interrupt = () => this.#parts.connection.interrupt();

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.signal?.addEventListener('abort', this.#interrupt);
  }

  async addFile(view: string, file: string | readonly string[], format?: 'parquet' | 'csv'): Promise<void> {
    const files = typeof file === 'string' ? [file] : file;
    const readers: string[] = [];
    const parquet: string[] = [];
    let first: Column[] | null = null;
    for (const each of files) {
      const inside = await this.#bringIn(each);
      const csv = (format ?? formatOf(each)) === 'csv' ? { file: inside, gzip: /\.gz$/i.test(each) } : null;
      // what a reader would take for a table of other columns
      const seen = csv === null ? null : await headProblem(csv).catch(() => null);
      if (seen !== null) throw new UserError({ code: 'data_unreadable', ...seen, where: each });
      const reading =
        csv === null ? { reader: parquetReader(inside) } : await csvReader(csv, (sql) => this.rows(sql));
      if ('problem' in reading)
        throw new UserError({ code: 'data_unreadable', ...reading.problem, where: each });
      const { reader } = reading;
      const columns = await this.describe(`SELECT * FROM ${reader}`).catch(async (error: unknown) => {
        if (error instanceof UserError && error.code !== 'data_unreadable') throw error;
        const why = csv === null ? null : await wholeProblem(csv).catch(() => null);
        throw why === null
          ? unreadable(each, error)
          : new UserError({ code: 'data_unreadable', ...why, where: each, cause: error });
      });
      first ??= columns;
      assertSameColumns(files[0] ?? each, first, each, columns);
      readers.push(`SELECT * FROM ${reader}`);
      if (csv === null && !columns.some(({ name }) => name.toLowerCase() === rowNumber)) parquet.push(inside);
    }
    if (readers.length === 0) throw new TypeError('addFile needs a file');
    await this.execute(`CREATE OR REPLACE VIEW ${identifier(view)} AS ${readers.join(' UNION ALL ')}`);
    if (first !== null) this.#columns.set(`SELECT * FROM ${identifier(view)}`, first);
    this.#parquet.delete(identifier(view));
    if (parquet.length === readers.length) this.#parquet.set(identifier(view), parquet);
  }

  async checkSelect(sql: string): Promise<string | null> {
    const [row] = await this.rows('SELECT json_serialize_sql(CAST($1 AS VARCHAR)) AS parsed', [sql]);
    const parsed = JSON.parse(String(row?.parsed)) as {
      error?: boolean;
      error_message?: string;
      statements?: unknown[];
    };
    if (parsed.error === true) return String(parsed.error_message ?? 'not a SELECT');
    const count = parsed.statements?.length ?? 0;
    return count === 1 ? null : `expected one SELECT, found ${count} statements`;
  }

  async describe(sql: string): Promise<Column[]> {
    const known = this.#columns.get(sql);
    if (known !== undefined) return [...known];
    const rows = await this.rows(`DESCRIBE ${sql}`);
    return rows.map((row) => {
      const physicalType = String(row.column_type);
      return { name: String(row.column_name), type: columnType(physicalType), physicalType };
    });
  }

  async execute(sql: string, parameters: readonly Value[] = []): Promise<void> {
    await this.#run(() => this.#parts.connection.run(sql, bound(parameters)));
  }

  async rows(sql: string, parameters: readonly Value[] = []): Promise<Row[]> {
    const reader = await this.#run(() => this.#parts.connection.runAndReadAll(sql, bound(parameters)));
    return reader.getRowObjectsJS().map(toRow);
  }

  async columns(sql: string, parameters: readonly Value[] = []): Promise<ColumnVector[]> {
    return this.#run(async () => {
      const result = await this.#parts.connection.run(sql, bound(parameters));
      return columnReader(result)(Array.from({ length: result.chunkCount }, (_, i) => result.getChunk(i)));
    });
  }

  async *batches(sql: string, parameters: readonly Value[] = []): AsyncGenerator<ColumnVector[]> {
    const result = await this.#run(() => this.#parts.connection.stream(sql, [...parameters]));
    const toVectors = columnReader(result, { reuse: true });
    const held = result.columnCount;
    for (let vectors = held; ; vectors += held) {
      const chunk = await this.#run(() => result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) return;
      yield toVectors([chunk]);
      if (vectors < vectorsUncollected) continue;
      (await import('./minor-gc.ts')).collectYoung(); // few results are as long as that
      vectors = 0;
    }
  }

  async numbers(sql: string, to: { arrays: readonly NumberArray[]; from: number }): Promise<number> {
    const result = await this.#run(() => this.#parts.connection.run(sql));
    const rows = copyNumbers(result, this.#parts.bindings, to);
    // only now: a result that is in use when young objects are collected twice is old, and stays for long
    if (rows * to.arrays.length >= valuesUncollected) (await import('./minor-gc.ts')).collectYoung();
    return rows;
  }

  async sections(relation: string, rows: number): Promise<string[] | null> {
    const files = this.#parquet.get(relation);
    if (files === undefined) return null;
    const sections: string[] = [];
    for (const file of files) {
      const groups = await this.rows(
        `SELECT row_group_num_rows AS n FROM parquet_metadata(${literal(file)}) WHERE column_id = 0 ORDER BY row_group_id`,
      );
      sections.push(
        ...parquetSections(
          parquetReader(file),
          groups.map(({ n }) => Number(n)),
          rows,
        ),
      );
    }
    return sections;
  }

  async writeParquet(sql: string, file: string): Promise<number> {
    const written = path.join(this.#parts.folder, `out-${this.#files++}.parquet`);
    try {
      const rows = await this.rows(
        `COPY (${sql}\n) TO ${literal(written)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`,
      );
      await mkdir(path.dirname(file), { recursive: true });
      await rename(written, file).catch(async (error: unknown) => {
        if (!hasCode(error, 'EXDEV')) throw error;
        await copyFile(written, file);
      });
      return Number(rows[0]?.Count ?? 0);
    } catch (error) {
      throw asStorageError(error, file);
    } finally {
      await rm(written, { force: true });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { connection, instance, folder, signal } = this.#parts;
    signal?.removeEventListener('abort', this.#interrupt);
    // a connection that is closed under a running query ends the process
    const again = setInterval(this.#interrupt, 20); // one that has not begun yet is not interrupted
    this.#interrupt();
    await Promise.allSettled(this.#running);
    clearInterval(again);
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }

  /** A link to the file in the session's own folder; a copy where the file lies on another disk. */
  async #bringIn(file: string): Promise<string> {
    const inside = path.join(this.#parts.folder, `in-${this.#files++}`);
    try {
      if (!(await stat(file)).isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
      await link(file, inside).catch(() => copyFile(file, inside, constants.COPYFILE_FICLONE));
    } catch (error) {
      // a file that is read fills no disk: the folder that it is copied to does
      const full = ['ENOSPC', 'EDQUOT', 'EROFS'].some((code) => hasCode(error, code));
      const known = asStorageError(error, full ? this.#parts.folder : file);
      if (known instanceof UserError && known.code === 'storage_unavailable' && !hasCode(error, 'EACCES')) {
        throw known;
      }
      throw new UserError({
        code: 'data_unavailable',
        message: 'The file cannot be read.',
        where: file,
        fix: 'Check that the file is there and readable.',
        cause: error,
      });
    }
    return inside;
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#parts.signal?.throwIfAborted();
    if (this.#closed) throw new Error('the session with DuckDB is closed');
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      this.#parts.signal?.throwIfAborted();
      throw translated(error, this.#parts.folder);
    } finally {
      this.#running.delete(running);
    }
  }
}

/** A statement with parameters takes four steps of the library on other threads, one without takes one. */
function bound(parameters: readonly Value[]): Value[] | undefined {
  return parameters.length === 0 ? undefined : [...parameters];
}

function formatOf(file: string): 'parquet' | 'csv' {
  return /\.csv(\.gz)?$/i.test(file) ? 'csv' : 'parquet';
}

const parquetReader = (file: string): string => `read_parquet(${literal(file)}, hive_partitioning = false)`;

function assertSameColumns(firstFile: string, first: Column[], file: string, columns: Column[]): void {
  const told = (list: Column[]) => list.map((column) => `${column.name} ${column.physicalType}`);
  const [expected, found] = [told(first), told(columns)];
  const odd = expected.find((text, index) => text !== found[index]) ?? found[expected.length];
  if (odd === undefined) return;
  throw new UserError({
    code: 'data_unreadable',
    message: `Files of one source differ in their columns: ${odd} is not the same in ${path.basename(firstFile)} and ${path.basename(file)}.`,
    where: file,
    fix: 'Give the files the same columns, in order and type, or declare them as two sources.',
  });
}

function unreadable(file: string, cause: unknown): UserError {
  return new UserError({
    code: 'data_unreadable',
    message: `The file cannot be read as a table: ${firstLine(cause).replace(notATable, '')}`,
    where: file,
    fix: 'Fetch or write the file again; it is damaged or of another format.',
    cause,
  });
}

const notATable = 'A file cannot be read as a table: ';

/** DuckDB's own words begin with the kind of the error, e.g. `Out of Memory Error: …`. */
function translated(error: unknown, folder: string): unknown {
  const message = firstLine(error);
  if (message.startsWith('Out of Memory Error')) {
    return new UserError({
      code: 'engine_memory',
      message: 'The SQL engine ran out of memory.',
      fix: 'Give the machine more memory, take a smaller window, or simplify the SQL.',
      cause: error,
    });
  }
  if (/no space left|could not write/i.test(message)) {
    return new UserError({
      code: 'storage_unavailable',
      message: 'The disk is full.',
      where: folder,
      fix: 'Free some space and run the same command again.',
      cause: error,
    });
  }
  if (
    /parquet|thrift|TProtocol|TTransport|^Invalid Error|decompress|zstd|snappy|failed to read file|could not read enough bytes|incorrect stats size|CSV Error|Invalid Input Error: CSV/i.test(
      message,
    )
  ) {
    return new UserError({
      code: 'data_unreadable',
      message: `${notATable}${message}`,
      fix: 'Fetch or write the file again; it is damaged or of another format.',
      cause: error,
    });
  }
  return error;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // paths of the session's own folder say nothing to a user
  const line = (message.split('\n')[0] ?? '').replaceAll(/["']?\/\S*duckdb-\S*/g, 'the file');
  return line.replaceAll(/\p{Cc}/gu, '?').slice(0, 300);
}
