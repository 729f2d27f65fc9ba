/**
 * CPU seconds (all threads) and peak memory of one comparison of two Parquet files of 20 columns, each tool as a
 * process of its own, start included: `modelgate drift` from dist/ (run `npm run build` first), and the peers.
 */
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { table } from '../../../src/cli/terminal.ts';
import { writeTables } from '../tables.ts';

const root = path.join(import.meta.dirname, '../../..');
const peers = path.join(import.meta.dirname, '../peers.py');
const tools = ['scipy', 'alibi-detect', 'nannyml', 'evidently'];
/** For at most so many rows a side. */
const goals = [
  { rows: 1_000_000, cpu: 4, memory: 200 },
  { rows: 10_000_000, cpu: 40, memory: 400 },
];

/** Exit codes of `modelgate drift` and of `timeout`. */
const driftFound = 2;
const timedOut = 124;

interface Cost {
  /** Seconds, of all threads. */
  cpu: number;
  /** Seconds; others may be using the machine. */
  wall: number;
  /** MiB. */
  memory: number;
}

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '300' },
      entry: { type: 'string', default: path.join(root, 'dist/cli.js') },
      python: { type: 'string', multiple: true, default: [] },
    },
  });
  await access(values.entry);
  const rows = Number(values.rows);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-bench-'));
  try {
    const files = await writeTables(folder, rows);
    const script = `const { main } = await import(process.argv[1]); process.exitCode = await main(process.argv.slice(2));`;
    const drift = ['drift', '--reference', files[0], '--current', files[1], '--time', 'at', '--json'];
    const ours = [
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      '--',
      path.resolve(values.entry),
      ...drift,
    ];
    const commands = new Map<string, string[]>([['modelgate', ours]]);
    for (const python of values.python) {
      const versions = await versionsOf(python);
      for (const tool of tools) {
        const name = `${tool} ${versions[tool]}`;
        if (versions[tool] === undefined || commands.has(name)) continue;
        commands.set(name, [python, peers, 'speed', tool, ...files]);
      }
    }
    const rowsTold: string[][] = [];
    let held = true;
    for (const [name, command] of commands) {
      const costs: Cost[] = [];
      for (let i = 0; i < Number(values.runs); i++) {
        const cost = await measure(command, { cwd: folder, seconds: Number(values.seconds) });
        if (cost === null) break;
        costs.push(cost);
        process.stderr.write(`${name}: ${cost.cpu.toFixed(1)} s, ${cost.memory.toFixed(0)} MiB\n`);
      }
      const told = costs.length < Number(values.runs);
      rowsTold.push([
        name,
        told ? `not done after ${values.seconds} s` : spread(costs.map(({ cpu }) => cpu)),
        ...(['wall', 'memory'] as const).map((what) =>
          told ? '–' : spread(costs.map((cost) => cost[what])),
        ),
      ]);
      const goal = goals.find((one) => rows <= one.rows);
      if (name === 'modelgate' && goal !== undefined) {
        held = !told && median(costs, 'cpu') <= goal.cpu && median(costs, 'memory') <= goal.memory;
      }
    }
    console.log(`${rows.toLocaleString('en-US')} rows a side, 20 columns; median (least to most)`);
    console.log(table(['tool', 'CPU seconds', 'wall seconds', 'peak MiB'], rowsTold));
    return held;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function versionsOf(python: string): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(python, [peers, 'versions']);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, string>;
}

/** GNU time's figures of a command: user and system seconds of all its threads, the largest resident memory. */
async function measure(
  command: readonly string[],
  { cwd, seconds }: { cwd: string; seconds: number },
): Promise<Cost | null> {
  const told = await promisify(execFile)(
    'time',
    ['-f', 'cost %U %S %e %M', 'timeout', String(seconds), ...command],
    { cwd, maxBuffer: 2 ** 28 },
  ).catch((error: { code?: number; stderr?: string }) => error);
  const [, user, system, wall, kib] = /cost ([\d.]+) ([\d.]+) ([\d.]+) (\d+)/.exec(told.stderr ?? '') ?? [];
  const code = 'code' in told ? told.code : 0;
  if (code === timedOut) return null;
  if (kib === undefined || (code !== 0 && code !== driftFound))
    throw new Error(
      `${command[0]} failed (${code}):\n${told.stderr?.trim().split('\n').slice(-4).join('\n')}`,
    );
  return { cpu: Number(user) + Number(system), wall: Number(wall), memory: Number(kib) / 1024 };
}

function median(costs: readonly Cost[], what: keyof Cost): number {
  const sorted = costs.map((cost) => cost[what]).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const digits = (sorted[0] as number) < 100 ? 1 : 0;
  const [least, middle, most] = [0, sorted.length >> 1, sorted.length - 1].map((i) =>
    (sorted[i] as number).toFixed(digits),
  );
  return `${middle} (${least} to ${most})`;
}
