import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.ts';

/** A file to write, by its path from the repository's root. */
export interface NewFile {
  path: string;
  /** What it is for, in a few words. */
  what: string;
  content: { text: string } | { copy: string };
}

/** Lines that a file of the user's is to hold. */
export interface Lines {
  path: string;
  what: string;
  lines: readonly string[];
}

export interface FileResult {
  path: string;
  action: 'written' | 'extended' | 'left';
  what: string;
}

/** Whether anything is there: a link that leads nowhere, too. */
export async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

/**
 * Writes files that are not there, and says of each what came of it. Nothing is overwritten, links are not followed
 * out of the repository, and of a failure nothing is left.
 */
export async function writeNew(
  root: string,
  { files, lines, dryRun }: { files: readonly NewFile[]; lines: readonly Lines[]; dryRun: boolean },
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  try {
    for (const { path: name, what, content } of files) {
      const file = path.join(root, name);
      const there = await isThere(file);
      results.push({ path: name, action: there ? 'left' : 'written', what });
      if (there || dryRun) continue;
      await makeFolders(root, path.dirname(name), undo);
      if ('copy' in content) await copyFile(content.copy, file, constants.COPYFILE_EXCL);
      else await writeFile(file, content.text, { flag: 'wx' });
      undo.push(() => rm(file, { force: true }));
    }
    for (const { path: name, what, lines: wanted } of lines) {
      const file = path.join(root, name);
      const before = await textOf(file);
      const known = new Set((before ?? '').split(/\r?\n/).map((line) => line.trim()));
      const missing = wanted.filter((line) => !known.has(line));
      const action = missing.length === 0 ? 'left' : before === null ? 'written' : 'extended';
      results.push({ path: name, action, what });
      if (missing.length === 0 || dryRun) continue;
      const gap = before === null || before === '' || before.endsWith('\n') ? '' : '\n';
      const temporary = `${file}.modelgate-${process.pid}`;
      undo.push(() => rm(temporary, { force: true }));
      await writeFile(temporary, `${before ?? ''}${gap}${missing.join('\n')}\n`, { flag: 'wx' });
      await rename(temporary, file);
    }
    return results;
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error;
  }
}

/** Makes the folders of a file one by one. Throws `usage` where one is a link or a file. */
async function makeFolders(root: string, folder: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  let at = root;
  for (const part of folder.split('/').filter((name) => name !== '.' && name !== '')) {
    at = path.join(at, part);
    const found = await lstat(at).catch(() => null);
    if (found?.isDirectory() === true) continue;
    if (found !== null) {
      throw new UserError({
        code: 'usage',
        message: 'A folder is needed here, and something else is in its place.',
        where: at,
        fix: 'Move it away, or make a folder of it.',
      });
    }
    await mkdir(at);
    const made = at;
    undo.push(() => rmdir(made));
  }
}

async function textOf(file: string): Promise<string | null> {
  const found = await lstat(file).catch(() => null);
  if (found === null) return null;
  if (found.isFile() && found.size <= 1_000_000) return readFile(file, 'utf8');
  throw new UserError({
    code: 'usage',
    message: 'This is no plain small file, so no lines are added to it.',
    where: file,
    fix: 'Make a plain file of it.',
  });
}
