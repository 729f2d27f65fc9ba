import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { UserError } from '../src/errors.ts';

export interface ZipLimits {
  entries: number;
  /** Of all files together, unpacked. */
  bytes: number;
}

interface ZipEntry {
  name: string;
  method: number;
  compressed: number;
  size: number;
  offset: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const stored = 0;
const deflated = 8;

/**
 * Unpacks a zip of another job, which is a stranger's: only plain files with plain relative names, no links, no
 * name twice, and never more bytes than the archive says and `limits` allow. Throws `handoff_refused`.
 * Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16; the central directory is what counts.
 */
export async function unpackZip(file: string, folder: string, limits: ZipLimits): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const entries = await readDirectory(handle, limits);
    for (const entry of entries) await unpackEntry(handle, entry, folder);
  } finally {
    await handle.close();
  }
}

async function readDirectory(handle: FileHandle, limits: ZipLimits): Promise<ZipEntry[]> {
  const { size: fileSize } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, fileSize - 66_000), Math.min(66_000, fileSize));
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== endSignature) at -= 1;
  if (at < 0) throw refused('it has no directory');
  let count = tail.readUInt16LE(at + 10);
  let size = tail.readUInt32LE(at + 12);
  let offset = tail.readUInt32LE(at + 16);
  if (at >= 20 && tail.readUInt32LE(at - 20) === locator64Signature) {
    const end64 = await readAt(handle, safe(tail.readBigUInt64LE(at - 20 + 8)), 56);
    if (end64.readUInt32LE(0) !== end64Signature) throw refused('its 64-bit directory is not there');
    count = safe(end64.readBigUInt64LE(32));
    size = safe(end64.readBigUInt64LE(40));
    offset = safe(end64.readBigUInt64LE(48));
  }
  if (count > limits.entries) throw refused(`it has ${count} files; ${limits.entries} are allowed`);
  if (size > limits.entries * 1000) throw refused('its directory is too large');
  const directory = await readAt(handle, offset, size);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let bytes = 0;
  for (let position = 0, n = 0; n < count; n++) {
    const { entry, next } = readEntry(directory, position);
    position = next;
    if (entry === null) continue;
    const name = entry.name.toLowerCase();
    if (names.has(name)) throw refused('it holds one name twice');
    names.add(name);
    bytes += entry.size;
    if (bytes > limits.bytes) throw refused(`it unpacks to more than ${limits.bytes} bytes`);
    entries.push(entry);
  }
  for (const name of names) {
    for (let end = name.indexOf('/'); end !== -1; end = name.indexOf('/', end + 1)) {
      if (names.has(name.slice(0, end))) throw refused('one name is a file and a folder');
    }
  }
  return entries;
}

/** One record of the central directory; null for a folder, which is made when a file needs it. */
function readEntry(directory: Buffer, at: number): { entry: ZipEntry | null; next: number } {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== centralSignature) {
    throw refused('its directory is cut off');
  }
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  const nameLength = directory.readUInt16LE(at + 28);
  const extraLength = directory.readUInt16LE(at + 30);
  const next = at + 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
  if (next > directory.length) throw refused('its directory is cut off');
  const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
  const sizes = {
    size: directory.readUInt32LE(at + 24),
    compressed: directory.readUInt32LE(at + 20),
    offset: directory.readUInt32LE(at + 42),
  };
  readZip64(directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength), sizes);
  const unixType = (directory.readUInt32LE(at + 38) >>> 28) & 0xf;
  const madeOnUnix = directory.readUInt8(at + 5) === 3;
  if (madeOnUnix && unixType === 4 && sizes.size === 0 && name.endsWith('/')) return { entry: null, next };
  if (madeOnUnix && unixType !== 8 && unixType !== 0) throw refused('it holds something not a plain file');
  if ((flags & 1) !== 0) throw refused('it is encrypted');
  if (method !== stored && method !== deflated) throw refused('it is packed in an unknown way');
  if (method === stored && sizes.size !== sizes.compressed) throw refused('its sizes contradict each other');
  if (name.endsWith('/') && sizes.size === 0) return { entry: null, next };
  requirePlainName(name);
  return { entry: { name, method, ...sizes }, next };
}

/** Sizes beyond 32 bits stand in an extra field, in this order, only those that are full. */
function readZip64(extra: Buffer, sizes: { size: number; compressed: number; offset: number }): void {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressed', 'offset'] as const) {
      if (sizes[key] !== 0xffffffff) continue;
      if (field + 8 > extra.length) throw refused('its directory is cut off');
      sizes[key] = safe(extra.readBigUInt64LE(field));
      field += 8;
    }
    return;
  }
}

/** Relative, of plain parts: what `deliverArtifact` writes and nothing else. */
function requirePlainName(name: string): void {
  const parts = name.split('/');
  const plain = parts.every(
    (part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(part) && !part.includes('..'),
  );
  if (!plain || parts.length > 6) throw refused('it holds a name that is no plain relative path');
}

async function unpackEntry(handle: FileHandle, entry: ZipEntry, folder: string): Promise<void> {
  const local = await readAt(handle, entry.offset, 30);
  if (local.readUInt32LE(0) !== localSignature) throw refused('its directory points to no file');
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const target = path.join(folder, ...entry.name.split('/'));
  await mkdir(path.dirname(target), { recursive: true });
  const source =
    entry.compressed === 0
      ? Readable.from([])
      : handle.createReadStream({ start, end: start + entry.compressed - 1, autoClose: false });
  let written = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      written += chunk.length;
      done(written > entry.size ? refused('a file is longer than it says') : null, chunk);
    },
  });
  const sink = createWriteStream(target, { flags: 'wx' });
  try {
    if (entry.method === stored) await pipeline(source, counted, sink);
    else await pipeline(source, createInflateRaw(), counted, sink);
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw refused('a file in it is damaged', error);
    }
    throw error;
  }
  if (written !== entry.size) throw refused('a file is shorter than it says');
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  if (bytesRead < length) throw refused('it is cut off');
  return buffer;
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refused('it names an impossible size');
  return Number(value);
}

function refused(what: string, cause?: unknown): UserError {
  return new UserError({
    code: 'handoff_refused',
    message: `The archive of another job is refused: ${what}.`,
    where: 'input from-artifacts',
    fix: 'Run the job that uploaded it again; if it happens again, look at what that job ran.',
    cause,
  });
}
