import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Names of so many bytes: some hundred thousand files. */
const namesLimit = 64_000_000;

/** A question of which files the checked-out commit holds as they are now. Without git it holds none. */
export async function commitHolds(folder: string): Promise<(file: string) => Promise<boolean>> {
  const git = async (...args: string[]) => {
    const options = { cwd: folder, timeout: 60_000, maxBuffer: namesLimit };
    return (await promisify(execFile)('git', args, options)).stdout;
  };
  try {
    const root = await realpath((await git('rev-parse', '--show-toplevel')).replace(/\r?\n$/, ''));
    const held = new Set(names(await git('ls-tree', '--full-tree', '-r', '-z', '--name-only', 'HEAD')));
    for (const name of names(await git('diff', '--name-only', '-z', '--no-ext-diff', 'HEAD')))
      held.delete(name);
    return async (file) =>
      held.has(
        path
          .relative(root, await realpath(file))
          .split(path.sep)
          .join('/'),
      );
  } catch {
    return async () => false;
  }
}

const names = (text: string): string[] => text.split('\0').filter((name) => name !== '');
