import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { sha256 } from '../../src/json.ts';
import type { Content, Storage, StoredEntry } from '../../src/store/storage.ts';

/** The storage port in memory, for tests of what stands above it. */
export class MemoryStorage implements Storage {
  readonly url = 'memory';
  private readonly entries = new Map<string, Buffer>();
  private readonly folder: string;

  protected constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<MemoryStorage> {
    return new MemoryStorage(await mkdtemp(path.join(os.tmpdir(), 'memory-storage-')));
  }

  async prepare(): Promise<void> {}

  async create(key: string, content: Content): Promise<'created' | 'exists'> {
    const bytes = content instanceof Uint8Array ? Buffer.from(content) : await readFile(content.file);
    if (this.entries.has(key)) return 'exists';
    this.entries.set(key, bytes);
    return 'created';
  }

  async read(key: string, limit = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    const bytes = this.entries.get(key) ?? null;
    if (bytes !== null && bytes.length > limit) throw new RangeError(`${key} is longer than ${limit} bytes`);
    return bytes;
  }

  async stream(key: string): Promise<Readable | null> {
    const bytes = this.entries.get(key);
    return bytes === undefined ? null : Readable.from(bytes);
  }

  async size(key: string): Promise<number | null> {
    return this.entries.get(key)?.length ?? null;
  }

  async localFile(key: string): Promise<string | null> {
    const bytes = this.entries.get(key);
    if (bytes === undefined) return null;
    const file = path.join(this.folder, sha256(key));
    await writeFile(file, bytes);
    return file;
  }

  async replace(key: string, content: Uint8Array): Promise<void> {
    this.entries.set(key, Buffer.from(content));
  }

  async *list(prefix: string): AsyncIterable<StoredEntry> {
    for (const [key, bytes] of this.entries) {
      if (key.startsWith(prefix)) yield { key, size: bytes.length, modified: new Date(0) };
    }
  }

  async *folders(prefix: string): AsyncIterable<string> {
    const names = new Set<string>();
    for (const key of this.entries.keys()) {
      const end = key.indexOf('/', prefix.length);
      if (key.startsWith(prefix) && end !== -1) names.add(key.slice(prefix.length, end));
    }
    yield* names;
  }

  async persist(): Promise<void> {}

  async remove(key: string): Promise<void> {
    this.entries.delete(key);
  }
}
