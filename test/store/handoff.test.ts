import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, sha256 } from '../../src/json.ts';
import { packClosure, unpackClosure } from '../../src/store/handoff.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import { Store } from '../../src/store/store.ts';
import { MemoryStorage } from './memory-storage.ts';

const producer = { commit: null, run: 'test', attempt: 1, trigger: 'test', modelgate: 'test' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'handoff-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A snapshot, a split made from it and an object that is not reachable. */
async function sample() {
  const store = new Store(await MemoryStorage.open());
  const put = async (kind: Manifest['kind'], content: string, inputs: Record<string, string>) => {
    const digest = await store.putBytes(Buffer.from(content));
    const files = [{ name: 'data.parquet', size: content.length, sha256: digest }];
    return {
      object: digest,
      manifest: await store.putManifest({ kind, files, inputs, producer, facts: { rows: 1 } }),
    };
  };
  const snapshot = await put('snapshot', 'snapshot rows', {});
  const split = await put('split', 'split rows', { features: snapshot.manifest });
  await store.putBytes(Buffer.from('unrelated'));
  return { store, snapshot, split };
}

const refusal = { code: 'handoff_refused' };

describe('a hand-off between jobs', () => {
  it('carries everything reachable and nothing else, and reads back byte for byte', async () => {
    const { store, snapshot, split } = await sample();
    const packed = await packClosure(store, [split.manifest], folder);
    expect(packed).toMatchObject({ manifests: 2, objects: 2 });
    const other = new Store(await MemoryStorage.open());
    expect(await unpackClosure(other, folder)).toEqual({ ...packed, roots: [split.manifest] });
    expect((await other.readManifest(split.manifest)).inputs).toEqual({ features: snapshot.manifest });
    expect(String(await other.readBytes(snapshot.object))).toBe('snapshot rows');
    expect(await other.has(sha256('unrelated'))).toBe(false);
    await unpackClosure(other, folder); // a second time is free
  });

  it('refuses an object whose bytes were changed, and takes in no manifest', async () => {
    const { store, split } = await sample();
    await packClosure(store, [split.manifest], folder);
    await writeFile(path.join(folder, 'objects', split.object), 'split r0ws');
    const other = new Store(await MemoryStorage.open());
    await expect(unpackClosure(other, folder)).rejects.toMatchObject(refusal);
    await expect(other.readManifest(split.manifest)).rejects.toMatchObject({ code: 'object_missing' });
    expect(await other.has(split.object)).toBe(false);
    expect(await other.has(sha256('split r0ws'))).toBe(false);
  });

  it('refuses a missing object, a link in place of a file, another size, and a manifest that is not canonical', async () => {
    const tampering: [string, (digest: { object: string; manifest: string }) => Promise<void>][] = [
      ['missing', ({ object }) => rm(path.join(folder, 'objects', object))],
      [
        'link',
        async ({ object }) => {
          await rm(path.join(folder, 'objects', object));
          await symlink('/etc/hostname', path.join(folder, 'objects', object));
        },
      ],
      ['longer', ({ object }) => writeFile(path.join(folder, 'objects', object), 'split rows and more')],
      ['manifest', ({ manifest }) => writeFile(path.join(folder, 'manifests', manifest), '{}')],
    ];
    for (const [name, tamper] of tampering) {
      const { store, split } = await sample();
      await rm(folder, { recursive: true });
      await packClosure(store, [split.manifest], folder);
      await tamper(split);
      const other = new Store(await MemoryStorage.open());
      await expect(unpackClosure(other, folder), name).rejects.toMatchObject(refusal);
    }
  });

  it('refuses a manifest that is sound but whose objects are not handed over', async () => {
    const { store, split } = await sample();
    await packClosure(store, [split.manifest], folder);
    await changeIndex((index) => {
      index.objects = [];
    });
    const other = new Store(await MemoryStorage.open());
    await expect(unpackClosure(other, folder)).rejects.toMatchObject(refusal);
  });

  it('refuses manifests with names that leave the folder, and of unknown kinds', async () => {
    for (const change of [
      { files: [{ name: '../../evil', size: 1, sha256: 'a'.repeat(64) }] },
      { kind: 'verdict' },
    ]) {
      const { store, split } = await sample();
      await rm(folder, { recursive: true });
      await packClosure(store, [split.manifest], folder);
      const manifest = { ...(await store.readManifest(split.manifest)), ...change };
      const bytes = canonicalJson(manifest);
      await writeFile(path.join(folder, 'manifests', sha256(bytes)), bytes);
      await changeIndex((index) => index.manifests.push({ sha256: sha256(bytes), size: bytes.length }));
      await expect(unpackClosure(new Store(await MemoryStorage.open()), folder)).rejects.toMatchObject(
        refusal,
      );
    }
  });

  it('opens no file but those named by digests, whatever handoff.json says', async () => {
    const hostile = ['../../../etc/passwd', '/etc/passwd', 'A'.repeat(64), 'g'.repeat(64), '', '__proto__'];
    for (const name of hostile) {
      const { store, split } = await sample();
      await rm(folder, { recursive: true });
      await packClosure(store, [split.manifest], folder);
      await changeIndex((index) => index.objects.push({ sha256: name, size: 1 }));
      const other = new Store(await MemoryStorage.open());
      await expect(unpackClosure(other, folder), name).rejects.toMatchObject(refusal);
      expect((await readdir(folder)).sort()).toEqual(['handoff.json', 'manifests', 'objects']);
    }
  });

  it('refuses more bytes than are allowed before it reads any', async () => {
    const { store, split } = await sample();
    await packClosure(store, [split.manifest], folder);
    await changeIndex((index) => index.objects.push({ sha256: 'b'.repeat(64), size: 2 ** 50 }));
    await expect(unpackClosure(new Store(await MemoryStorage.open()), folder)).rejects.toMatchObject(refusal);
  });

  it('never takes in another value than the one packed, wherever a byte is flipped', async () => {
    const { store, split } = await sample();
    await packClosure(store, [split.manifest], folder);
    const files = ['handoff.json', `objects/${split.object}`, `manifests/${split.manifest}`];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        async (name, at, bit) => {
          const file = path.join(folder, name);
          const sound = await readFile(file);
          const flipped = Buffer.from(sound);
          flipped[at % sound.length]! ^= 1 << bit;
          await writeFile(file, flipped);
          try {
            const other = new Store(await MemoryStorage.open());
            await expect(unpackClosure(other, folder)).rejects.toMatchObject(refusal);
          } finally {
            await writeFile(file, sound);
          }
        },
      ),
      { numRuns: 150, seed: 3 },
    );
  });
});

interface RawIndex {
  objects: { sha256: string; size: number }[];
  manifests: { sha256: string; size: number }[];
}

async function changeIndex(change: (index: RawIndex) => unknown): Promise<void> {
  const file = path.join(folder, 'handoff.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as RawIndex;
  change(index);
  await writeFile(file, JSON.stringify(index));
}
