import path from 'node:path';
import { UserError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Store } from '../store/store.ts';
import { Blocks, blocksLimit } from './blocks.ts';
import { type Column, identifier, type SqlEngine } from './engine.ts';
import { computeBlocks } from './profile.ts';
import { sqlTimestamp, timeExpression } from './time.ts';

export interface SnapshotRequest {
  engine: SqlEngine;
  /** The source's name, for messages. */
  source: string;
  /** Local files of one source. */
  files: string[];
  format: 'parquet' | 'csv';
  time: string | null;
  window: { from: string | null; until: string | null };
  /** Where data.parquet is written. */
  folder: string;
}

export interface Snapshot {
  file: string;
  blocks: Blocks;
  facts: Record<string, Json>;
}

/**
 * Writes the rows of a source's window as one Parquet file, with their types as they are. The rows are ordered
 * by time and then by every column, so that the same rows give the same bytes in whatever order or files they
 * came. Throws `data_empty` with the window, `data_unreadable`.
 */
export async function writeSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  const { engine, source, window } = request;
  await engine.addFile('source', request.files, request.format);
  const columns = await engine.describe('SELECT * FROM source');
  const time = timeColumn(columns, request);
  const at = time === undefined ? null : timeExpression(time);
  const bounds = at === null ? [] : windowBounds(at, window);
  const order = [
    ...(at === null ? [] : [at]),
    ...columns.filter(sortable).map(({ name }) => identifier(name)),
  ];
  const where = bounds.length === 0 ? '' : `WHERE ${bounds.join(' AND ')}`;
  await engine
    .execute(`CREATE TABLE snapshot AS SELECT * FROM source ${where} ORDER BY ${order.join(', ') || '1'}`)
    .catch((error: unknown) => {
      if (error instanceof UserError) throw error;
      throw at === null ? rowsUnreadable(request, error) : timeUnreadable(request, error);
    });
  const [extent] = await engine.rows(
    at === null
      ? 'SELECT count(*) AS n, NULL AS oldest, NULL AS newest FROM snapshot'
      : `SELECT count(*) AS n, min(${at}) AS oldest, max(${at}) AS newest FROM snapshot`,
  );
  const rows = Number(extent?.n ?? 0);
  if (rows === 0) throw await empty(request, at);
  const file = path.join(request.folder, `${source}.parquet`);
  await engine.writeParquet('SELECT * FROM snapshot', file);
  const blocks = await computeBlocks({ engine, view: 'snapshot', time: request.time });
  return {
    file,
    blocks,
    facts: {
      source,
      rows,
      columns: columns.map(({ name, type, physicalType }) => ({ name, type, physicalType })),
      time: request.time,
      window,
      oldest: extent?.oldest ?? null,
      newest: extent?.newest ?? null,
    },
  };
}

/** The stored profile of a snapshot. */
export async function readBlocks(store: Store, snapshot: string): Promise<Blocks> {
  const manifest = await store.readManifest(snapshot, 'snapshot');
  const bytes = await store.readBytes(store.file(manifest, 'blocks.json').sha256, blocksLimit);
  return Blocks.parse(JSON.parse(bytes.toString('utf8')));
}

/** Local files of a dataset's snapshots, by source. */
export async function datasetFiles(store: Store, dataset: string): Promise<Record<string, string>> {
  const { inputs } = await store.readManifest(dataset, 'dataset');
  const files: Record<string, string> = {};
  for (const [source, snapshot] of Object.entries(inputs)) {
    await store.readManifest(snapshot, 'snapshot');
    files[source] = await store.manifestFile(snapshot, 'data.parquet');
  }
  return files;
}

function timeColumn(columns: readonly Column[], request: SnapshotRequest): Column | undefined {
  if (request.time === null) return undefined;
  const found = columns.find(({ name }) => name === request.time);
  if (found !== undefined) return found;
  throw new UserError({
    code: 'contract_failed',
    message: `The source ${request.source} has no column ${request.time}, which is its time; it has ${columns
      .slice(0, 30)
      .map(({ name }) => name)
      .join(', ')}.`,
    where: `source ${request.source}`,
    fix: "Ask the source's owner about the change, or mend `time` of the source in modelgate.yaml.",
  });
}

function windowBounds(at: string, window: SnapshotRequest['window']): string[] {
  return [
    ...(window.from === null ? [] : [`${at} >= TIMESTAMP '${sqlTimestamp(window.from)}'`]),
    ...(window.until === null ? [] : [`${at} < TIMESTAMP '${sqlTimestamp(window.until)}'`]),
  ];
}

function sortable({ type }: Column): boolean {
  return type !== 'other';
}

async function empty(request: SnapshotRequest, at: string | null): Promise<UserError> {
  const { from, until } = request.window;
  const [all] = await request.engine.rows(
    `SELECT count(*) AS n${at === null ? '' : `, min(${at}) AS oldest, max(${at}) AS newest`} FROM source`,
  );
  const window =
    at === null || (from === null && until === null)
      ? ''
      : ` from ${from ?? 'the start'} until ${until ?? 'the end'}`;
  const has =
    Number(all?.n) > 0
      ? ` Its ${String(all?.n)} rows lie between ${String(all?.oldest)} and ${String(all?.newest)}.`
      : '';
  return new UserError({
    code: 'data_empty',
    message: `The source ${request.source} has no rows${window}.${has}`,
    where: `source ${request.source}`,
    fix:
      has === ''
        ? 'Check how the file was made.'
        : 'Change `data.window` in modelgate.yaml, or wait for the data.',
  });
}

function rowsUnreadable(request: SnapshotRequest, cause: unknown): UserError {
  return new UserError({
    code: 'data_unreadable',
    message: `The rows of ${request.source} cannot be read: ${engineWords(cause)}`,
    where: `source ${request.source}`,
    fix: 'Fetch or write the file again; it is damaged or of another format.',
    cause,
  });
}

/** What the SQL engine said, without control characters. */
function engineWords(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return (message.split('\n')[0] ?? '').replaceAll(/\p{Cc}/gu, '?').slice(0, 200);
}

function timeUnreadable(request: SnapshotRequest, cause: unknown): UserError {
  return new UserError({
    code: 'data_unreadable',
    message: `The time column ${request.time} of ${request.source} cannot be read as times: ${engineWords(cause)}`,
    where: `source ${request.source}`,
    fix: 'Write it as a TIMESTAMP or as ISO 8601 text.',
    cause,
  });
}
