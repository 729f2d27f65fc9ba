import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { UserError } from '../src/errors.ts';
import {
  contentStart,
  readDirectory,
  type ZipEntry,
  type ZipLimits,
  ZipRefused,
  type ZipSource,
} from '../src/zip.ts';

const chunkSize = 1 << 18;

/**
 * Unpacks a zip of another job into `folder`: only plain files with plain relative names, and never more bytes than
 * the archive says and `limits` allow. Throws `handoff_refused`.
 */
export async function unpackZip(
  file: string,
  folder: string,
  limits: Pick<ZipLimits, 'entries' | 'bytes'>,
): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const source = await fileSource(handle);
    // A model may well be all zeros: what its file may hold is bounded by `bytes` alone.
    for (const entry of await readDirectory(source, { ...limits, ratio: Number.POSITIVE_INFINITY })) {
      await unpackEntry({ source, entry, folder });
    }
  } catch (error) {
    throw error instanceof ZipRefused ? refused(error) : error;
  } finally {
    await handle.close();
  }
}

async function fileSource(handle: FileHandle): Promise<ZipSource> {
  const { size } = await handle.stat();
  return {
    size,
    async read(position, length) {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await handle.read(buffer, 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
  };
}

/** Not a stream of the handle: each would leave it a listener. A file that ends early gives less. */
async function* bytesOf(source: ZipSource, { start, length }: { start: number; length: number }) {
  for (let at = 0; at < length; ) {
    const chunk = await source.read(start + at, Math.min(chunkSize, length - at));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}

async function unpackEntry({
  source,
  entry,
  folder,
}: {
  source: ZipSource;
  entry: ZipEntry;
  folder: string;
}): Promise<void> {
  const start = await contentStart(source, entry);
  const target = path.join(folder, ...entry.name.split('/'));
  await mkdir(path.dirname(target), { recursive: true });
  const packed = Readable.from(bytesOf(source, { start, length: entry.compressed }));
  let written = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      written += chunk.length;
      done(written > entry.size ? new ZipRefused('a file is longer than it says') : null, chunk);
    },
  });
  const sink = createWriteStream(target, { flags: 'wx' });
  try {
    if (entry.method === 'stored') await pipeline(packed, counted, sink);
    else await pipeline(packed, createInflateRaw(), counted, sink);
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new ZipRefused('a file in it is damaged', { cause: error });
    }
    throw error;
  }
  if (written !== entry.size) throw new ZipRefused('a file is shorter than it says');
}

function refused(cause: ZipRefused): UserError {
  return new UserError({
    code: 'handoff_refused',
    message: `The archive of another job is refused: ${cause.message}.`,
    where: 'input from-artifacts',
    fix: 'Run the job that uploaded it again; if it happens again, look at what that job ran.',
    cause,
  });
}
