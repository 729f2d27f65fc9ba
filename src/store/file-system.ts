import { randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, opendir, readdir, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import { copyInto, isThere, linkOnce, makeFolders, syncFolder, syncParents } from './durable-files.ts';
import type { Content, Storage, StoredEntry } from './storage.ts';

const day = 86_400_000;
const temporaryFolder = 'tmp';
/** Folders below one another: more than any key has. */
const deepest = 10;
// A pipe must not block whoever opens it. Windows has neither flag.
const readPlain = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * A folder as a store. A file becomes visible by `link()`, which fails when the name is taken: of any
 * number of concurrent creators exactly one wins, and readers see whole files alone. Never rename() onto a
 * name that must not change (it overwrites silently), never O_EXCL on the final name (readers see torn bytes).
 */
export class FileSystemStorage implements Storage {
  readonly url: string;
  /** Folders whose entry in their parent is on disk, or will be when the promise is kept. */
  private readonly durable = new Map<string, Promise<void>>();
  private real: string | null = null;
  private swept = false;

  constructor(folder: string) {
    this.url = resolve(folder);
  }

  async prepare(): Promise<void> {
    await this.guarded(this.url, () => this.makeFolder(this.url));
  }

  async create(key: string, content: Content): Promise<'created' | 'exists'> {
    const path = this.path(key);
    return this.guarded(path, async () => {
      await this.makeFolder(dirname(path));
      // Saves copying a large file; link() below is what decides.
      if (await isThere(path)) {
        await syncFolder(dirname(path)); // another creator may not have got so far yet
        return 'exists';
      }
      // Mode 0444 from the start: the descriptor that made the file may write it, nobody later.
      const temporary = await this.writeTemporary(content, 0o444, true);
      try {
        const linked = await linkOnce(temporary, path);
        await syncFolder(dirname(path));
        return linked;
      } finally {
        await unlink(temporary).catch(() => undefined);
      }
    });
  }

  async persist(key: string): Promise<void> {
    const folder = dirname(this.path(key));
    await this.guarded(folder, async () => {
      await this.makeFolder(folder);
      await syncFolder(folder);
    });
  }

  async read(key: string, limit = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    const path = this.path(key);
    return this.guarded(path, async () => {
      const real = await this.contained(path);
      if (real === null) return null;
      const file = await open(real, readPlain);
      try {
        const found = await file.stat();
        if (!found.isFile()) throw notPlain(path);
        if (found.size > limit) throw tooLong(path, found.size, limit);
        return await file.readFile();
      } finally {
        await file.close();
      }
    });
  }

  async stream(key: string): Promise<Readable | null> {
    const real = await this.localFile(key);
    return real === null ? null : createReadStream(real);
  }

  async size(key: string): Promise<number | null> {
    const path = this.path(key);
    return this.guarded(path, async () => {
      const real = await this.contained(path);
      if (real === null) return null;
      const found = await stat(real);
      if (!found.isFile()) throw notPlain(path);
      return found.size;
    });
  }

  async localFile(key: string): Promise<string | null> {
    const path = this.path(key);
    return this.guarded(path, async () => {
      const real = await this.contained(path);
      if (real !== null && !(await stat(real)).isFile()) throw notPlain(path);
      return real;
    });
  }

  async replace(key: string, content: Uint8Array): Promise<void> {
    const path = this.path(key);
    await this.guarded(path, async () => {
      await this.makeFolder(dirname(path));
      // No fsync: what is lost with the power is a hint or a cache, and is made again.
      const temporary = await this.writeTemporary(content, 0o644, false);
      try {
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    });
  }

  async *list(prefix: string, { irregular = false } = {}): AsyncIterable<StoredEntry> {
    if (!(await isThere(this.url))) throw noStore(this.url);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for await (const found of this.walk(folder, prefix)) {
      if (irregular || found.irregular !== true) yield found;
    }
  }

  async *folders(prefix: string): AsyncIterable<string> {
    if (!(await isThere(this.url))) throw noStore(this.url);
    const path = prefix === '' ? this.url : this.path(prefix.replace(/\/$/, ''));
    try {
      if (prefix !== '' && (await this.contained(path)) === null) return;
      for await (const found of await opendir(path)) {
        // Links are followed nowhere: a store makes none.
        if (found.isDirectory() && `${prefix}${found.name}` !== temporaryFolder) yield found.name;
      }
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return;
      throw asStorageError(error, path);
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.path(key);
    await this.guarded(path, async () => {
      if ((await this.contained(path)) === null) return;
      try {
        await unlink(path);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
      await syncFolder(dirname(path));
    });
  }

  /** Removes temporary files that a killed process left more than a day ago; gives their number. */
  async sweep(now = Date.now()): Promise<number> {
    let removed = 0;
    const folder = join(this.url, temporaryFolder);
    for (const name of await readdir(folder).catch(() => [])) {
      const file = join(folder, name);
      try {
        if (now - (await stat(file)).mtimeMs < day) continue;
        await unlink(file);
        removed += 1;
      } catch {
        // another process sweeps too
      }
    }
    return removed;
  }

  private async *walk(folder: string, prefix: string): AsyncIterable<StoredEntry> {
    const path = folder === '' ? this.url : this.path(folder.replace(/\/$/, ''));
    let names: Awaited<ReturnType<typeof opendir>>;
    try {
      if (folder !== '' && (await this.contained(path)) === null) return;
      names = await opendir(path, { bufferSize: 500 });
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return;
      throw asStorageError(error, path);
    }
    for await (const name of names) {
      const key = `${folder}${name.name}`;
      if (key === temporaryFolder) continue;
      // Links are followed nowhere: a store makes none.
      if (name.isDirectory()) {
        if (!`${key}/`.startsWith(prefix) && !prefix.startsWith(`${key}/`)) continue;
        const walked = key.split('/').length < deepest && !/[\\\0]/.test(name.name);
        if (walked) yield* this.walk(`${key}/`, prefix);
        else yield irregularEntry(key);
      } else if (key.startsWith(prefix)) {
        if (!name.isFile()) {
          yield irregularEntry(key);
          continue;
        }
        const found = await stat(join(path, name.name)).catch(() => null);
        if (found !== null) yield { key, size: found.size, modified: found.mtime };
      }
    }
  }

  private path(key: string): string {
    const parts = key.split('/');
    const isWrong = (part: string) => /^\.{0,2}$/.test(part) || part.length > 255 || /[\\\0]/.test(part);
    if (parts.some(isWrong)) {
      throw new RangeError(`bad storage key ${JSON.stringify(key.slice(0, 300))}`);
    }
    return join(this.url, ...parts);
  }

  /** The real path, or null when nothing is there; a link anywhere inside the store is refused. */
  private async contained(path: string): Promise<string | null> {
    try {
      this.real ??= await realpath(this.url);
      const real = await realpath(path);
      if (real !== join(this.real, relative(this.url, path))) throw outside(path);
      return real;
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null;
      throw hasCode(error, 'ELOOP') ? outside(path) : error;
    }
  }

  /**
   * Makes a folder so that it survives a power loss: each new name is synced in its parent. Those who need the same
   * one at once wait for one of them.
   */
  private makeFolder(folder: string): Promise<void> {
    const known = this.durable.get(folder);
    if (known !== undefined) return known;
    const made = this.makeFolderNow(folder);
    this.durable.set(folder, made);
    made.catch(() => {
      if (this.durable.get(folder) === made) this.durable.delete(folder);
    });
    return made;
  }

  private async makeFolderNow(folder: string): Promise<void> {
    const inside = folder.startsWith(this.url + sep);
    if (!inside) {
      await makeFolders(folder);
      await syncParents(dirname(folder));
    } else {
      await this.makeFolder(dirname(folder));
      await mkdir(folder).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error;
      });
      if ((await this.contained(folder)) === null) throw outside(folder);
    }
    await syncFolder(dirname(folder));
  }

  private async writeTemporary(content: Content, mode: number, sync: boolean): Promise<string> {
    const folder = join(this.url, temporaryFolder);
    await this.makeFolder(folder);
    if (!this.swept) {
      this.swept = true;
      await this.sweep();
    }
    const temporary = join(folder, `${process.pid}-${randomBytes(12).toString('hex')}`);
    const file = await open(temporary, 'wx', mode);
    try {
      if (content instanceof Uint8Array) await file.writeFile(content);
      else await copyInto(file, content);
      if (sync) await file.sync();
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    return temporary;
  }

  private async guarded<T>(path: string, work: () => Promise<T>, tries = 2): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // Somebody may have removed folders that we made before: look again, once. Who failed beside us may have
      // forgotten them for us.
      const again = tries > 1 && hasCode(error, 'ENOENT');
      this.durable.clear();
      if (again) return this.guarded(path, work, tries - 1);
      if (hasCode(error, 'ENOTDIR') || hasCode(error, 'EISDIR') || hasCode(error, 'ELOOP')) {
        throw new UserError({
          code: 'storage_unsuitable',
          message: 'A file stands where the store needs a folder, or the other way round.',
          where: path,
          fix: 'Choose another folder with --store, or move what stands in the way.',
          cause: error,
        });
      }
      throw asStorageError(error, path);
    }
  }
}

function tooLong(path: string, size: number, limit: number): UserError {
  return new UserError({
    code: 'object_damaged',
    message: `The stored file has ${size} bytes, more than the ${limit} that it may have.`,
    where: path,
    fix: 'Run `modelgate registry verify` to see what is damaged.',
  });
}

function outside(path: string): UserError {
  return new UserError({
    code: 'storage_unsuitable',
    message: 'There is a link inside the store.',
    where: path,
    fix: 'Remove the link: a store holds plain files and folders alone.',
  });
}

function notPlain(path: string): UserError {
  return new UserError({
    code: 'storage_unsuitable',
    message: 'Something that is not a plain file stands where the store keeps one.',
    where: path,
    fix: 'Remove it: a store holds plain files and folders alone. Then run `modelgate registry verify`.',
  });
}

function irregularEntry(key: string): StoredEntry {
  return { key, size: 0, modified: new Date(0), irregular: true };
}

function noStore(folder: string): UserError {
  return new UserError({
    code: 'storage_unavailable',
    message: 'There is no store at this place.',
    where: folder,
    fix: 'Check --store; `modelgate run` makes a store at its first use.',
  });
}
