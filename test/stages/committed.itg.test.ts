import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commitHolds } from '../../src/stages/committed.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'committed-'));
  await writeFile(path.join(folder, 'rows.csv'), 'a\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('[TRG-4] without a repository, or a commit, no file is of the commit', async () => {
  const file = path.join(folder, 'rows.csv');
  expect(await (await commitHolds(folder))(file)).toBe(false);
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  expect(await (await commitHolds(folder))(file)).toBe(false);
});

it('[TRG-4] a repository that git refuses is no repository without commits', async () => {
  await writeFile(path.join(folder, '.git'), 'gitdir: gone\n');
  await expect(commitHolds(folder)).rejects.toMatchObject({ code: 'usage' });
});
