import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/json.ts';
import { approvePromotion, requestPromotion } from '../../src/registry/approvals.ts';
import { encodeEntry } from '../../src/registry/chain.ts';
import { lock } from '../../src/registry/locks.ts';
import { register } from '../../src/registry/register.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote } from '../../src/rollout/move.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { keys } from '../../src/store/keys.ts';
import {
  alice,
  bob,
  environments,
  model,
  openRegistry,
  promotion,
  registerVersions,
  storeRun,
  temporaryFolder,
} from './world.ts';

const sound = { anchor: null, read_data: false };
const check = (folder: string, options: Partial<Parameters<typeof verify>[1]> = {}) =>
  verify(new FileSystemStorage(folder), { ...sound, ...options });
const entryFile = (folder: string, seq: number) => join(folder, keys.log(model, seq));

/** Two versions, three moves: 7 entries. */
async function filled(): Promise<{ folder: string; registry: Registry }> {
  const folder = temporaryFolder();
  const registry = openRegistry(folder);
  await registerVersions(registry, 2);
  for (const [version, environment] of [
    [1, 'staging'],
    [2, 'staging'],
    [1, 'production'],
  ] as const) {
    await promote(registry, { ...promotion, version, environment, actor: alice });
  }
  return { folder, registry };
}

function overwrite(file: string, bytes: Buffer | string) {
  mkdirSync(dirname(file), { recursive: true });
  try {
    chmodSync(file, 0o644);
  } catch {
    // a new file
  }
  writeFileSync(file, bytes);
}

async function anchorOf(registry: Registry, seq: number) {
  return { model, seq, sha256: (await registry.entry(model, seq)).head };
}

