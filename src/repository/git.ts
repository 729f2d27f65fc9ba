import { execFile } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.ts';

/** The repository's own settings could hide submodules. */
const diffOptions = ['-r', '-z', '--name-only', '--no-renames', '--ignore-submodules=none'];

/** Bytes that git may say: about half a million long paths. */
const mostOutput = 64 * 1024 * 1024;

/** A tracked file; `link`: a symbolic link. */
export interface TrackedFile {
  path: string;
  link: boolean;
}

/** The root of the repository that a folder lies in. Throws `usage` where it lies in none. */
export async function repositoryRoot(folder: string): Promise<string> {
  const said = await git(folder, ['rev-parse', '--show-toplevel']);
  const root = said?.replace(/\r?\n$/, '');
  if (root !== undefined && root !== '') return root;
  throw new UserError({
    code: 'usage',
    message: 'This folder lies in no git repository.',
    where: folder,
    fix: 'Run in a clone of the model repository; in a workflow after actions/checkout.',
  });
}

/** The files that git tracks and that fit one of these patterns, from the root, sorted. */
export async function trackedFiles(root: string, patterns: readonly string[]): Promise<TrackedFile[]> {
  const wanted = patterns.map((pattern) => `:(top,glob)${pattern}`);
  const said = await git(root, ['ls-files', '--stage', '-z', '--', ...wanted]);
  if (said === null)
    throw new UserError({
      code: 'usage',
      message: 'git cannot list the files of this repository.',
      where: root,
      fix: 'Run `git ls-files` here: it says why.',
    });
  // mode, object, stage, a tab, the path; amid a merge a path has several stages
  const links = new Map(
    entries(said).map((entry) => [entry.slice(entry.indexOf('\t') + 1), entry.startsWith('120000 ')]),
  );
  return [...links].map(([file, link]) => ({ path: file, link })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The symbolic links that git tracks, and what each names in the repository, both from the root. */
export async function trackedLinks(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { path: link, link: isLink } of await trackedFiles(root, ['**'])) {
    if (!isLink) continue;
    // not there, or a plain file where the file system has no links
    const named = await readlink(path.join(root, link)).catch(() => null);
    if (named === null) continue;
    const end = path
      .relative(root, path.resolve(root, path.dirname(link), named))
      .split(path.sep)
      .join('/');
    if (end !== '' && end !== '..' && !end.startsWith('../') && !path.isAbsolute(end)) found.set(link, end);
  }
  return found;
}

/**
 * Paths that differ between the last commit that HEAD has in common with `ref`, and HEAD; of what was renamed the old
 * path and the new one. Throws `usage` where this clone does not have that commit.
 */
export async function changedSince(root: string, ref: string): Promise<string[]> {
  const commit = await git(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
  const base =
    commit === null ? null : await git(root, ['merge-base', '--end-of-options', commit.trim(), 'HEAD']);
  const said = base === null ? null : await git(root, ['diff-tree', ...diffOptions, base.trim(), 'HEAD']);
  if (said !== null) return [...new Set(entries(said))].sort();
  throw new UserError({
    code: 'usage',
    message:
      commit === null
        ? `This clone has no commit ${JSON.stringify(ref.slice(0, 100))}.`
        : `What changed since ${JSON.stringify(ref.slice(0, 100))} cannot be told in this clone.`,
    where: '--changed-since',
    fix: 'Fetch it with its history (`fetch-depth: 0` of actions/checkout), or leave --changed-since out for every model.',
  });
}

/** What `-z` puts between NULs. */
export const entries = (said: string): string[] => said.split('\0').filter((entry) => entry !== '');

/** What git says; null where it says no. */
export function git(folder: string, args: readonly string[]): Promise<string | null> {
  const options = { cwd: folder, maxBuffer: mostOutput, timeout: 120_000, encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    execFile('git', [...args], options, (error, stdout) => resolve(error === null ? stdout : null));
  });
}
