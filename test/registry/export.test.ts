import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyModel } from '../../src/registry/export.ts';
import { lock } from '../../src/registry/locks.ts';
import { register } from '../../src/registry/register.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote } from '../../src/rollout/move.ts';
import { runStage } from '../../src/stages/define.ts';
import { exportModel, importModel } from '../../src/stages/export.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { keys } from '../../src/store/keys.ts';
import type { Store } from '../../src/store/store.ts';
import {
  alice,
  contextOf,
  environments,
  model,
  openRegistry,
  promotion,
  registerVersions,
  storeRun,
  temporaryFolder,
} from './world.ts';

const check = (folder: string) => verify(new FileSystemStorage(folder), { anchor: null, read_data: true });

async function filled(): Promise<{ folder: string; registry: Registry }> {
  const folder = temporaryFolder();
  const registry = openRegistry(folder);
  await registerVersions(registry, 2);
  await promote(registry, { ...promotion, version: 1, actor: alice });
  await registry.store.putBytes(Buffer.from('of no version'));
  return { folder, registry };
}

async function target(): Promise<{ folder: string; registry: Registry }> {
  const folder = temporaryFolder();
  return { folder, registry: openRegistry(folder) };
}

describe('copying a model to another store', () => {
  it('takes its whole history along, byte for byte, and nothing else', async () => {
    const from = await filled();
    const to = await target();
    const held = { model, environment: 'staging', environments, actor: alice, reason: null, ttl: null };
    for (let n = 0; n < 30; n += 1) await lock(from.registry, { ...held, op_id: `lock-${n}` });
    const copied = await copyModel(from.registry, to.registry, model);
    const { seq, head } = await from.registry.state(model);
    expect(copied).toMatchObject({ entries: seq, entries_sent: seq, seq, head });
    const sound = await check(to.folder);
    expect(sound).toMatchObject({ answer: 'sound', orphans: 0, heads: [{ model, seq, sha256: head }] });
    const source = await check(from.folder);
    expect(sound.objects).toBe(source.objects - source.orphans);
    expect(copied.sent).toBe(sound.objects);
    for (let n = 1; n <= seq; n += 1) {
      const [one, other] = [from, to].map(({ folder }) => readFileSync(join(folder, keys.log(model, n))));
      expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true);
    }
    // and the copy goes on by itself
    const moved = await promote(to.registry, { ...promotion, version: 2, actor: alice });
    expect(moved.generation).toBe(2);
  });

  it('sends what is new alone, and refuses a store that went on by itself', async () => {
    const from = await filled();
    const to = await target();
    await copyModel(from.registry, to.registry, model);
    expect(await copyModel(from.registry, openRegistry(to.folder), model)).toMatchObject({
      entries_sent: 0,
      sent: 0,
    });
    await promote(from.registry, { ...promotion, version: 2, actor: alice });
    expect(await copyModel(from.registry, openRegistry(to.folder), model)).toMatchObject({
      entries_sent: 1,
      sent: 0,
    });
    await register(to.registry, {
      model,
      gate: await storeRun(to.registry.store, { seed: 7 }),
      actor: alice,
    });
    const before = await check(to.folder);
    for (let times = 0; times < 3; times += 1) {
      // the target is longer at first, then another of the same length, then a shorter one
      await expect(copyModel(from.registry, openRegistry(to.folder), model)).rejects.toMatchObject({
        code: 'log_diverged',
      });
      for (const version of [1, 2]) await promote(from.registry, { ...promotion, version, actor: alice });
    }
    expect((await check(to.folder)).heads).toEqual(before.heads);
  });

  it('refuses a store in which somebody begins another history meanwhile', async () => {
    const from = await filled();
    const to = await target();
    const other = Buffer.from('another first entry');
    const { storage } = to.registry.store;
    const create = storage.create.bind(storage);
    storage.create = async (key, content) => {
      if (key === keys.log(model, 1)) await create(key, other);
      return create(key, content);
    };
    await expect(copyModel(from.registry, to.registry, model)).rejects.toMatchObject({
      code: 'log_diverged',
    });
    expect(readFileSync(join(to.folder, keys.log(model, 1))).equals(other)).toBe(true);
  });

  it('goes on where it was killed, at any point', async () => {
    const from = await filled();
    const whole = await target();
    const { sent, entries } = await copyModel(from.registry, whole.registry, model);
    for (const steps of [0, 1, 5, sent - 1, sent, sent + 1, sent + entries - 1]) {
      const to = await target();
      let left = steps;
      const { storage } = to.registry.store;
      const create = storage.create.bind(storage);
      storage.create = (key, content) => {
        left -= 1;
        return left < 0 ? Promise.reject(new Error('killed')) : create(key, content);
      };
      await expect(copyModel(from.registry, to.registry, model)).rejects.toThrow('killed');
      expect((await check(to.folder)).answer, `after ${steps}`).toMatch(steps === 0 ? /./ : /sound/);
      expect(await namedInVain(to.registry.store), `after ${steps}`).toEqual([]);
      const rest = await copyModel(from.registry, openRegistry(to.folder), model);
      expect(rest.sent + rest.entries_sent).toBe(sent + entries - steps);
      expect(await check(to.folder)).toMatchObject({ answer: 'sound', orphans: 0 });
    }
  });

  it('does not pass damage on', async () => {
    const damages: [string, (folder: string, registry: Registry) => Promise<void> | void, string][] = [
      ['an object', (folder, registry) => change(folder, registry, 'object'), 'object_damaged'],
      ['a manifest', (folder, registry) => change(folder, registry, 'manifest'), 'object_damaged'],
      ['an entry', (folder) => rmSync(join(folder, keys.log(model, 2))), 'log_damaged'],
    ];
    for (const [what, damage, code] of damages) {
      const from = await filled();
      const to = await target();
      await damage(from.folder, from.registry);
      await expect(copyModel(openRegistry(from.folder), to.registry, model), what).rejects.toMatchObject({
        code,
      });
      expect((await to.registry.state(model)).seq, what).toBe(0);
    }
  });

  it('exports and imports by URL, and names a model that is not there', async () => {
    const from = await filled();
    const folder = temporaryFolder();
    const store = join(folder, 'backup');
    const exported = await runStage(exportModel, { model, store }, contextOf(from.registry));
    expect(exported).toMatchObject({ verdict: 'pass', outputs: { to: store } });
    const to = await target();
    const imported = await runStage(importModel, { model, store }, contextOf(to.registry));
    expect(imported).toMatchObject({ verdict: 'pass', outputs: { head: exported.outputs.head } });
    const nowhere = join(folder, 'nowhere');
    const unknown = { model: 'other', store: nowhere };
    expect(await runStage(exportModel, unknown, contextOf(from.registry))).toMatchObject({
      reason_code: 'model_unknown',
    });
    expect(existsSync(nowhere)).toBe(false);
    // a store in a store is damage to it, and a link is no other place
    const link = join(folder, 'link');
    symlinkSync(from.folder, link);
    for (const place of [from.folder, join(from.folder, 'log'), join(from.folder, 'new', 'one'), link])
      expect(
        await runStage(exportModel, { model, store: place }, contextOf(from.registry)),
        place,
      ).toMatchObject({ reason_code: 'usage' });
    expect((await verify(from.registry.store.storage, { anchor: null, read_data: true })).answer).toBe(
      'sound',
    );
  });
});

/** What manifests in the store name and the store has not. */
async function namedInVain(store: Store): Promise<string[]> {
  const missing: string[] = [];
  for await (const { key } of store.storage.list('manifests/')) {
    const { files, inputs } = await store.readManifest(key.split('/').at(-1) ?? '');
    for (const digest of [...files.map(({ sha256 }) => sha256), ...Object.values(inputs)]) {
      if (!(await store.isThere(digest))) missing.push(digest);
    }
  }
  return missing;
}

async function change(folder: string, registry: Registry, kind: 'object' | 'manifest'): Promise<void> {
  const digest = (await registry.state(model)).versions[0]?.manifest ?? '';
  const { files } = await registry.store.readManifest(digest);
  const file = join(
    folder,
    kind === 'manifest' ? keys.manifest(digest) : keys.object(files[0]?.sha256 ?? ''),
  );
  chmodSync(file, 0o644);
  if (kind === 'manifest') appendFileSync(file, ' ');
  else writeFileSync(file, 'another');
}