describe('registry verify', () => {
  it('finds a registry sound, counts it, and gives the next anchor', async () => {
    const { folder, registry } = await filled();
    await registry.store.putBytes(Buffer.from('of an unregistered run'));
    const result = await check(folder, { read_data: true });
    const { seq, head } = await registry.state(model);
    expect(result).toMatchObject({ answer: 'sound', entries: 7, missing: [], bad: [], orphans: 1 });
    expect(result.heads).toEqual([{ model, seq, sha256: head }]);
    const stored = ['objects', 'manifests'].flatMap((kind) =>
      readdirSync(join(folder, kind), { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      ),
    );
    expect(result.objects).toBe(stored.length);
    for (const anchor of [await anchorOf(registry, 7), await anchorOf(registry, 3)]) {
      expect((await check(folder, { anchor })).answer).toBe('sound');
    }
    expect((await check(folder, { anchor: 'missing' })).answer).toBe('unanchored');
  });

  it('finds nothing to read unreachable', async () => {
    const result = await check(join(temporaryFolder(), 'none'));
    expect(result).toMatchObject({ answer: 'unreachable', entries: 0 });
    expect(result.reason).toMatch(/no store/);
  });

  it('sees a cut-off end with an anchor, and by the hint that was left', async () => {
    for (const left of [0, 1, 4, 6]) {
      const { folder, registry } = await filled();
      const anchor = await anchorOf(registry, 7);
      for (let seq = left + 1; seq <= 7; seq += 1) rmSync(entryFile(folder, seq));
      expect((await check(folder)).answer).toBe('rolled_back');
      expect((await check(folder, { anchor })).answer).toBe('rolled_back');
      rmSync(join(folder, 'heads'), { recursive: true });
      // without an anchor nothing is left that could tell
      expect((await check(folder)).answer).toBe('sound');
      expect((await check(folder, { anchor: 'missing' })).answer).toBe('unanchored');
      expect((await check(folder, { anchor })).answer).toBe('rolled_back');
    }
  });

  it('sees an older copy of the whole store, and a replaced history', async () => {
    const { folder, registry } = await filled();
    const copy = join(temporaryFolder(), 'copy');
    cpSync(folder, copy, { recursive: true });
    const held = { model, environment: 'staging', environments, op_id: null, ttl: null, actor: alice };
    await lock(registry, { ...held, reason: 'here' });
    const anchor = await anchorOf(registry, 8);
    expect((await check(copy, { anchor })).answer).toBe('rolled_back');
    await lock(openRegistry(copy), { ...held, reason: 'there' });
    expect(await check(copy, { anchor })).toMatchObject({ answer: 'forked', missing: [], bad: [] });
    await lock(openRegistry(copy), { ...held, reason: 'and on' });
    expect((await check(copy, { anchor })).answer).toBe('forked');
    // the last entry replaced where its writer's hint still stands
    const { entry } = await registry.entry(model, 8);
    const { bytes } = encodeEntry({ ...entry, reason: 'another' });
    overwrite(entryFile(folder, 8), bytes);
    expect((await check(folder, { anchor })).answer).toBe('forked');
    expect((await check(folder)).answer).toBe('damaged');
  });

  it('tells missing and changed entries, manifests and objects, transitively', async () => {
    const { folder, registry } = await filled();
    const { manifest = '' } = (await registry.state(model)).versions[0] ?? {};
    const model1 = await registry.store.readManifest(manifest, 'model');
    const onnx = keys.object(registry.store.file(model1, 'model.onnx').sha256);
    const split = keys.manifest(model1.inputs.split ?? '');
    const damage = async (key: string, bytes: Buffer | null, options = {}) => {
      const file = join(folder, key);
      const before = readFileSync(file);
      if (bytes === null) rmSync(file, { force: true });
      else overwrite(file, bytes);
      const { answer, missing, bad } = await check(folder, options);
      overwrite(file, before);
      return { answer, missing, bad: bad.map((each) => each.key) };
    };
    expect(await damage(keys.log(model, 3), null)).toMatchObject({
      answer: 'damaged',
      missing: [keys.log(model, 3)],
    });
    expect(await damage(split, null)).toEqual({ answer: 'damaged', missing: [split], bad: [] });
    expect(await damage(split, Buffer.from('{}'))).toEqual({ answer: 'damaged', missing: [], bad: [split] });
    expect(await damage(onnx, null)).toEqual({ answer: 'damaged', missing: [onnx], bad: [] });
    expect(await damage(onnx, Buffer.from('longer than it was'))).toMatchObject({ bad: [onnx] });
    const flipped = readFileSync(join(folder, onnx));
    flipped[0]! ^= 1;
    expect(await damage(onnx, flipped)).toMatchObject({ answer: 'sound' });
    expect(await damage(onnx, flipped, { read_data: true })).toMatchObject({
      answer: 'damaged',
      bad: [onnx],
    });
    expect((await check(folder, { read_data: true })).answer).toBe('sound');
  });

  it('never throws and never hangs for garbage, whatever its name', async () => {
    const { folder } = await filled();
    for (const name of [
      `log/${model}/999999999999.json`,
      `log/${model}/000000000000.json`,
      `log/${model}/8.json`,
      'log/stray',
      'log/BAD NAME/000000000001.json',
      'log/other/000000000001.json',
      'objects/sha256/ab/nothex',
      'manifests/stray',
      'heads/other.json',
      'heads/..json',
      'tmp/left-over',
      'nobody/knows',
    ]) {
      overwrite(join(folder, name), Buffer.from([0xff, 0, 123]));
    }
    mkdirSync(join(folder, 'log', 'folder', '000000000001.json'), { recursive: true });
    const { answer, missing, bad } = await check(folder, { read_data: true });
    expect(answer).toBe('damaged');
    expect(missing.length).toBeLessThanOrEqual(1000);
    expect(bad.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['log/stray', 'log/other/000000000001.json', 'manifests/stray']),
    );
  });

  it('finds a checkpoint that is not the fold of its log', async () => {
    const folder = temporaryFolder();
    const registry = openRegistry(folder);
    await registerVersions(registry, 1);
    const held = { model, environment: 'staging', environments, op_id: null, reason: null, ttl: null };
    for (let seq = 3; seq <= 100; seq += 1) await lock(registry, { ...held, actor: alice });
    expect((await check(folder)).answer).toBe('sound');
    const file = join(folder, keys.checkpoint(model, 100));
    const { checkpoint } = JSON.parse(readFileSync(file, 'utf8'));
    checkpoint.versions[0].verdict = 'fail';
    writeFileSync(file, JSON.stringify({ checkpoint, digest: digestOf(checkpoint) }));
    const { answer, bad } = await check(folder);
    expect(answer).toBe('damaged');
    expect(bad).toMatchObject([{ key: keys.checkpoint(model, 100) }]);
  });

  it('[REG-6] finds moves that no rule allows, and the log stays readable', async () => {
    const passed = { verdict: 'pass' } as const;
    for (const { recipe, moves, says } of [
      { recipe: { verdict: 'fail' }, moves: ['promote'], says: /failed its gate/ },
      { recipe: { verdict: 'inconclusive' }, moves: ['promote'], says: /undecided/ },
      { recipe: passed, moves: ['rollback'], says: /never served/ },
      { recipe: passed, moves: ['retire', 'promote'], says: /retired/ },
      { recipe: passed, moves: ['promote', 'back', 'promote'], says: /rolled back there/ },
    ] as const) {
      const { folder, registry } = await filled();
      await registerVersions(registry, 1, { seed: 3, ...recipe });
      for (const type of moves) await forge(registry, type);
      const { seq, environments: current } = await registry.state(model);
      const { answer, bad } = await check(folder);
      expect(answer, String(says)).toBe('damaged');
      expect(bad).toEqual([{ key: keys.log(model, seq), problem: expect.stringMatching(says) }]);
      expect(current.get('production')?.version).toBe(3);
    }
  });

  it('[GAT-2] believes an undecided version that was overridden, approved or allowed by the policy', async () => {
    const { folder, registry } = await filled();
    const undecided = async (seed: number, on_inconclusive: string) => {
      const facts = { verdict: 'inconclusive', on_inconclusive, metrics: {} };
      const gate = await storeRun(registry.store, { seed, gate: { facts } });
      await register(registry, { model, gate, actor: alice });
    };
    await undecided(3, 'block');
    await undecided(4, 'pass');
    await undecided(5, 'approve');
    const moving = { ...promotion, actor: alice };
    await promote(registry, { ...moving, version: 3, override: { by: 'carol', reason: 'agreed' } });
    await promote(registry, { ...moving, version: 4 });
    const asking = { model, version: 5, environment: 'staging', environments, op_id: null, reason: null };
    await requestPromotion(registry, { ...asking, actor: alice });
    await approvePromotion(registry, { ...asking, actor: bob, approvers: null });
    await promote(registry, { ...moving, version: 5 });
    expect(await check(folder)).toMatchObject({ answer: 'sound', bad: [] });
  });
});

/** Writes what the rules refuse: version 3 moves in production, or version 1 comes back. */
async function forge(registry: Registry, type: 'promote' | 'rollback' | 'retire' | 'back'): Promise<void> {
  const op_id = `forged-${(await registry.state(model)).seq}`;
  const head = { op_id, actor: alice };
  await registry.commit({
    ...{ model, op_id, matches: () => true },
    decide: ({ versions, environments: current }) => {
      if (type === 'retire') return { ...head, type, version: 3 };
      const version = type === 'back' ? 1 : 3;
      const { generation, version: from } = current.get('production')!;
      return {
        ...{ ...head, environment: 'production', generation: generation + 1, version, from },
        type: type === 'promote' ? type : 'rollback',
        manifest: versions[version - 1]!.manifest,
      };
    },
  });
}
