import { glob, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Source, Window } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import type { Store } from '../store/store.ts';
import { compareText } from './blocks.ts';
import { type RetryOptions, readWithRetry } from './retry.ts';

const moment = z.string().min(1).max(40).nullable();

/** A source as the ingest stage takes it: its raw files are objects in the store already. */
export const SourceInput = z.strictObject({
  files: z.array(Digest).min(1).max(10_000),
  format: z.enum(['parquet', 'csv']),
  /** The column of event time. */
  time: z.string().min(1).max(128).nullable(),
  /** Rows in [from, until) are taken; without a time column all are. */
  window: z.strictObject({ from: moment, until: moment }),
});
export type SourceInput = z.infer<typeof SourceInput>;
export const SourceInputs = z.record(Name, SourceInput);
export type SourceInputs = z.infer<typeof SourceInputs>;

export interface PrepareRequest {
  sources: Record<string, Source>;
  window?: Window | undefined;
  /** The folder for relative paths; those of a loaded configuration are absolute. Default: the current one. */
  folder?: string;
  store: Pick<Store, 'putFile'>;
  signal?: AbortSignal;
  retry?: Omit<RetryOptions, 'signal'>;
}

/**
 * Stores the raw files of every source as objects, and gives the inputs of the ingest stage: the digests of
 * the files decide whether anything is new. Throws `data_unavailable` and `data_unreadable` with the file.
 */
export async function prepareSources(request: PrepareRequest): Promise<SourceInputs> {
  const prepared: SourceInputs = {};
  const retry = { ...request.retry, ...(request.signal === undefined ? {} : { signal: request.signal }) };
  for (const [name, source] of Object.entries(request.sources)) {
    const files = await findFiles(source.file, request.folder ?? process.cwd(), name);
    const format = formatOf(files, name);
    const digests: string[] = [];
    for (const file of files) {
      if (format === 'parquet') await readWithRetry(file, () => assertParquet(file), retry);
      const { sha256 } = await readWithRetry(file, () => request.store.putFile(file), retry);
      digests.push(sha256);
    }
    prepared[name] = {
      // the same file under two names is one file, so its rows are taken once
      files: [...new Set(digests)].toSorted(compareText),
      format,
      time: source.time ?? null,
      window: { from: request.window?.from ?? null, until: request.window?.until ?? null },
    };
  }
  return prepared;
}

async function findFiles(pattern: string, folder: string, name: string): Promise<string[]> {
  if (!pattern.includes('*')) return [path.resolve(folder, pattern)];
  const found: string[] = [];
  for await (const match of glob(pattern, { cwd: folder })) {
    const file = path.resolve(folder, match);
    if ((await stat(file)).isFile()) found.push(file);
  }
  if (found.length > 0) return found.toSorted(compareText);
  throw new UserError({
    code: 'data_unavailable',
    message: `No file of the source ${name} fits the pattern ${pattern}.`,
    where: folder,
    fix: "Check the source's `file` in modelgate.yaml.",
  });
}

function formatOf(files: readonly string[], name: string): 'parquet' | 'csv' {
  const formats = new Set(files.map((file) => (/\.csv(\.gz)?$/i.test(file) ? 'csv' : 'parquet')));
  const [format] = formats;
  if (formats.size === 1 && format !== undefined) return format;
  throw new UserError({
    code: 'data_unreadable',
    message: `The source ${name} mixes Parquet and CSV files.`,
    fix: 'Declare the Parquet files and the CSV files as two sources.',
  });
}

/** A Parquet file begins and ends with PAR1; a cut download does not. */
async function assertParquet(file: string): Promise<void> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(8);
    if (size >= 12) {
      await handle.read(bytes, 0, 4, 0);
      await handle.read(bytes, 4, 4, size - 4);
    }
    if (bytes.toString('latin1') === 'PAR1PAR1') return;
    throw new UserError({
      code: 'data_unreadable',
      message: `This is not a whole Parquet file (${size} bytes).`,
      where: file,
      fix: 'Fetch or write the file again; for CSV, let its name end in .csv.',
    });
  } finally {
    await handle.close();
  }
}
