import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Operations } from './operations.ts';
import { nextCommand, problemsOf } from './soundness.ts';
import { type Traced, trace } from './strace.ts';
import { type Acknowledged, acknowledgedIn, type Told } from './told.ts';

/** Longer and longer, for a machine that is busy. */
const delays = [3, 10, 30];

/**
 * A process is held at its commit, with its entry written and not yet linked; another one commits in the same place
 * meanwhile. The first must find itself overtaken and take the next place. Gives what went wrong.
 */
export async function overtakeAtCommit(bug: string | null): Promise<string[]> {
  for (const delaySeconds of delays) {
    const problems = await attempt(bug, delaySeconds);
    if (problems !== null) return problems;
  }
  throw new Error('the second process was never in time');
}

/** Null when the second process was too late to overtake. */
async function attempt(bug: string | null, delaySeconds: number): Promise<string[] | null> {
  const top = mkdtempSync(path.join(os.tmpdir(), 'modelgate-overtake-'));
  const folder = path.join(top, 'store');
  try {
    const failed = await nextCommand(folder, ['cycle:1', 'register:2']);
    if (failed !== null) throw new Error(failed);
    const held = trace(
      { folder, steps: ['promote:2:staging:overtaken'], bug },
      // of both calls the first one is the commit, whichever makes it
      {
        log: path.join(top, 'trace'),
        fault: { syscall: 'link,rename', when: 1, what: { delaySeconds } },
      },
    );
    let first: Traced | null = null;
    void held.then(
      (traced) => {
        first = traced;
      },
      () => {},
    );
    await written(path.join(folder, 'tmp'), () => first !== null);
    const told: Told[] = [];
    const second = new Operations(folder, (line) => told.push(line));
    await second.step('register:3');
    if (first !== null) return null;
    const { code, told: last, stderr } = await held;
    const acknowledged: Acknowledged[] = [...acknowledgedIn(told), ...acknowledgedIn(last)];
    const problems = await problemsOf(folder, acknowledged);
    if (code !== 0) problems.push(`the overtaken one failed: ${JSON.stringify(last.at(-1))} ${stderr}`);
    return problems;
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** Waits until a temporary file stands there that is no longer written to. */
async function written(folder: string, isOver: () => boolean): Promise<void> {
  const sizes = () =>
    existsSync(folder) ? readdirSync(folder).map((name) => statSync(path.join(folder, name)).size) : [];
  while (!isOver() && !sizes().some((size) => size > 0)) await sleep(20);
  await sleep(300);
}
