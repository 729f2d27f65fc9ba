import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, UserError } from '../errors.ts';

/** Pages on their way to a folder. What is not published is removed when it is disposed of. */
export interface SiteFolder extends AsyncDisposable {
  /** `name` is relative, such as `models/a.html`. */
  write(name: string, text: string): Promise<void>;
  /** Puts all pages in the place of the earlier ones. Gives the files' names, sorted, and their bytes. */
  publish(): Promise<{ files: string[]; bytes: number }>;
}

/** Beside the pages: says that a folder is ours to replace. */
const marker = '.modelgate-site';

/**
 * Pages are written beside the folder, and take its place at once when all are there. Throws `usage` where the folder
 * holds anything but pages of this kind, or cannot be written.
 */
export async function openSite(output: string): Promise<SiteFolder> {
  await requireOurs(output);
  const partial = `${output}.${randomUUID()}.partial`;
  await orUsage(output, () => mkdir(path.join(partial, 'models'), { recursive: true }));
  const files: string[] = [];
  let bytes = 0;
  return {
    async write(name, text) {
      const content = Buffer.from(text);
      await orUsage(output, () => writeFile(path.join(partial, name), content, { flag: 'wx' }));
      files.push(name);
      bytes += content.length;
    },
    async publish() {
      await orUsage(output, async () => {
        await writeFile(path.join(partial, marker), 'modelgate.site/1\n', { flag: 'wx' });
        // again: somebody may have put a file there meanwhile
        await requireOurs(output);
        await exchange(partial, output);
      });
      return { files: files.sort(), bytes };
    },
    async [Symbol.asyncDispose]() {
      await rm(partial, { recursive: true, force: true });
    },
  };
}

async function exchange(partial: string, output: string): Promise<void> {
  const old = `${output}.${randomUUID()}.old`;
  const replaced = await rename(output, old).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    },
  );
  try {
    await rename(partial, output);
  } catch (error) {
    if (replaced) await rename(old, output);
    throw error;
  }
  if (replaced) await rm(old, { recursive: true, force: true });
}

/** What is there is replaced whole, so it must be nothing, empty, or pages of an earlier run and no other file. */
async function requireOurs(output: string): Promise<void> {
  const stats = await lstat(output).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (stats === null) return;
  const foreign = stats.isDirectory() ? await foreignFile(output) : '';
  if (foreign === null) return;
  throw new UserError({
    code: 'usage',
    message: stats.isDirectory()
      ? `The folder for the pages holds something else: ${foreign}.`
      : 'The folder for the pages is there already, and is no folder.',
    where: output,
    fix: 'Give --output a new or empty folder, or one that `modelgate site` wrote; add files of your own to a copy of it.',
  });
}

/** The first thing in a folder that no run wrote; null where there is none. */
async function foreignFile(folder: string): Promise<string | null> {
  const entries = await readdir(folder, { withFileTypes: true });
  const marked = entries.some((entry) => entry.name === marker && entry.isFile());
  for (const entry of entries) {
    const page = marked && entry.isFile() && [marker, 'index.html'].includes(entry.name);
    if (page) continue;
    if (!marked || entry.name !== 'models' || !entry.isDirectory()) return entry.name;
    const inside = await readdir(path.join(folder, 'models'), { withFileTypes: true });
    const other = inside.find((one) => !one.isFile() || !one.name.endsWith('.html'));
    if (other !== undefined) return `models/${other.name}`;
  }
  return null;
}

async function orUsage(output: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const places = [
      'ENOENT',
      'ENOTDIR',
      'EEXIST',
      'EACCES',
      'EPERM',
      'EROFS',
      'EBUSY',
      'EXDEV',
      'ENAMETOOLONG',
    ];
    if (!places.some((code) => hasCode(error, code))) throw error;
    throw new UserError({
      code: 'usage',
      message: 'The folder for the pages cannot be written.',
      where: output,
      fix: 'Give --output a folder in one that is there and may be written to.',
      cause: error,
    });
  }
}
