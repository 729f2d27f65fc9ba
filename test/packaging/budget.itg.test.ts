import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInto } from '../../scripts/bundle.ts';
import { writeReleaseTree } from '../../scripts/release-tree.ts';
import { prepareStart, type Start, writeCommand } from './action.ts';
import { type Prepared, prepare } from './prepared.ts';

const root = path.join(import.meta.dirname, '../..');
let folder: string;
let dist: string;
let prepared: Prepared;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'budget-'));
  dist = path.join(folder, 'dist');
  await bundleInto(dist);
  await writeCommand(dist);
  prepared = await prepare(path.join(folder, 'world'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Loaded {
  /** Bytes of our bundle that were read. */
  bytes: number;
  files: number;
  /** Text of the bundle's files, to look for what must not be in it. */
  text: string;
  /** Our modules whose code is in these files, from the repository's root. */
  modules: string[];
  /** Node's own modules. */
  builtIn: string[];
  /** Files outside of the bundle. */
  others: string[];
}

/** Runs an entry and tells what code it loaded. */
async function loadedBy(start: Pick<Start, 'entry' | 'inputs' | 'args'>, expected = 0): Promise<Loaded> {
  const record = path.join(folder, 'modules.json');
  const hook = path.join(import.meta.dirname, 'record-modules.mjs');
  const ready = await prepareStart({
    ...{ ...start, dist, prepared, home: path.join(folder, 'home') },
    flags: ['--import', hook],
    env: { MODULES_FILE: record, PATH: '/nowhere' }, // a runner without nvidia-smi
  });
  const { code, log } = await ready.run();
  expect(code, log.slice(-1000)).toBe(expected);
  const urls = JSON.parse(await readFile(record, 'utf8')) as string[];
  const files = [...new Set(urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url)))];
  const ours = files.filter((file) => file.startsWith(dist));
  const texts = await Promise.all(ours.map((file) => readFile(file, 'utf8')));
  return {
    bytes: texts.reduce((sum, text) => sum + text.length, 0),
    files: ours.length,
    text: texts.join('\n'),
    modules: (await Promise.all(ours.map(modulesIn))).flat(),
    builtIn: urls.filter((url) => url.startsWith('node:')),
    others: files.filter((file) => !file.startsWith(dist) && !file.endsWith('record-modules.mjs')),
  };
}

/** Modules of ours in a bundled file, by its source map. */
async function modulesIn(file: string): Promise<string[]> {
  const map = await readFile(`${file}.map`, 'utf8').catch(() => '{ "sources": [] }'); // none of ours in it
  const { sources } = JSON.parse(map) as { sources: string[] };
  return sources
    .map((source) => path.relative(root, path.resolve(dist, source)))
    .filter((module) => !module.includes('node_modules'));
}

/** Words that stand only in a library's own code, also when it is minified. */
const marks = {
  aws: 'AWS_ROLE_SESSION_NAME',
  octokit: 'octokit-core.js',
  undici: 'UND_ERR_CONNECT_TIMEOUT',
  artifact: 'github.actions.results.api.v1.ArtifactService',
  duckdb: 'DuckDBVariantValue',
};

