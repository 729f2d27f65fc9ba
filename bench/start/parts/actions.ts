import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleInto } from '../../../scripts/bundle.ts';
import type { PartOptions } from '../../../scripts/parts.ts';
import { writeReleaseTree } from '../../../scripts/release-tree.ts';
import { prepareStart } from '../../../test/packaging/action.ts';
import { type Prepared, prepare } from '../../../test/packaging/prepared.ts';
import { measure, type Times } from '../measure.ts';

interface Subject {
  name: string;
  /** Milliseconds of wall time that the issue allows, warm; null: no goal. */
  goal: number | null;
  entry: string;
  inputs?: Record<string, string>;
  args?: string[];
}

const subjects = ({ model, evaluation, gate }: Prepared): Subject[] => [
  { name: 'promote', goal: 300, entry: 'promote', inputs: { model: `${model}@3`, to: 'production' } },
  { name: 'rollback', goal: null, entry: 'rollback', inputs: { model, in: 'production' } },
  { name: 'status', goal: null, entry: 'status', inputs: { model } },
  { name: 'register', goal: null, entry: 'register', inputs: { gate } },
  { name: 'gate (2,000 rows)', goal: 400, entry: 'gate', inputs: { evaluation } },
  { name: 'ingest (2,000 rows)', goal: null, entry: 'ingest' },
  { name: 'validate (with ingest)', goal: null, entry: 'validate' },
  { name: 'features (with those)', goal: null, entry: 'features' },
  { name: 'split (with those)', goal: null, entry: 'split' },
  {
    ...{ name: 'drift (2,000 rows, command)', goal: 600, entry: 'command' },
    args: ['drift', '--reference', 'orders.csv', '--current', 'current.csv', '--json'],
  },
];

/** Starts of the bundled actions on a small prepared store, beside an empty Node and imports of Python libraries. */
export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '11' },
      python: { type: 'string', multiple: true, default: ['python3'] },
    },
  });
  const runs = Number(values.runs);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-start-'));
  try {
    const dist = path.join(folder, 'dist');
    await bundleInto(dist);
    await writeCommand(dist);
    console.log(
      `download of an action, compressed: ${await downloadBytes(folder, dist)} bytes (goal 1500000)`,
    );
    const prepared = await prepare(path.join(folder, 'world'));
    console.log('start, warm; wall and CPU in ms: median (range)');
    let held = true;
    const show = (name: string, { wall, cpu }: Times, goal: number | null) => {
      const met = goal === null || wall.median <= goal;
      held &&= met;
      const spread = ({ median, low, high }: Times['wall']) =>
        `${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`;
      const said = goal === null ? '' : `goal ${goal}${met ? '' : ', missed'}`;
      console.log(`${name.padEnd(28)} ${spread(wall).padEnd(20)} ${spread(cpu).padEnd(20)} ${said}`);
    };
    const empty = await measure(runs, async () => ({ command: [process.execPath, ['--eval', '']] }));
    show('empty Node', empty, null);
    for (const one of subjects(prepared)) {
      const { name, goal, ...start } = one;
      const times = await measure(runs, () =>
        prepareStart({ ...start, dist, prepared, home: path.join(folder, 'home') }),
      );
      show(name, times, goal);
    }
    for (const python of values.python) {
      for (const library of ['pandas', 'evidently', 'mlflow']) {
        if (!importable(python, library)) continue;
        const times = await measure(Math.min(runs, 3), async () => ({
          command: [python, ['-c', `import ${library}`]],
        }));
        show(`Python: import ${library}`, times, null);
      }
    }
    return held;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The command line as a file that runs: bin/modelgate.js prefers the sources of a clone. */
async function writeCommand(dist: string): Promise<void> {
  await writeFile(
    path.join(dist, 'command.js'),
    "import { main } from './cli.js';\nprocess.exitCode = await main(process.argv.slice(2));\n",
  );
}

async function downloadBytes(folder: string, dist: string): Promise<number> {
  await writeReleaseTree(path.join(folder, 'release'), dist);
  const archive = path.join(folder, 'release.tgz');
  execFileSync('tar', ['-czf', archive, '-C', path.join(folder, 'release'), '.']);
  return (await stat(archive)).size;
}

/** Whether it can be imported; also leaves its byte code compiled. */
function importable(python: string, library: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${library}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
