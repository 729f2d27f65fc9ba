import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInto } from '../../scripts/bundle.ts';
import { writeReleaseTree } from '../../scripts/release-tree.ts';
import { prepareStart } from './action.ts';
import { type Prepared, prepare } from './prepared.ts';

let folder: string;
let dist: string;
let prepared: Prepared;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'budget-'));
  dist = path.join(folder, 'dist');
  await bundleInto(dist);
  prepared = await prepare(path.join(folder, 'world'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Loaded {
  /** Bytes of our bundle that were read. */
  bytes: number;
  files: number;
  /** Text of the bundle's files, to look for what must not be in it. */
  text: string;
  /** Files outside of the bundle. */
  others: string[];
}

/** Runs an entry and tells what code it loaded. */
async function loadedBy(entry: string, inputs: Record<string, string>, expected = 0): Promise<Loaded> {
  const modules = path.join(folder, 'modules.json');
  const hook = path.join(import.meta.dirname, 'record-modules.mjs');
  const start = await prepareStart({
    ...{ dist, entry, prepared, inputs, home: path.join(folder, 'home') },
    flags: ['--import', hook],
    env: { MODULES_FILE: modules },
  });
  const { code, log } = await start.run();
  expect(code, log).toBe(expected);
  const urls = (JSON.parse(await readFile(modules, 'utf8')) as string[]).filter((url) =>
    url.startsWith('file:'),
  );
  const files = [...new Set(urls.map((url) => fileURLToPath(url)))];
  const ours = files.filter((file) => file.startsWith(dist));
  const texts = await Promise.all(ours.map((file) => readFile(file, 'utf8')));
  return {
    bytes: texts.reduce((sum, text) => sum + text.length, 0),
    files: ours.length,
    text: texts.join('\n'),
    others: files.filter((file) => !file.startsWith(dist) && !file.endsWith('record-modules.mjs')),
  };
}

/** Words that stand only in a library's own code, also when it is minified. */
const marks = {
  aws: 'AWS_WEB_IDENTITY_TOKEN_FILE',
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
    const loaded = await loadedBy('promote', { model: 'late-orders@3', to: 'production' });
    expect(loaded.others).toEqual([]);
    for (const [library, mark] of Object.entries(marks))
      expect(loaded.text.includes(mark), library).toBe(false);
    expect(loaded.bytes).toBeLessThan(450_000);
    expect(loaded.files).toBeLessThan(16);
  });

  it('let the gate load DuckDB alone of what is heavy', async () => {
    const inconclusive = 2; // nothing is known of the set's history
    const loaded = await loadedBy('gate', { evaluation: prepared.evaluation }, inconclusive);
    expect(loaded.others.every((file) => /[\\/](@duckdb[\\/]node-bindings|detect-libc)/.test(file))).toBe(
      true,
    );
    expect(loaded.text.includes(marks.duckdb)).toBe(true);
    for (const library of ['aws', 'octokit', 'undici', 'artifact'] as const)
      expect(loaded.text.includes(marks[library]), library).toBe(false);
    expect(loaded.bytes).toBeLessThan(1_200_000);
  });
});
