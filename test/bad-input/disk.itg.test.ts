import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireClear, requireDone } from './claims.ts';
import { canMount, type FullDisk, runOnSmallDisk } from './disk.ts';
import { type Answer, Project } from './project.ts';

const mountable = await canMount();

let project: Project;
beforeAll(async () => {
  project = await Project.make();
  // the Python environment is there before the disk is full
  requireDone(await project.run());
});
afterAll(() => project.close());

/** A whole run leaves some 600 kB in the store: these end in different stages. */
const disks: Pick<FullDisk, 'limit' | 'on'>[] = [
  { on: 'store', limit: 'size=16k' },
  { on: 'store', limit: 'size=256k' },
  { on: 'store', limit: 'size=10m,nr_inodes=30' },
  { on: 'tmp', limit: 'size=1m,nr_inodes=3' },
  { on: 'tmp', limit: 'size=1m,nr_inodes=5' },
  { on: 'tmp', limit: 'size=128k' },
  { on: 'tmp', limit: 'size=200k' },
];

describe.skipIf(!mountable)('a disk that fills', () => {
  it.each(disks)('$on on a disk of $limit', { timeout: 120_000 }, async ({ on, limit }) => {
    const answers = await runOnSmallDisk({ folder: project.folder, on, limit });
    const error = requireClear(answers.full, 'storage_unavailable');
    expect(error.message).toMatch(/disk is full/);
    expect(error.where, 'the disk that is full').toContain(`/disks/${on}-`);
    expect(error.fix).toMatch(/Free some space and run the same command again/);
    sound(answers.verified);
    requireDone(answers.again);
    sound(answers.verifiedAgain);
  });
});

function sound(answer: Answer): void {
  expect(answer.json?.answer, answer.stdout + answer.stderr).toBe('sound');
  expect(answer.code).toBe(0);
}
