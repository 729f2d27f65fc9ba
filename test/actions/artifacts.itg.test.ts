import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deliverArtifact, githubArtifacts, receiveArtifacts } from '../../actions/artifacts.ts';
import type { Outcome } from '../../src/outcome.ts';
import { Store } from '../../src/store/store.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { outcome } from './host.ts';
import { ResultsService } from './results-service.ts';

const producer = { commit: null, run: 'test', attempt: 1, trigger: 'test', modelgate: 'test' };

let service: ResultsService;
let folder: string;
beforeEach(async () => {
  service = await ResultsService.start();
  folder = await mkdtemp(path.join(os.tmpdir(), 'artifacts-'));
  enter('run-1', 'job-1');
  vi.spyOn(process.stdout, 'write').mockReturnValue(true); // the library logs each step
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function enter(run: string, job: string): void {
  for (const [name, value] of Object.entries(service.variables(run, job))) vi.stubEnv(name, value);
}

async function trainedStore() {
  const store = new Store(await MemoryStorage.open());
  const bytes = Buffer.alloc(300_000, 'onnx');
  const object = await store.putBytes(bytes);
  const files = [{ name: 'model.onnx', size: bytes.length, sha256: object }];
  const model = await store.putManifest({ kind: 'model', files, inputs: {}, producer, facts: {} });
  return { store, model, object, bytes };
}

const deliver = (store: Store, model: string) =>
  deliverArtifact(githubArtifacts(), {
    name: 'modelgate-train',
    outcome: outcome({ outputs: { model } }) as Outcome,
    summary: '# summary',
    store,
    closure: true,
    temporary: folder,
  });

describe('artifacts between jobs, with the real client', () => {
  it('carry a model from one job into the empty store of another', async () => {
    const { store, model, object, bytes } = await trainedStore();
    await deliver(store, model);
    enter('run-1', 'job-2');
    const other = new Store(await MemoryStorage.open());
    const handed = await receiveArtifacts(githubArtifacts(), ['modelgate-train'], other, folder);
    expect([...handed]).toEqual([['model', model]]);
    expect((await other.readManifest(model, 'model')).files[0]!.sha256).toBe(object);
    expect(bytes.equals(await other.readBytes(object))).toBe(true);
    expect(await readdir(folder)).toEqual([]); // nothing is left behind
  });

  it('have names of their own: two models under one are told apart by nobody', async () => {
    const { store, model } = await trainedStore();
    await deliver(store, model);
    enter('run-1', 'job-2');
    await expect(deliver(store, model)).rejects.toMatchObject({
      ...{ code: 'usage', where: 'input upload-artifact', fix: expect.stringContaining('suffix') },
    });
  });

  it('are looked for in this run alone, and a missing one is named', async () => {
    const { store, model } = await trainedStore();
    await deliver(store, model);
    enter('run-2', 'job-1');
    const other = new Store(await MemoryStorage.open());
    await expect(
      receiveArtifacts(githubArtifacts(), ['modelgate-train'], other, folder),
    ).rejects.toMatchObject({ code: 'artifact_missing' });
  });

  it('are refused when the bytes on the way are others than those uploaded', async () => {
    const { store, model } = await trainedStore();
    await deliver(store, model);
    const sound = service.content('modelgate-train');
    const download = githubArtifacts();
    const tampering = {
      ...download,
      download: async (name: string, into: string) => {
        await download.download(name, into);
        const objects = path.join(into, 'handoff/objects');
        for (const file of await readdir(objects)) {
          const bytes = await readFile(path.join(objects, file));
          bytes[5]! ^= 1;
          await writeFile(path.join(objects, file), bytes);
        }
      },
    };
    const other = new Store(await MemoryStorage.open());
    await expect(receiveArtifacts(tampering, ['modelgate-train'], other, folder)).rejects.toMatchObject({
      code: 'handoff_refused',
    });
    expect(sound.length).toBeGreaterThan(0);
    await expect(other.readManifest(model)).rejects.toMatchObject({ code: 'object_missing' });
    expect(await readdir(folder)).toEqual([]);
  });
});
