import { existsSync, readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { executeAction } from '../../actions/execute.ts';
import { sha256 } from '../../src/json.ts';
import { commandNames, loadCommand } from '../../src/stages/commands.ts';
import { packClosure } from '../../src/store/handoff.ts';
import { Store } from '../../src/store/store.ts';
import { fakeHost, outcome } from '../actions/host.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { pin, putProgram, temporaryFolder } from './world.ts';

const producer = { commit: null, run: 'test', attempt: 1, trigger: 'test', modelgate: 'test' };
const lock = pin('numpy==1.0');

/** What a training hands over: a model package, and the code with the lock that it was made from. */
async function trained(code: Readonly<Record<string, string>> = { 'requirements.lock': lock }) {
  const store = new Store(await MemoryStorage.open());
  const files = await Promise.all(
    Object.entries(code).map(async ([name, text]) => ({
      ...{ name, size: text.length, sha256: await store.putBytes(Buffer.from(text)) },
    })),
  );
  const put = (kind: 'code' | 'model', more: object) =>
    store.putManifest({ kind, files: [], inputs: {}, facts: {}, producer, ...more });
  const model = await put('model', { inputs: { code: await put('code', { files }) } });
  const folder = await temporaryFolder();
  await packClosure(store, [model], path.join(folder, 'handoff'));
  await writeFile(path.join(folder, 'outcome.json'), JSON.stringify(outcome({ outputs: { model } })));
  return { folder, model, code: (await store.readManifest(model)).inputs.code! };
}

/** The job of the templates: another machine, an empty store. Its scanner knows nothing against numpy. */
async function scanJob(artifact: string, inputs: Record<string, string> = {}) {
  const scanner = await putProgram(
    'scanner',
    `#!/bin/sh
while [ "$1" != --output-file ]; do shift; done
printf '{"results":[{"source":{"path":"%s"},"packages":[{"package":{"name":"numpy","version":"1.0"}}]}],"experimental_config":{}}' x > "$2"
`,
  );
  vi.stubEnv('MODELGATE_SCANNER', scanner);
  const workDirectory = await temporaryFolder();
  const output = path.join(workDirectory, 'modelgate-scan');
  const given = { 'from-artifacts': 'modelgate-train', 'upload-artifact': 'none', output, ...inputs };
  const { host, seen } = await fakeHost(given, {}, new Map([['modelgate-train', artifact]]));
  const openProject: typeof host.openProject = async (options) => {
    const project = await host.openProject(options);
    return { ...project, context: { ...project.context, workDirectory, signal: host.signal } };
  };
  const exit = await executeAction(
    'scan',
    { names: commandNames, load: loadCommand },
    { ...host, openProject },
  );
  return {
    exit,
    output,
    said: seen.annotations.map(({ message }) => message).join('\n'),
    outputs: seen.outputs,
  };
}

it('[GOV-8] the action scans the lock that was trained with, out of what the training handed over', async () => {
  const { folder } = await trained();
  const { exit, output, said, outputs } = await scanJob(folder);
  expect(exit, said).toBe(0);
  expect(outputs).toMatchObject({ verdict: 'pass', dependencies: path.join(output, 'dependencies.json') });
  const report = JSON.parse(readFileSync(path.join(output, 'dependencies.json'), 'utf8')) as object;
  expect(report).toMatchObject({ modelgate: { target: `requirements.lock ${sha256(lock).slice(0, 12)}` } });
});

it('[GOV-8] nothing that was put in the place of package, code or lock is scanned instead', async () => {
  const { folder, model, code } = await trained();
  const replace = async (file: string, change: (text: string) => string) => {
    const copy = await temporaryFolder();
    await cp(folder, copy, { recursive: true });
    const target = path.join(copy, 'handoff', file);
    await writeFile(target, change(readFileSync(target, 'utf8')));
    return scanJob(copy);
  };
  const places: [string, (text: string) => string][] = [
    [`objects/${sha256(lock)}`, (text) => text.replace('1.0', '2.0')],
    [`manifests/${code}`, (text) => text.replace('{', '{"more":1,')],
    [`manifests/${model}`, (text) => text.replace('{', '{"more":1,')],
  ];
  for (const [file, change] of places) {
    const { exit, output, outputs } = await replace(file, change);
    expect([exit, outputs['reason-code']], file).toEqual([1, 'handoff_refused']);
    expect(existsSync(output)).toBe(false);
  }
});

it('[GOV-8] a package without a lock, and a job without a package, are errors', async () => {
  const bare = await trained({ 'train.py': 'pass\n' });
  expect((await scanJob(bare.folder)).outputs).toMatchObject({ 'reason-code': 'scan_incomplete' });
  const other = await scanJob(bare.folder, { model: 'f'.repeat(64) });
  expect(other.outputs).toMatchObject({ 'reason-code': 'object_missing' });
  const tagged = await scanJob(bare.folder, { image: 'acme/serving:latest' });
  expect(tagged.outputs).toMatchObject({ 'reason-code': 'usage' });
  expect(tagged.said).toMatch(/image.*by its digest/);
});
