import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors.ts';

/** Names of so many bytes: some hundred thousand files. */
const namesLimit = 64_000_000;

/**
 * A question of which files the checked-out commit holds as they are now. Without git it holds none. Throws `usage`
 * for a repository that git refuses: a poll would take what is pushed for delivered, and start a second run.
 */
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
  } catch (cause) {
    if (await refused(git, folder)) {
      throw new UserError({
        code: 'usage',
        message: 'git does not read this repository, so it cannot be told which data came by a commit.',
        where: folder,
        fix: 'Run `git status` here: it says why. In a container its owner may differ: git config --global --add safe.directory "$PWD".',
        cause,
      });
    }
    return async () => false;
  }
}

/** Whether there is a repository, and git says that there is none. */
async function refused(git: (...args: string[]) => Promise<string>, folder: string): Promise<boolean> {
  try {
    await git('rev-parse', '--git-dir');
    return false; // it has no commit yet
  } catch {
    for (let at = path.resolve(folder); ; at = path.dirname(at)) {
      if (existsSync(path.join(at, '.git'))) return true;
      if (at === path.dirname(at)) return false;
    }
  }
}

const names = (text: string): string[] => text.split('\0').filter((name) => name !== '');
