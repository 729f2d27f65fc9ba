import { inflateRawSync } from 'node:zlib';

export interface ZipLimits {
  entries: number;
  /** Of all files together, unpacked. */
  bytes: number;
  /** Unpacked bytes for one packed byte; Infinity where the content is known to pack that well. */
  ratio: number;
}

/** Where the bytes of an archive are: a file, or memory. */
export interface ZipSource {
  size: number;
  /** Fewer bytes than asked for only at the end. */
  read(position: number, length: number): Promise<Buffer>;
}

export interface ZipEntry {
  name: string;
  method: 'stored' | 'deflated';
  compressed: number;
  size: number;
  offset: number;
}

/** The archive is not what a job of ours would upload; `message` ends the sentence "The archive is refused: …". */
export class ZipRefused extends Error {}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const stored = 0;
const deflated = 8;
/** Small files may pack as well as they like. */
const ratioMatters = 64 * 1024;

export const zipInMemory = (bytes: Buffer): ZipSource => ({
  size: bytes.length,
  read: async (position, length) => bytes.subarray(position, position + length),
});

/**
 * What an archive holds, which is a stranger's: only plain files with plain relative names, no links, no name twice,
 * never more than `limits`. Throws ZipRefused.
 * Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16; the central directory is what counts.
 */
export async function readDirectory(source: ZipSource, limits: ZipLimits): Promise<ZipEntry[]> {
  const tailSize = Math.min(66_000, source.size);
  const tail = await readAt(source, source.size - tailSize, tailSize);
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== endSignature) at -= 1;
  if (at < 0) throw new ZipRefused('it has no directory');
  let count = tail.readUInt16LE(at + 10);
  let size = tail.readUInt32LE(at + 12);
  let offset = tail.readUInt32LE(at + 16);
  if (at >= 20 && tail.readUInt32LE(at - 20) === locator64Signature) {
    const end64 = await readAt(source, safe(tail.readBigUInt64LE(at - 20 + 8)), 56);
    if (end64.readUInt32LE(0) !== end64Signature) throw new ZipRefused('its 64-bit directory is not there');
    count = safe(end64.readBigUInt64LE(32));
    size = safe(end64.readBigUInt64LE(40));
    offset = safe(end64.readBigUInt64LE(48));
  }
  if (count > limits.entries) {
    throw new ZipRefused(`it has ${count} files; ${limits.entries} are allowed`);
  }
  if (size > limits.entries * 1000) throw new ZipRefused('its directory is too large');
  const directory = await readAt(source, offset, size);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let bytes = 0;
  for (let position = 0, n = 0; n < count; n++) {
    const { entry, next } = readEntry(directory, position);
    position = next;
    if (entry === null) continue;
    const name = entry.name.toLowerCase();
    if (names.has(name)) throw new ZipRefused('it holds one name twice');
    names.add(name);
    bytes += entry.size;
    if (bytes > limits.bytes) throw new ZipRefused(`it unpacks to more than ${limits.bytes} bytes`);
    if (entry.size > ratioMatters && entry.size > entry.compressed * limits.ratio) {
      throw new ZipRefused(`a file in it says to be more than ${limits.ratio} times its packed size`);
    }
    entries.push(entry);
  }
  for (const name of names) {
    for (let end = name.indexOf('/'); end !== -1; end = name.indexOf('/', end + 1)) {
      if (names.has(name.slice(0, end))) throw new ZipRefused('one name is a file and a folder');
    }
  }
  return entries;
}

/** One record of the central directory; null for a folder, which is made when a file needs it. */
function readEntry(directory: Buffer, at: number): { entry: ZipEntry | null; next: number } {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== centralSignature) {
    throw new ZipRefused('its directory is cut off');
  }
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  const nameLength = directory.readUInt16LE(at + 28);
  const extraLength = directory.readUInt16LE(at + 30);
  const next = at + 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
  if (next > directory.length) throw new ZipRefused('its directory is cut off');
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
  if (madeOnUnix && unixType !== 8 && unixType !== 0) {
    throw new ZipRefused('it holds something not a plain file');
  }
  if ((flags & 1) !== 0) throw new ZipRefused('it is encrypted');
  if (method !== stored && method !== deflated) throw new ZipRefused('it is packed in an unknown way');
  if (method === stored && sizes.size !== sizes.compressed) {
    throw new ZipRefused('its sizes contradict each other');
  }
  if (name.endsWith('/') && sizes.size === 0) return { entry: null, next };
  requirePlainName(name);
  return { entry: { name, method: method === stored ? 'stored' : 'deflated', ...sizes }, next };
}

/** Sizes beyond 32 bits stand in an extra field, in this order, only those that are full. */
function readZip64(extra: Buffer, sizes: { size: number; compressed: number; offset: number }): void {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressed', 'offset'] as const) {
      if (sizes[key] !== 0xffffffff) continue;
      if (field + 8 > extra.length) throw new ZipRefused('its directory is cut off');
      sizes[key] = safe(extra.readBigUInt64LE(field));
      field += 8;
    }
    return;
  }
}

/** Relative, of plain parts: what a job of ours uploads and nothing else. */
function requirePlainName(name: string): void {
  const parts = name.split('/');
  const plain = parts.every(
    (part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(part) && !part.includes('..'),
  );
  if (!plain || parts.length > 6) throw new ZipRefused('it holds a name that is no plain relative path');
}

/** Where the packed bytes of a file begin. */
export async function contentStart(source: ZipSource, entry: ZipEntry): Promise<number> {
  const local = await readAt(source, entry.offset, 30);
  if (local.readUInt32LE(0) !== localSignature) throw new ZipRefused('its directory points to no file');
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + entry.compressed > source.size) throw new ZipRefused('it is cut off');
  return start;
}

/** One file in memory, of the size that the directory says, which the caller has found small enough. */
export async function readMember(source: ZipSource, entry: ZipEntry): Promise<Buffer> {
  const packed = await readAt(source, await contentStart(source, entry), entry.compressed);
  if (entry.method === 'stored') return packed;
  try {
    const content = inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1) });
    if (content.length === entry.size) return content;
  } catch (error) {
    throw new ZipRefused('a file in it is damaged, or longer than it says', { cause: error });
  }
  throw new ZipRefused('a file is shorter than it says');
}

async function readAt(source: ZipSource, position: number, length: number): Promise<Buffer> {
  if (position < 0 || position + length > source.size) throw new ZipRefused('it is cut off');
  const bytes = await source.read(position, length);
  if (bytes.length < length) throw new ZipRefused('it is cut off');
  return bytes;
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipRefused('it names an impossible size');
  return Number(value);
}
