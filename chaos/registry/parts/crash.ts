/**
 * A crash at any moment leaves a sound registry: kill -9 at random moments; a kill, a disk error and a full disk at every
 * system call that changes or syncs a file; power cuts, with every state that the disk may hold rebuilt.
 *
 *   npm run chaos:registry -- crash [--kills 200] [--seed 1] [--only kills|injection|power|overtaking]
 */
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { type Injected, injectEverywhere, type Subject } from '../../../test/registry/crash/injection.ts';
import { killAtRandomMoments } from '../../../test/registry/crash/kills.ts';
import { overtakeAtCommit } from '../../../test/registry/crash/overtaking.ts';
import { cutPower, type Scenario } from '../../../test/registry/crash/power-cut.ts';
import {
  commandLine,
  cycle,
  cycleAgain,
  firstCycle,
  promotion,
  promotionAgain,
} from '../../../test/registry/crash/proofs.ts';
import { noStrace } from '../../../test/registry/crash/strace.ts';

const syncAndLink = ['fsync', 'fdatasync', 'link', 'linkat'];
const others = ['rename', 'unlink', 'mkdir'];
/** The links of a new store's first cycle after which it is killed: objects, manifests, each kind of entry. */
const killedAfter = [1, 8, 15, 16, 17];

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  const missing = noStrace();
  if (missing !== null) {
    console.log(missing);
    return false;
  }
  const seed = Number(values.seed);
  const parts: Record<string, () => Promise<readonly string[]>> = {
    kills: () => kills(Number(values.kills), seed),
    injection,
    power: () => power(seed),
    overtaking,
  };
  const problems: string[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (values.only === undefined || values.only === name) problems.push(...(await part()));
  }
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
  console.log(`problems in all: ${problems.length}`);
  return problems.length === 0;
}

async function kills(count: number, seed: number): Promise<readonly string[]> {
  const found = await killAtRandomMoments({ seed, kills: count, bug: null });
  console.log(
    `kill -9 at random moments: ${found.kills} kills, ${found.amid} amid a cycle; ` +
      `${found.acknowledged} acknowledged, ${tally(found.problems)}`,
  );
  return found.problems;
}

async function injection(): Promise<readonly string[]> {
  const problems: string[] = [];
  const errors = ['EIO', 'ENOSPC'] as const;
  const all = ['SIGKILL', ...errors] as const;
  const subjects: [Subject, readonly string[], readonly (typeof all)[number][]][] = [
    [promotion, [...syncAndLink, ...others], all],
    [promotion, ['write'], errors],
    [commandLine, syncAndLink, all],
    [firstCycle, syncAndLink, all],
  ];
  for (const [subject, kinds, faults] of subjects) {
    const found = await injectEverywhere({ subject, kinds, faults, bug: null });
    console.log(`${faults.join(', ')} at every call of ${subject.name}: ${describe(found)}`);
    problems.push(...found.problems);
  }
  return problems;
}

function describe(found: Injected): string {
  const calls = Object.entries(found.calls).map(([name, count]) => `${count} ${name}`);
  return (
    `${calls.join(', ')}: ${found.faults} faults, ${found.killed} killed, ${found.refused} refused with the cause, ` +
    `${found.done} done without the call, ${tally(found.problems)}`
  );
}

async function power(seed: number): Promise<readonly string[]> {
  const problems: string[] = [];
  const scenarios: readonly Scenario[] = [
    firstCycle,
    cycle,
    promotion,
    promotionAgain,
    ...killedAfter.map(cycleAgain),
  ];
  for (const scenario of scenarios) {
    const found = await cutPower({ scenario, seed, bug: null });
    console.log(
      `power cut in ${scenario.name}: ${found.moments} moments, ${found.states} states of the disk, ` +
        `${found.distinct} different ones verified, ${tally(found.problems)}`,
    );
    problems.push(...found.problems.map((problem) => `${scenario.name}: ${problem}`));
  }
  return problems;
}

async function overtaking(): Promise<readonly string[]> {
  const problems = await overtakeAtCommit(null);
  console.log(`overtaken at its commit by another process: ${tally(problems)}`);
  return problems;
}

function tally(problems: readonly string[]): string {
  const count = (kind: string) => problems.filter((problem) => problem.includes(`${kind}: `)).length;
  const rest = problems.length - count('corrupt') - count('lost');
  return `${count('corrupt')} corrupt, ${count('lost')} acknowledged and lost, ${rest} other problems`;
}
