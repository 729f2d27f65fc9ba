import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
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
import { prepareStart, type Start, writeCommand } from '../../../test/packaging/action.ts';
import { type Archives, serveArchives } from '../archives.ts';
import { loadedBy } from '../loaded.ts';
import { measure, type Spread, type Times } from '../measure.ts';
import { actionSubjects, commandSubjects, type Subject } from '../subjects.ts';
import { makeWorld, type World } from '../world.ts';

const lock: NativeLock = nativeLock;
const platform = platformName();

/**
 * Starts of all bundled actions on small prepared stores, beside an empty Node and imports of Python libraries. Warm:
 * the runner's tool cache holds DuckDB and ONNX Runtime. Cold: it is empty, and the pinned archives come over loopback,
 * are verified and unpacked; what the network adds is printed by itself. The system's cache of files is warm in both.
 */
export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '11' },
      python: { type: 'string', multiple: true, default: ['python3'] },
      only: { type: 'string', multiple: true },
    },
  });
  const runs = Number(values.runs);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-start-'));
  let archives: Archives | undefined;
  let world: World | undefined;
  try {
    const dist = path.join(folder, 'dist');
    await bundleInto(dist);
    await writeCommand(dist);
    console.log(
      `download of an action, compressed: ${await downloadBytes(folder, dist)} bytes (goal 1500000)`,
    );
    archives = await serveArchives(
      Object.values(lock).flatMap((platforms) => platforms[platform] ?? []),
      { registry: nativeRegistry(process.env), folder: path.join(folder, 'archives') },
    );
    console.log(`native archives: ${archives.bytes} bytes, fetched in ${archives.seconds.toFixed(1)} s`);
    const tools = path.join(folder, 'tools');
    for (const library of Object.keys(lock)) {
      const cache = path.join(tools, 'modelgate');
      await installNative({ lock, library, platform, registry: archives.url, cache });
    }
    world = await makeWorld(path.join(folder, 'world'), { dist, tools });
    const wanted = ([name]: readonly [string, unknown]) => values.only?.includes(name) ?? true;
    const all = [
      ...Object.entries(actionSubjects).map(([name, make]) => [name, make(world!)] as const),
      ...Object.entries(commandSubjects),
    ].filter(wanted);
    console.log(`CPU and wall in ms: median (range) of ${runs} runs; JavaScript in kB; load ${load()}`);
    row('start', 'CPU', 'wall', 'JS', '');
    show('empty Node', await measure(runs, async () => ({ command: [process.execPath, ['--eval', '']] })));
    let held = true;
    for (const [name, subject] of all) {
      const met = await measureSubject({ name, subject, runs, world, folder, archives: archives.url });
      held &&= met;
    }
    for (const python of values.python) {
      for (const imported of ['pandas', 'evidently', 'mlflow']) {
        const version = versionOf(python, imported);
        if (version === null) continue;
        const times = await measure(Math.min(runs, 5), async () => ({
          command: [python, ['-c', `import ${imported}`]],
        }));
        show(`Python: import ${imported} (${version})`, times);
      }
    }
    console.log(`load at the end ${load()}`);
    return held;
  } finally {
    world?.github.stop();
    archives?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Prints a subject's rows, warm and cold; whether its goal is met. */
async function measureSubject(about: {
  name: string;
  subject: Subject;
  runs: number;
  world: World;
  folder: string;
  /** Of the registry of archives. */
  archives: string;
}): Promise<boolean> {
  const { name, subject, runs, world, folder, archives } = about;
  const start = async (more: Record<string, string> = {}): Promise<Start> => ({
    ...{ entry: subject.entry ?? name, inputs: subject.inputs ?? {}, args: subject.args ?? [] },
    ...{ dist: world.dist, home: world.home, prepared: { ...world.prepared, ...subject.place } },
    env: { ...world.env, ...(await subject.variables?.()), ...more },
  });
  const warm = await measure(runs, async () => prepareStart(await start()));

  const emptyTools = path.join(folder, 'empty-tools');
  const fromNothing = async (): Promise<Start> => {
    await rm(emptyTools, { recursive: true, force: true });
    return start({ RUNNER_TOOL_CACHE: emptyTools, MODELGATE_NATIVE_REGISTRY: archives });
  };
  const { bytes, reason } = await loadedBy(await fromNothing(), path.join(folder, 'modules.json'));
  const installed = await readdir(emptyTools, { recursive: true }).catch(() => []);
  const libraries = Object.keys(lock).filter((library) => installed.some((file) => file.includes(library)));

  const goal = subject.goal ?? null;
  const met = goal === null || warm.wall.median <= goal;
  const said = [
    ...(goal === null ? [] : [`goal ${goal} of wall${met ? '' : ', missed'}`]),
    ...(['', 'done'].includes(reason) ? [] : [reason]),
    ...(libraries.length === 0 ? ['cold the same: nothing to install'] : []),
  ];
  show(`${name}: ${subject.does}`, warm, { bytes, said: said.join('; ') });
  if (libraries.length > 0) {
    const cold = await measure(Math.min(runs, 5), async () => prepareStart(await fromNothing()));
    show(`${name}, cold`, cold, { said: libraries.join(', ') });
  }
  return met;
}

function show(
  name: string,
  { wall, cpu }: Times,
  { bytes = null, said = '' }: { bytes?: number | null; said?: string } = {},
): void {
  row(name, spread(cpu), spread(wall), bytes === null ? '' : (bytes / 1000).toFixed(0), said);
}

const spread = ({ median, low, high }: Spread) =>
  `${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`;

function row(name: string, cpu: string, wall: string, bytes: string, said: string): void {
  const columns = [name.padEnd(50), cpu.padEnd(20), wall.padEnd(20), bytes.padStart(6), said];
  console.log(columns.join(' ').trimEnd());
}

/** Of the last minute. */
const load = () => (os.loadavg()[0] ?? 0).toFixed(1);

async function downloadBytes(folder: string, dist: string): Promise<number> {
  await writeReleaseTree(path.join(folder, 'release'), dist);
  const archive = path.join(folder, 'release.tgz');
  execFileSync('tar', ['-czf', archive, '-C', path.join(folder, 'release'), '.']);
  return (await stat(archive)).size;
}

/** Of a library that can be imported, which leaves its byte code compiled; else null. */
function versionOf(python: string, library: string): string | null {
  const code = `import ${library}; from importlib.metadata import version; print(version('${library}'))`;
  try {
    const said = execFileSync(python, ['-c', code], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.trim().split('\n').at(-1) ?? '';
  } catch {
    return null;
  }
}
