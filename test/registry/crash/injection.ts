import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { seededRandom } from '../../../src/stats/random.ts';
import { type Call, numbered } from './call-numbers.ts';
import { Disk } from './disk.ts';
import { statesAfterPowerCut } from './disk-states.ts';
import { start } from './process.ts';
import { problemsAfterRestart } from './restart.ts';
import { nextCommand, problemsOf } from './soundness.ts';
import { type Fault, type Traced, trace } from './strace.ts';
import { type Acknowledged, acknowledgedIn, errorIn } from './told.ts';

export interface Subject {
  name: string;
  /** Steps of a process that makes the store as it is before. */
  before: readonly string[];
  /** Steps of the process that is hit, and then run again. */
  steps: readonly string[];
  cli?: boolean;
}

export interface Injected {
  /** Calls of each kind in an undisturbed run, each of which was hit. */
  calls: Record<string, number>;
  faults: number;
  /** How the processes ended: killed, refused with the cause told, or done without needing the call. */
  killed: number;
  refused: number;
  done: number;
  problems: string[];
}

/** Hits every call of some kinds in a process with each fault, one at a time, each on a store of its own. */
export async function injectEverywhere(options: {
  subject: Subject;
  kinds: readonly string[];
  faults: readonly ('SIGKILL' | 'EIO' | 'ENOSPC')[];
  bug: string | null;
  /** Enough to know that something is wrong. */
  firstProblemOnly?: boolean;
}): Promise<Injected> {
  const { subject, kinds, faults, bug, firstProblemOnly = false } = options;
  const found: Injected = { calls: {}, faults: 0, killed: 0, refused: 0, done: 0, problems: [] };
  const laboratory = await Laboratory.open(subject, bug);
  try {
    const clean = await laboratory.run(null);
    if (clean.code !== 0)
      throw new Error(`it fails undisturbed: ${JSON.stringify(clean.told)} ${clean.stderr}`);
    for (const call of laboratory.touching(clean, kinds)) {
      found.calls[call.name] = (found.calls[call.name] ?? 0) + 1;
      for (const what of faults) {
        if (firstProblemOnly && found.problems.length > 0) return found;
        const { end, problems } = await laboratory.hit(call, what);
        found.faults += 1;
        found[end] += 1;
        for (const problem of problems)
          found.problems.push(`${subject.name}: ${what} at ${call.name} ${call.ordinal}: ${problem}`);
      }
    }
    return found;
  } finally {
    laboratory.close();
  }
}

type End = 'killed' | 'refused' | 'done';

/** Stores in one state, made anew for each fault at the same place. */
class Laboratory {
  readonly live: string;
  private readonly top: string;
  private readonly folder: string;
  private readonly subject: Subject;
  private readonly bug: string | null;
  private before: Traced | null = null;