describe('the bundles', () => {
  it('are at most 1.5 MB of compressed download an action, source maps aside', async () => {
    const tree = path.join(folder, 'release');
    await writeReleaseTree(tree, dist);
    const archive = path.join(folder, 'release.tgz');
    await promisify(execFile)('tar', ['-czf', archive, '-C', tree, '.']);
    const { size } = await stat(archive);
    expect(size).toBeLessThanOrEqual(1_500_000);
    expect((await readdir(tree, { recursive: true })).filter((file) => /\.map$|\.test\./.test(file))).toEqual(
      [],
    );
  });

  it('name the licence of every package that went in, with its text', async () => {
    const licences = await readFile(path.join(dist, 'LICENSES.txt'), 'utf8');
    for (const name of ['zod', 'yaml', '@actions/core', '@duckdb/node-api', '@aws-sdk/client-s3'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    for (const section of licences.split(`\n${'-'.repeat(80)}\n\n`)) {
      expect(section).toMatch(
        /^\S+ \d+\.\S+ \(\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0)/,
      );
    }
  });

  it('hold each library once, behind the mark by which the tests below look for it', async () => {
    const files = (await readdir(dist)).filter((file) => file.endsWith('.js'));
    const texts = await Promise.all(files.map((file) => readFile(path.join(dist, file), 'utf8')));
    for (const [library, mark] of Object.entries(marks))
      expect(texts.filter((text) => text.includes(mark)).length, library).toBeGreaterThan(0);
  });

  it('let a promotion load no engine, no model runtime, no cloud client and no GitHub client', async () => {
    const inputs = { model: 'late-orders@3', to: 'production' };
    const loaded = await loadedBy({ entry: 'promote', inputs });
    expect(loaded.others).toEqual([]);
    for (const [library, mark] of Object.entries(marks))
      expect(loaded.text.includes(mark), library).toBe(false);
    expect(loaded.modules).toContain('src/rollout/move.ts');
    expect(loaded.modules.filter((module) => /^src\/(data\/duckdb|evaluation\/onnx)/.test(module))).toEqual([
      'src/evaluation/onnx-operators.ts',
    ]);
    expect(neverAtStart(loaded)).toEqual([]);
    expect(loaded.bytes).toBeLessThan(400_000);
    expect(loaded.files).toBeLessThan(12);
  });

  it('let a question to the registry load no gate, no contract and no engine', async () => {
    const loaded = await loadedBy({ entry: 'status', inputs: { model: 'late-orders' } });
    expect(loaded.others).toEqual([]);
    for (const [library, mark] of Object.entries(marks))
      expect(loaded.text.includes(mark), library).toBe(false);
    expect(loaded.modules).toContain('src/stages/status.ts');
    expect(loaded.modules.filter((module) => /^src\/(gate\/judge|data\/contract)/.test(module))).toEqual([]);
    expect(neverAtStart(loaded)).toEqual([]);
    expect(loaded.bytes).toBeLessThan(480_000);
    expect(loaded.files).toBeLessThan(22);
  });

  it('let the gate load DuckDB alone of what is heavy, and no other stage', async () => {
    const inconclusive = 2; // nothing is known of the set's history
    const loaded = await loadedBy(
      { entry: 'gate', inputs: { evaluation: prepared.evaluation } },
      inconclusive,
    );
    expect(loaded.others.filter((file) => !compiledDuckDb.test(file))).toEqual([]);
    expect(loaded.text.includes(marks.duckdb)).toBe(true);
    for (const library of ['aws', 'octokit', 'undici', 'artifact'] as const)
      expect(loaded.text.includes(marks[library]), library).toBe(false);
    expect(loaded.modules).toContain('src/stages/gate.ts');
    expect(stagesIn(loaded, ['gate'])).toEqual([]);
    expect(loaded.modules.filter((module) => /^src\/(serving|rollout|training)\//.test(module))).toEqual([]);
    expect(neverAtStart(loaded)).toEqual([]);
    expect(loaded.bytes).toBeLessThan(800_000);
    expect(loaded.files).toBeLessThan(18);
  });

  it('let a drift check load DuckDB alone of what is heavy, and no other command', async () => {
    const drifted = 2; // rows without a time: taken as independent, so not decided
    const args = ['drift', '--reference', 'orders.csv', '--current', 'current.csv', '--json'];
    const loaded = await loadedBy({ entry: 'command', args }, drifted);
    expect(loaded.others.filter((file) => !compiledDuckDb.test(file))).toEqual([]);
    expect(loaded.text.includes(marks.duckdb)).toBe(true);
    for (const library of ['aws', 'octokit', 'undici', 'artifact'] as const)
      expect(loaded.text.includes(marks[library]), library).toBe(false);
    expect(loaded.modules).toContain('src/stages/drift.ts');
    expect(stagesIn(loaded, ['drift'])).toEqual([]);
    expect(
      loaded.modules.filter((module) => /^src\/(serving|rollout|training|evaluation\/onnxr)/.test(module)),
    ).toEqual([]);
    expect(neverAtStart(loaded)).toEqual([]);
    expect(loaded.bytes).toBeLessThan(800_000);
    expect(loaded.files).toBeLessThan(26);
  });
});

it('a model is computed by a process of its own, with the runtime that the action found where it was told to look', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const home = path.join(folder, 'mirror');
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { MODELGATE_NATIVE: '', MODELGATE_NATIVE_REGISTRY: registry, RUNNER_TOOL_CACHE: home };
    const files = ['--input', 'orders.csv', '--output', path.join(home, 'scores.csv')];
    const of = ['--model', prepared.model, '--environment', 'production'];
    const store = ['--store', path.join(home, 'store')];
    const args = ['score', ...of, ...files, ...store, '--json'];
    const ready = await prepareStart({ dist, prepared, home, entry: 'command', args, env });
    const { code, log } = await ready.run();
    expect(asked).toEqual([expect.stringMatching(/^\/onnxruntime-node\/-\//)]);
    expect([code, log]).toEqual([1, expect.stringContaining('native_missing')]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

const compiledDuckDb = /[\\/]@duckdb[\\/]node-bindings/;

/** Stages whose code was loaded besides those that ran. */
function stagesIn({ modules }: Loaded, ran: readonly string[]): string[] {
  const stages = [
    'check',
    'compare',
    'evaluate',
    'features',
    'gate',
    'ingest',
    'leakage',
    'monitor',
    'noise',
    'drift',
  ];
  const others = [...stages, 'profile', 'register', 'score', 'serve', 'split', 'train', 'validate'];
  return others.filter((name) => !ran.includes(name) && modules.includes(`src/stages/${name}.ts`));
}

/** Parts of Node that take long to load, and that nothing here needs. */
function neverAtStart({ builtIn }: Loaded): string[] {
  return builtIn.filter((name) =>
    /^node:(child_process|http|https|net|tls|v8|vm|worker_threads)$/.test(name),
  );
}
