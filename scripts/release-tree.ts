/**
 * Writes what a release tag holds into a new folder: what a runner downloads for every step that uses an action, so
 * nothing that it doesn't need. Source maps, tests and sources stay in the repository and in the release's assets.
 *
 *   node scripts/build.ts && node scripts/release-tree.ts FOLDER
 */
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { actionNames, eventActionNames } from '../actions/names.ts';

const root = path.join(import.meta.dirname, '..');

/** Files and folders of a release, from the repository's root. */
const released = [
  'action.yml',
  ...[...actionNames, ...eventActionNames].flatMap((name) => [
    `actions/${name}/action.yml`,
    `actions/${name}/README.md`,
  ]),
  'README.md',
  'SECURITY.md',
  'LICENSE',
];

/** Fills `folder`, which must not be there yet, from the repository and a built `dist`. */
export async function writeReleaseTree(folder: string, dist = path.join(root, 'dist')): Promise<void> {
  await mkdir(folder);
  for (const name of released) await cp(path.join(root, name), path.join(folder, name));
  await cp(dist, path.join(folder, 'dist'), { recursive: true, filter: (file) => !file.endsWith('.map') });
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('name the folder that is to be made');
  await writeReleaseTree(path.resolve(folder));
}
