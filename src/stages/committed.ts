import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.ts';
import { entries, git } from '../repository/git.ts';

/**
 * A question of which files the checked-out commit holds as they are now. Without git it holds none. Throws `usage`
 * for a repository that git refuses: a poll would take what is pushed for delivered, and start a second run.
 */
export async function commitHolds(folder: string): Promise<(file: string) => Promise<boolean>> {
  const root = await git(folder, ['rev-parse', '--show-toplevel']);
  const listed = await git(folder, ['ls-tree', '--full-tree', '-r', '-z', '--name-only', 'HEAD']);
  const changed = await git(folder, ['diff', '--name-only', '-z', '--no-ext-diff', 'HEAD']);
  if (root === null || listed === null || changed === null) {
    if (!(await refused(folder))) return async () => false;
    throw new UserError({
      code: 'usage',
      message: 'git does not read this repository, so it cannot be told which data came by a commit.',
      where: folder,
      fix: 'Run `git status` here: it says why. In a container its owner may differ: git config --global --add safe.directory "$PWD".',
    });
  }
  const top = await realpath(root.replace(/\r?\n$/, ''));
  const held = new Set(entries(listed));
  for (const name of entries(changed)) held.delete(name);
  return async (file) =>
    held.has(
      path
        .relative(top, await realpath(file))
        .split(path.sep)
        .join('/'),
    );
}

/** Whether there is a repository, and git says that there is none. */
async function refused(folder: string): Promise<boolean> {
  // without a commit it is one that holds nothing
  if ((await git(folder, ['rev-parse', '--git-dir'])) !== null) return false;
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (existsSync(path.join(at, '.git'))) return true;
    if (at === path.dirname(at)) return false;
  }
}
