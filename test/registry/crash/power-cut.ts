import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Random, seededRandom } from '../../../src/stats/random.ts';
import { Disk } from './disk.ts';
import { type DiskState, statesAfterPowerCut } from './disk-states.ts';
import { problemsAfterRestart } from './restart.ts';
import { type Fault, type Traced, trace } from './strace.ts';
import type { Syscall } from './syscalls.ts';
import { type Acknowledged, acknowledgedIn, toldIn } from './told.ts';

/** Processes, one after the other, and where the power may be cut. */
export interface Scenario {
  name: string;
  /** Steps of a process whose work is safe on the disk before the power may be cut. */
  before: readonly string[];
  /** Steps of the processes that the power cut meets. */
  steps: readonly string[];
  /** The steps are begun by a process that is killed right after its link number so many, and done by a second one. */
  killedAfterLink?: number;
}

export interface PowerCuts {
  /** Moments at which the power was cut: after each call that changed the disk, or told that something is done. */
  moments: number;
  /** States of the disk that were built, and the different ones among them, which were verified. */
  states: number;
  distinct: number;
  problems: string[];
}

/** The store's place below the folder that is there from the start: its parents are made by it too. */
const place = path.join('registry', 'store');

/** Records the system calls of a scenario and verifies every state that the disk may hold at each moment. */
export async function cutPower(options: {
  scenario: Scenario;
  seed: number;
  bug: string | null;
  /** Enough to know that something is wrong. */
  firstProblemOnly?: boolean;
}): Promise<PowerCuts> {
  const { scenario, seed, bug, firstProblemOnly = false } = options;
  const top = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'modelgate-power-')));
  const live = path.join(top, 'live');
  const record = async (steps: readonly string[], fault: Fault | null, where = live) => {
    const traced = await trace(
      { folder: path.join(where, place), steps, bug },
      { log: `${top}/trace`, fault },
    );
    if (traced.code === (fault === null ? 0 : null)) return traced;
    throw new Error(
      `a process ended with ${traced.code}: ${JSON.stringify(traced.told.at(-1))} ${traced.stderr}`,
    );
  };
  mkdirSync(live);
  try {
    const run = new Run(live, seed, {
      after: path.join(top, 'after'),
      next: scenario.steps,
      firstProblemOnly,
    });
    if (scenario.before.length > 0) run.settle(await record(scenario.before, null));
    if (scenario.killedAfterLink !== undefined) {
      const twin = path.join(top, 'twin');
      cpSync(live, twin, { recursive: true });
      const { calls } = await record(scenario.steps, null, twin);
      await run.take(await record(scenario.steps, killAfterLink(calls, scenario.killedAfterLink)));
    }
    await run.take(await record(scenario.steps, null));
    return run.found;
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** Kills at the sync that follows a link: what was linked is visible, and nothing is durable yet. */
function killAfterLink(calls: readonly Syscall[], number: number): Fault {
  let links = 0;
  let syncs = 0;
  for (const { name } of calls) {
    if (name === 'link' || name === 'linkat') links += 1;
    if (name === 'fsync') syncs += 1;
    if (name === 'fsync' && links === number) return { syscall: 'fsync', when: syncs, what: 'SIGKILL' };
  }
  throw new Error(`there is no sync after link ${number}`);
}

/** A disk that takes in the traces of processes, and is cut off from power after every call. */
class Run {
  readonly found: PowerCuts = { moments: 0, states: 0, distinct: 0, problems: [] };
  private readonly disk: Disk;
  private readonly random: Random;
  private readonly options: { after: string; next: readonly string[]; firstProblemOnly: boolean };
  private readonly seen = new Set<string>();
  private readonly acknowledged: Acknowledged[] = [];

  constructor(live: string, seed: number, options: Run['options']) {
    this.disk = new Disk(live);
    this.random = seededRandom(seed);
    this.options = options;
  }

  /** Work that is safe on the disk. */
  settle({ calls, told }: Traced): void {
    for (const call of calls) this.disk.apply(call);
    this.disk.settle();
    this.acknowledged.push(...acknowledgedIn(told));
  }

  async take({ calls }: Traced): Promise<void> {
    this.disk.forgetDescriptors();
    for (const call of calls) {
      if (this.options.firstProblemOnly && this.found.problems.length > 0) return;
      const changed = this.disk.apply(call);
      const isTold = call.name === 'write' && /^1\b/.test(call.args);
      const told = isTold ? acknowledgedIn(toldIn(call.strings[0]!.toString())) : [];
      this.acknowledged.push(...told);
      if (changed || told.length > 0)
        await this.cut(told.length > 0 ? 'an operation was told as done' : call.name);
    }
  }

  private async cut(after: string): Promise<void> {
    this.found.moments += 1;
    for (const state of statesAfterPowerCut(this.disk, this.random)) {
      this.found.states += 1;
      const key = `${this.acknowledged.length} ${state.signature}`;
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      this.found.distinct += 1;
      for (const problem of await this.restart(state))
        this.found.problems.push(`cut ${this.found.moments}, after ${after}: ${problem}`);
    }
  }

  private restart(state: DiskState): Promise<string[]> {
    const { after: top, next } = this.options;
    const store = path.join(top, place);
    return problemsAfterRestart(state, { top, store, acknowledged: this.acknowledged, next });
  }
}
