import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/stats/random.ts';
import { start } from './process.ts';
import { nextCommand, problemsOf } from './soundness.ts';
import { type Acknowledged, acknowledgedIn } from './told.ts';

export interface Kills {
  kills: number;
  /** Operations that were acknowledged before a kill. */
  acknowledged: number;
  /** Kills that came between the ends of two cycles. */
  amid: number;
  problems: string[];
}

/** So many kills hit one store before a new one is begun: the first operations of a store are others than the later. */
const perStore = 8;
/** A moment is so many told lines after the start, and then so many milliseconds: disks differ in speed. */
const lines = 9;
const milliseconds = 60;

/**
 * Kills a process that registers, promotes and rolls back, again and again at random moments; the next one repeats
 * the cycle that was cut off, with the same operation ids, and goes on.
 */
export async function killAtRandomMoments(options: {
  seed: number;
  kills: number;
  bug: string | null;
}): Promise<Kills> {
  const random = seededRandom(options.seed);
  const found: Kills = { kills: 0, acknowledged: 0, amid: 0, problems: [] };
  while (found.kills < options.kills) {
    const top = mkdtempSync(path.join(os.tmpdir(), 'modelgate-kills-'));
    const folder = path.join(top, 'registry', 'store');
    const acknowledged: Acknowledged[] = [];
    let cycle = 1;
    try {
      for (let kill = 0; kill < perStore && found.kills < options.kills; kill += 1) {
        const line = 1 + random.below(lines);
        const moment = random.uniform() * milliseconds;
        const { child, ended } = start({ folder, steps: [`cycles:${cycle}`], bug: options.bug });
        await toldLines(child, line);
        await sleep(moment);
        child.kill('SIGKILL');
        const { code, told, stderr } = await ended;
        found.kills += 1;
        const name = `kill ${found.kills} ${moment.toFixed(0)} ms after line ${line}`;
        if (code !== null) found.problems.push(`${name}: ended by itself with ${code}: ${stderr}`);
        acknowledged.push(...acknowledgedIn(told));
        found.acknowledged += acknowledgedIn(told).length;
        const last = told.findLast((line) => line.kind === 'cycle');
        cycle = (last?.number ?? cycle - 1) + 1;
        if (told.at(-1)?.kind !== 'cycle') found.amid += 1;
        for (const problem of await problemsOf(folder, acknowledged))
          found.problems.push(`${name}: ${problem}`);
      }
      const failed = await nextCommand(folder, [`cycle:${cycle}`, `cycle:${cycle + 1}`]);
      if (failed !== null) found.problems.push(failed);
      found.problems.push(...(await problemsOf(folder, acknowledged)));
    } finally {
      rmSync(top, { recursive: true, force: true });
    }
  }
  return found;
}

/** Waits until a process has written so many lines, or ended. */
function toldLines(child: ChildProcess, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    child.stdout?.on('data', (part: string) => {
      count += part.split('\n').length - 1;
      if (count >= wanted) resolve();
    });
    child.once('close', () => resolve());
  });
}
