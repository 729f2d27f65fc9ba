import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleInto } from '../../../scripts/bundle.ts';
import type { PartOptions } from '../../../scripts/parts.ts';
import { writeReleaseTree } from '../../../scripts/release-tree.ts';
import { nativeRegistry } from '../../../src/native.ts';
import { installNative, type NativeLock } from '../../../src/native-install.ts';
import nativeLock from '../../../src/native-lock.json' with { type: 'json' };
import { platformName } from '../../../src/platform-name.ts';
import { prepareStart, writeCommand } from '../../../test/packaging/action.ts';
import { type Prepared, prepare } from '../../../test/packaging/prepared.ts';
import { type Archives, serveArchives } from '../archives.ts';
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

/** Subjects that load DuckDB, measured with an empty tool cache too. */
const cold = /^(gate|ingest|drift) /;
const library = '@duckdb/node-bindings';

/**
 * Starts of the bundled actions on a small prepared store, beside an empty Node and imports of Python libraries. Warm:
 * the runner's tool cache holds DuckDB. Cold: it is empty, and the pinned archives come over loopback, are verified and
 * unpacked; what the network adds is printed by itself. The system's cache of files is warm in both.
 */
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
  let archives: Archives | undefined;
  try {
    const dist = path.join(folder, 'dist');
    await bundleInto(dist);
    await writeCommand(dist);
    console.log(
      `download of an action, compressed: ${await downloadBytes(folder, dist)} bytes (goal 1500000)`,
    );
    const prepared = await prepare(path.join(folder, 'world'));
    const registry = nativeRegistry(process.env);
    const platform = platformName();
    const lock: NativeLock = nativeLock;
    archives = await serveArchives(lock[library]?.[platform] ?? [], {
      registry,
      folder: path.join(folder, 'archives'),
    });
    console.log(`archives of DuckDB: ${archives.bytes} bytes, fetched in ${archives.seconds.toFixed(1)} s`);
    const tools = path.join(folder, 'tools');
    await installNative({
      ...{ lock, library, platform, registry: archives.url },
      cache: path.join(tools, 'modelgate'),
    });
    console.log('start; CPU and wall in ms: median (range)');
    let held = true;
    const show = (name: string, { wall, cpu }: Times, goal: number | null = null) => {
      const met = goal === null || wall.median <= goal;
      held &&= met;
      const spread = ({ median, low, high }: Times['wall']) =>
        `${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`;
      const said = goal === null ? '' : `goal ${goal} of wall${met ? '' : ', missed'}`;
      console.log(`${name.padEnd(36)} ${spread(cpu).padEnd(20)} ${spread(wall).padEnd(20)} ${said}`);
    };
    show('empty Node', await measure(runs, async () => ({ command: [process.execPath, ['--eval', '']] })));
    const start = (one: Subject, env: Record<string, string>) =>
      prepareStart({
        ...{ entry: one.entry, inputs: one.inputs ?? {}, args: one.args ?? [], dist, prepared },
        ...{ home: path.join(folder, 'home'), env: { MODELGATE_NATIVE: '', ...env } },
      });
    const all = subjects(prepared);
    for (const one of all) {
      show(one.name, await measure(runs, () => start(one, { RUNNER_TOOL_CACHE: tools })), one.goal);
    }
    const { url } = archives;
    for (const one of all.filter(({ name }) => cold.test(name))) {
      const RUNNER_TOOL_CACHE = path.join(folder, 'empty-tools');
      const times = await measure(Math.min(runs, 5), async () => {
        await rm(RUNNER_TOOL_CACHE, { recursive: true, force: true });
        return start(one, { RUNNER_TOOL_CACHE, MODELGATE_NATIVE_REGISTRY: url });
      });
      show(`${one.name}, cold`, times);
    }
    for (const python of values.python) {
      for (const imported of ['pandas', 'evidently', 'mlflow']) {
        if (!importable(python, imported)) continue;
        const times = await measure(Math.min(runs, 5), async () => ({
          command: [python, ['-c', `import ${imported}`]],
        }));
        show(`Python: import ${imported}`, times);
      }
    }
    return held;
  } finally {
    archives?.stop();
    await rm(folder, { recursive: true, force: true });
  }
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