  private constructor(subject: Subject, bug: string | null) {
    this.top = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'modelgate-inject-')));
    this.live = path.join(this.top, 'live');
    this.folder = path.join(this.live, 'registry', 'store');
    this.subject = subject;
    this.bug = bug;
  }

  static async open(subject: Subject, bug: string | null): Promise<Laboratory> {
    const laboratory = new Laboratory(subject, bug);
    mkdirSync(laboratory.live);
    if (subject.before.length > 0) {
      const work = { folder: laboratory.folder, steps: subject.before, bug: null };
      laboratory.before = await trace(work, { log: laboratory.log, fault: null });
      if (laboratory.before.code !== 0) throw new Error(laboratory.before.stderr);
    }
    cpSync(laboratory.live, path.join(laboratory.top, 'template'), { recursive: true });
    return laboratory;
  }

  close(): void {
    rmSync(this.top, { recursive: true, force: true });
  }

  /** Runs the subject on a fresh store. */
  async run(fault: Fault | null): Promise<Traced> {
    rmSync(this.live, { recursive: true, force: true });
    cpSync(path.join(this.top, 'template'), this.live, { recursive: true });
    return trace(this.work, { log: this.log, fault });
  }

  async hit(call: Call, what: Fault['what']): Promise<{ end: End; problems: string[] }> {
    const traced = await this.exactly(call, what);
    const { end, problems } = judge(traced, what);
    const acknowledged = acknowledgedIn([...(this.before?.told ?? []), ...traced.told]);
    problems.push(...(await problemsOf(this.folder, acknowledged)));
    if (end !== 'killed') problems.push(...(await this.afterPowerCut(traced, acknowledged)));
    problems.push(...(await this.again(acknowledged)));
    return { end, problems };
  }

  /** A run in which the fault hit the call that was meant, and no other; anything else proves nothing. */
  private async exactly({ name, ordinal, when }: Call, what: Fault['what']): Promise<Traced> {
    let number = when;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const traced = await this.run({ syscall: name, when: number, what });
      const ofKind = traced.calls.filter((call) => call.name === name);
      const isHit =
        what === 'SIGKILL'
          ? traced.code === null && ofKind.filter(({ result }) => result !== null).length === number - 1
          : ofKind.filter(({ injected }) => injected).length === 1 &&
            this.touching(traced, [name])[ordinal - 1]?.injected === true;
      if (isHit) return traced;
      number = this.touching(await this.run(null), [name])[ordinal - 1]?.when ?? number;
    }
    throw new Error(`${name} ${ordinal} could not be hit`);
  }

  /** The calls of a run that touch the store. */
  touching({ calls }: Traced, kinds: readonly string[]): Call[] {
    return numbered(calls, this.live, kinds);
  }

  /** Runs the same once more, without any repair. */
  private async again(acknowledged: readonly Acknowledged[]): Promise<string[]> {
    const { bug, cli, steps } = this.work;
    if (bug === null && !cli) {
      const failed = await nextCommand(this.folder, steps);
      return failed === null ? problemsOf(this.folder, acknowledged) : [failed];
    }
    const { code, told, stderr } = await start(this.work).ended;
    const problems = await problemsOf(this.folder, [...acknowledged, ...acknowledgedIn(told)]);
    if (code === 0) return problems;
    return [`the next command failed: ${errorIn(told)?.message ?? stderr}`, ...problems];
  }

  /** What was told as done must be safe: a call that failed made nothing durable. */
  private async afterPowerCut(traced: Traced, acknowledged: readonly Acknowledged[]): Promise<string[]> {
    const disk = new Disk(this.live);
    for (const call of this.before?.calls ?? []) disk.apply(call);
    disk.settle();
    disk.forgetDescriptors();
    for (const call of traced.calls) disk.apply(call);
    const after = path.join(this.top, 'after');
    const at = { top: after, store: path.join(after, 'registry', 'store'), acknowledged, next: [] };
    const seen = new Set<string>();
    const problems: string[] = [];
    for (const state of statesAfterPowerCut(disk, seededRandom(fixedSeed))) {
      if (seen.has(state.signature)) continue;
      seen.add(state.signature);
      for (const problem of await problemsAfterRestart(state, at))
        problems.push(`power cut then: ${problem}`);
    }
    return problems;
  }

  private get work() {
    return { folder: this.folder, bug: this.bug, steps: this.subject.steps, cli: this.subject.cli === true };
  }

  private get log(): string {
    return path.join(this.top, 'trace');
  }
}

const fixedSeed = 1;
/** Threads write to wake one another too, now and then once for two wishes: a write's number is not always the same. */
const attempts = 20;

/** Whether the process told the truth about what happened to it. */
function judge({ code, told, stderr }: Traced, what: Fault['what']): { end: End; problems: string[] } {
  if (what === 'SIGKILL') return { end: 'killed', problems: [] };
  if (code === 0) return { end: 'done', problems: [] };
  const problems: string[] = [];
  const error = errorIn(told);
  if (code !== 1 || error?.class !== 'infrastructure')
    problems.push(`exit ${code}: ${JSON.stringify(error)} ${stderr}`);
  if (typeof what === 'string' && error?.message.includes(what) !== true)
    problems.push(`its error does not tell the cause: ${error?.message}`);
  return { end: 'refused', problems };
}
