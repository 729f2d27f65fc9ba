/**
 * A check of a 90-day window from stored blocks: what it costs to profile days once, one more day, and then the check
 * itself in a process of its own (CPU seconds of all threads, start included or not, and peak memory). The check runs
 * bundled, as users have it: there no types are stripped.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { table } from '../../../src/cli/terminal.ts';
import { bundled } from '../bundled.ts';
import { writeLog } from '../prediction-log.ts';

const check = path.join(import.meta.dirname, '../blocks-check.ts');
/** CPU seconds of the check itself. */
const goal = 0.3;

interface Cost {
  cpu: number;
  /** The process from its start to its end. */
  process: number;
  /** MiB. */
  memory: number;
}

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '10000000' },
      days: { type: 'string', default: '90' },
      runs: { type: 'string', default: '5' },
    },
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-bench-'));
  try {
    const days = Number(values.days);
    await mkdir(path.join(folder, 'work'));
    await writeLog(folder, { rows: Number(values.rows), days: days + 1 });
    const bundle = await bundled(check, path.join(folder, 'bundle'));
    const measure = async (step: string, until: number): Promise<Cost> => {
      // the native library that profiling needs is looked up beside the sources
      const program = step === 'check' ? bundle : check;
      const { stdout } = await promisify(execFile)(process.execPath, [program, folder, step, String(until)], {
        maxBuffer: 1e8,
      });
      return JSON.parse(stdout) as Cost;
    };
    const rows: [string, Cost[]][] = [
      ['training rows, once', [await measure('training', 0)]],
      ['30 days, once', [await measure('days', 30)]],
      [`${days - 30} more, once`, [await measure('days', days)]],
      ['one more day', [await measure('days', days + 1)]],
    ];
    const checks: Cost[] = [];
    for (let i = 0; i < Number(values.runs); i++) checks.push(await measure('check', days));
    rows.push([`check of ${days} days from blocks`, checks]);
    console.log(`${values.rows} rows a side x 20 columns`);
    console.log(
      table(
        ['step', 'CPU s', 'CPU s of the process', 'peak MiB'],
        rows.map(([name, costs]) => [
          name,
          spread(costs.map(({ cpu }) => cpu)),
          spread(costs.map((cost) => cost.process)),
          spread(
            costs.map(({ memory }) => memory),
            0,
          ),
        ]),
      ),
    );
    return median(checks.map(({ cpu }) => cpu)) <= goal;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function spread(values: readonly number[], digits = 2): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  const middle = median(values).toFixed(digits);
  return values.length === 1 ? middle : `${middle} (${low} to ${high})`;
}
