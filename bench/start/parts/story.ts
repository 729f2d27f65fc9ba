import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { table } from '../../../src/cli/terminal.ts';

const root = path.join(import.meta.dirname, '../../..');
const cache = path.join(os.tmpdir(), `modelgate-bench-${process.pid}`);
const env = { ...process.env, MODELGATE_CACHE: cache };

interface Measured {
  seconds: number;
  /** Of all processes of the run together, in seconds. */
  cpu: number;
  /** The largest sum of resident memory of the process tree, sampled, in MiB. */
  memory: number;
}

async function measure(command: string, args: readonly string[]): Promise<Measured> {
  const started = performance.now();
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  let memory = 0;
  let last = new Map<number, number>();
  let cpu = 0;
  const sample = async () => {
    const tree = await processTree(child.pid ?? 0);
    memory = Math.max(
      memory,
      tree.reduce((sum, one) => sum + one.memory, 0),
    );
    const now = new Map(tree.map((one) => [one.pid, one.cpu]));
    for (const [pid, ticks] of last) if (!now.has(pid)) cpu += ticks;
    last = now;
  };
  const timer = setInterval(() => void sample(), 100);
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  clearInterval(timer);
  for (const ticks of last.values()) cpu += ticks;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  return { seconds: (performance.now() - started) / 1000, cpu, memory };
}

/** The processes below one, with their resident memory (MiB) and CPU time (s), from /proc. */
async function processTree(top: number): Promise<{ pid: number; memory: number; cpu: number }[]> {
  const all = new Map<number, { parent: number; memory: number; cpu: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      all.set(Number(name), {
        parent: Number(fields[1]),
        cpu: (Number(fields[11]) + Number(fields[12])) / 100,
        memory: (Number(fields[21]) * 4096) / 2 ** 20,
      });
    } catch {
      // it has ended
    }
  }
  const below = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent)
      if (at === top) return true;
    return false;
  };
  return [...all].filter(([pid]) => below(pid)).map(([pid, { memory, cpu }]) => ({ pid, memory, cpu }));
}

/** January's run, stage by stage, beside the time that the training script itself took. */
async function overhead(): Promise<string> {
  const store = path.join(cache, 'store');
  const config = path.join(root, 'examples/flights/modelgate.yaml');
  const modelgate = async (command: string) => {
    const args = [
      path.join(root, 'bin/modelgate.js'),
      command,
      '--config',
      config,
      '--store',
      store,
      '--json',
      '--quiet',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 20_000_000 });
    return JSON.parse(stdout) as {
      stages: { stage: string; seconds: number }[];
      timings: Record<string, number>;
    };
  };
  const run = await modelgate('run');
  const script = (await modelgate('train')).timings.training ?? 0;
  const stages = run.stages.map(({ stage, seconds }) => [stage, seconds.toFixed(2)]);
  const train = run.stages.find(({ stage }) => stage === 'train')?.seconds ?? 0;
  return table(
    ['January, fresh store', 'seconds'],
    [
      ...stages,
      ['all stages', (run.timings.total ?? 0).toFixed(2)],
      ['the script alone', script.toFixed(2)],
      ['train stage over the script', (train - script).toFixed(2)],
    ],
  );
}

/**
 * What a newcomer waits for: the first `npm start` (with the Python environment's installation), the second, and
 * what the pipeline costs over the bare training script, with a fresh cache folder that is removed at the end.
 */
export async function run(): Promise<boolean> {
  await mkdir(cache);
  try {
    await rm(path.join(root, 'examples/flights/.modelgate'), { recursive: true, force: true });
    const first = await measure('npm', ['start', '--silent']);
    const second = await measure('npm', ['start', '--silent']);
    const rows = (
      [
        ['npm start, the first time', first],
        ['npm start, the second time', second],
      ] as const
    ).map(([what, one]) => [what, one.seconds.toFixed(1), one.cpu.toFixed(1), one.memory.toFixed(0)]);
    console.log(table(['what', 'seconds', 'CPU seconds', 'peak MiB'], rows));
    console.log(`\n${await overhead()}`);
    return true;
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}
