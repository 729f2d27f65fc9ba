import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import { requireClear, requireDone, requireSound } from './claims.ts';
import { Project } from './project.ts';

const moments = 14;
/** Two at a time: where the runs take each other's processor, the moments shift, which is what is wanted. */
const lanes = 2;

let project: Project;
/** Milliseconds of an undisturbed run, from its first step. */
let length: number;
beforeAll(async () => {
  project = await Project.make();
  requireDone(await project.run({ args: ['run', '--store', project.store('environment')] }));
  const temporary = await temporaryFolder('undisturbed');
  let began = 0;
  const answer = project.run({
    args: ['run', '--store', project.store('undisturbed')],
    env: { TMPDIR: temporary },
  });
  await begun(temporary);
  began = performance.now();
  requireDone(await answer);
  length = performance.now() - began;
});
afterAll(() => project.close());

async function temporaryFolder(name: string): Promise<string> {
  const folder = project.file(path.join('temporary', name));
  await mkdir(folder, { recursive: true });
  return folder;
}

/** A run makes its work folder first of all. */
async function begun(temporary: string): Promise<void> {
  for (let tries = 0; tries < 3_000; tries++) {
    if ((await leftover(temporary)).length > 0) return;
    await sleep(10);
  }
  throw new Error('the run did not begin');
}

async function leftover(temporary: string): Promise<string[]> {
  return readdir(path.join(temporary, 'modelgate')).catch(() => []);
}

/** One run that is stopped after a time, its store looked through, and the same command to its end. */
async function stopAndRunAgain(index: number, after: number): Promise<'interrupted' | 'finished'> {
  const store = project.store(`moment-${index}`);
  const temporary = await temporaryFolder(`moment-${index}`);
  const command = { args: ['run', '--store', store], env: { TMPDIR: temporary } };
  const stopped = await project.run({ ...command, interrupt: { after, begun: () => begun(temporary) } });
  if (stopped.code !== 0) requireClear(stopped, 'interrupted');
  expect(await leftover(temporary), 'work folders left behind').toEqual([]);
  await requireSound(project, store);
  const again = await project.run(command);
  requireDone(again);
  const before = (stopped.json?.stages ?? []).filter(({ verdict }) => verdict === 'pass');
  expect(again.json?.stages?.slice(0, before.length)).toEqual(
    before.map(({ stage }) => expect.objectContaining({ stage, cached: true })),
  );
  await requireSound(project, store);
  return stopped.code === 0 ? 'finished' : 'interrupted';
}

describe('Ctrl-C', () => {
  it('at any moment of a run: told as such, nothing left behind, the store sound, and the run goes on from there', {
    timeout: 300_000,
  }, async () => {
    const random = seededRandom(2013);
    const waits = Array.from(
      { length: moments },
      (_, i) => ((i + random.uniform()) / moments) * 0.9 * length,
    );
    const ends: string[] = [];
    const queue = [...waits.entries()];
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          ends.push(await stopAndRunAgain(...next));
        }
      }),
    );
    expect(ends.filter((end) => end === 'interrupted').length).toBeGreaterThanOrEqual(10);
  });
});
