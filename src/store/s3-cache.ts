import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasCode } from '../errors.ts';

const hour = 3_600_000;

/**
 * Local copies of stored objects, for readers that need a file: `FOLDER/<id>/<sha256 of the bytes>`. A copy that
 * does not have its bytes any more is fetched again; the ones unused for longest go when there is too much.
 */
export class LocalCopies {
  private readonly folder: string;
  private readonly limit: number;
  /** Copies that this process verified and may be reading: they stay. */
  private readonly used = new Set<string>();
  private readonly under = new Map<string, Promise<string>>();

  constructor(folder: string, limit: number) {
    this.folder = folder;
    this.limit = limit;
  }

  /** The copy for `id` (hexadecimal; another content has another id), made from `fetch` when there is none. */
  async file(id: string, fetch: () => AsyncIterable<Buffer>): Promise<string> {
    let work = this.under.get(id);
    if (work === undefined) {
      work = this.find(id).then((found) => found ?? this.make(id, fetch));
      this.under.set(id, work);
      void work.catch(() => undefined).then(() => this.under.delete(id));
    }
    return work;
  }

  private async find(id: string): Promise<string | null> {
    const folder = join(this.folder, id);
    for (const name of await readdir(folder).catch(() => [])) {
      const file = join(folder, name);
      if (this.used.has(file) && (await stat(file).catch(() => null)) !== null) return file;
      const sound = await hashOf(file).catch(() => null);
      if (sound === name) {
        const now = new Date();
        await utimes(file, now, now).catch(() => undefined);
        this.used.add(file);
        return file;
      }
      await rm(file, { force: true });
    }
    return null;
  }

  private async make(id: string, fetch: () => AsyncIterable<Buffer>): Promise<string> {
    await mkdir(join(this.folder, id), { recursive: true, mode: 0o700 });
    const temporary = join(this.folder, `${process.pid}-${randomBytes(12).toString('hex')}.part`);
    const hash = createHash('sha256');
    try {
      const target = await open(temporary, 'wx', 0o444);
      try {
        for await (const chunk of fetch()) {
          hash.update(chunk);
          await target.writeFile(chunk);
        }
      } finally {
        await target.close();
      }
      const file = join(this.folder, id, hash.digest('hex'));
      this.used.add(file);
      await rename(temporary, file);
      await this.prune();
      return file;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Removes what was unused for longest until the rest fits; never what was used in the last hour. */
  private async prune(): Promise<void> {
    const copies: { file: string; size: number; used: number }[] = [];
    for (const name of await readdir(this.folder, { recursive: true })) {
      const file = join(this.folder, name);
      const found = await stat(file).catch(() => null);
      if (found?.isFile()) copies.push({ file, size: found.size, used: found.mtimeMs });
    }
    let total = copies.reduce((sum, { size }) => sum + size, 0);
    for (const { file, size, used } of copies.sort((a, b) => a.used - b.used)) {
      if (total <= this.limit || Date.now() - used < hour) return;
      if (this.used.has(file)) continue;
      await rm(file, { force: true });
      total -= size;
      await rmdir(dirname(file)).catch((error: unknown) => {
        if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'ENOENT')) throw error;
      });
    }
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
