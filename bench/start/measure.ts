import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** In milliseconds. */
export interface Times {
  wall: Spread;
  /** Of the process and those that it waited for; in steps of 10 ms. */
  cpu: Spread;
}

type Command = readonly [program: string, args: readonly string[]];

export interface Run {
  command: Command;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/**
 * Runs a command some times, after one run that counts for nothing, each prepared anew and alone. Exit 0 and 2 (not
 * decidable, drift) are answers; throws for another one, since a failure would be measured as a quick start.
 */
export async function measure(runs: number, prepare: () => Promise<Run>): Promise<Times> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i <= runs; i++) {
    const { command, env, cwd } = await prepare();
    const before = childCpu();
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync(command[0], command[1], { env, cwd, encoding: 'utf8' });
    const took = performance.now() - started;
    if (status !== 0 && status !== 2)
      throw new Error(`${command[1].join(' ')}: ${status}\n${stdout}${stderr}`);
    if (i === 0) continue;
    wall.push(took);
    cpu.push(childCpu() - before);
  }
  return { wall: spread(wall), cpu: spread(cpu) };
}

/** CPU time of all children that have ended, in ms; Linux counts it in hundredths of a second. */
function childCpu(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    low: sorted[0] ?? Number.NaN,
    high: sorted.at(-1) ?? Number.NaN,
  };
}
