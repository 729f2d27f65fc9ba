import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import { stateDigest } from '../../src/registry/caches.ts';
import { lock, unlock } from '../../src/registry/locks.ts';
import { Registry } from '../../src/registry/registry.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { keys } from '../../src/store/keys.ts';
import { Store } from '../../src/store/store.ts';
import {
  alice,
  Clock,
  environments,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from './world.ts';

const held = { model, environment: 'staging', environments, op_id: null, reason: null };

/** A log of 2 + 2 × `pairs` entries. */
async function longLog(folder: string, pairs: number) {
  const registry = openRegistry(folder);
  await registerVersions(registry, 1);
  for (let pair = 0; pair < pairs; pair += 1) {
    await lock(registry, { ...held, actor: alice, ttl: null });
    await unlock(registry, { ...held, actor: alice, force: false });
  }
  return registry;
}

const sealed = (checkpoint: unknown) => JSON.stringify({ checkpoint, digest: digestOf(checkpoint) });

/** Counts the storage's calls. */
function counting(folder: string) {
  const storage = new FileSystemStorage(folder);
  const calls: string[] = [];
  for (const name of ['read', 'size'] as const) {
    const original = storage[name].bind(storage) as (key: string) => Promise<never>;
    storage[name] = (key: string) => {
      calls.push(key);
      return original(key);
    };
  }
  return {
    registry: new Registry({ store: new Store(storage), now: () => new Date(), logger: silentLogger }),
    calls,
  };
}

describe('registry', () => {
  it('[REG-3] names the serving version of every environment at any past time', async () => {
    const clock = new Clock('2026-03-01T00:00:00.000Z');
    const registry = openRegistry(temporaryFolder(), clock.now);
    const moves: [string, string | null, string | null][] = [];
    const tell = async () => {
      const state = await registry.state(model);
      const serving = (name: string) => environmentOf(state, name).manifest;
      moves.push([clock.now().toISOString(), serving('staging'), serving('production')]);
      clock.forward(3_600_000);
    };
    await registerVersions(registry, 2);
    await tell();
    for (const version of [1, 2]) {
      for (const environment of environments) {
        await promote(registry, { ...promotion, version, environment, actor: alice });
        await tell();
      }
    }
    await rollback(registry, { ...promotion, environment: 'production', to: null, actor: alice });
    await tell();
    expect(new Set(moves.map(([, , production]) => production)).size).toBe(3);
    for (const [at, staging, production] of moves) {
      for (const later of [0, 3_599_999]) {
        const state = await registry.stateAt(model, new Date(Date.parse(at) + later));
        expect(environmentOf(state, 'staging').manifest).toBe(staging);
        expect(environmentOf(state, 'production').manifest).toBe(production);
      }
    }
    expect((await registry.stateAt(model, new Date('2020-01-01'))).seq).toBe(0);
  });

  it('[GOV-1] keeps who did what to which data and results, by whose leave, and where', async () => {
    const registry = openRegistry(temporaryFolder());
    await registerVersions(registry, 1, { verdict: 'inconclusive' });
    const override = { by: 'carol', reason: 'release of the summer' };
    await promote(registry, { ...promotion, actor: alice, version: 1, reason: 'try it', override });
    const [evaluated, registered, promoted] = (await registry.entries(model)).map(({ entry }) => entry);
    expect(evaluated).toMatchObject({ type: 'evaluate', actor: alice, evaluation_set: { id: 'june' } });
    expect(registered).toMatchObject({ type: 'register', verdict: 'inconclusive', version: 1 });
    expect(promoted).toMatchObject({
      type: 'promote',
      actor: alice,
      environment: 'staging',
      reason: 'try it',
      override,
    });
    expect(promoted?.prev).toBe((await registry.entry(model, 2)).head);
    expect(registered && 'gate' in registered && registered.gate).toMatch(/^[0-9a-f]{64}$/);
  });

  it('opens a long log with reads that do not grow with it, and to the same state', async () => {
    const folder = temporaryFolder();
    const registry = await longLog(folder, 125); // 252 entries, checkpoints at 100 and 200
    const state = await registry.state(model);
    expect(state.seq).toBe(252);
    const cold = counting(folder);
    expect(stateDigest(await cold.registry.state(model))).toBe(stateDigest(state));
    expect(cold.calls.length).toBeLessThan(52 + 10);
    cold.calls.length = 0;
    await cold.registry.state(model);
    expect(cold.calls).toEqual([keys.log(model, 253)]);
  });

  it('believes neither hint nor checkpoint: missing, stale, forward and garbage ones cost reads alone', async () => {
    const folder = temporaryFolder();
    const digest = stateDigest(await (await longLog(folder, 55)).state(model));
    const hint = join(folder, keys.head(model));
    const checkpoint = join(folder, keys.checkpoint(model, 100));
    const [soundHint, soundCheckpoint] = [readFileSync(hint, 'utf8'), readFileSync(checkpoint, 'utf8')];
    const { head } = await openRegistry(folder).entry(model, 7);
    const hints = [
      JSON.stringify({ schema: 'modelgate.head/1', seq: 7, head }),
      JSON.stringify({ schema: 'modelgate.head/1', seq: 5000, head }),
      '{"seq":',
      '',
      soundHint,
    ];
    const checkpoints = [
      'garbage',
      soundCheckpoint.replace('"versions":[{', '"versions":[{"x":1,'),
      soundCheckpoint.replace(/"retired":null/, '"retired":"2026-01-01T00:00:00Z"'),
      // whole and well sealed, but of another history
      sealed({ ...JSON.parse(soundCheckpoint).checkpoint, head, versions: [] }),
      soundCheckpoint,
    ];
    for (const wrongHint of hints) {
      for (const wrongCheckpoint of checkpoints) {
        writeFileSync(hint, wrongHint);
        writeFileSync(checkpoint, wrongCheckpoint);
        expect(stateDigest(await openRegistry(folder).state(model))).toBe(digest);
      }
    }
    rmSync(join(folder, 'heads'), { recursive: true });
    rmSync(join(folder, 'checkpoints'), { recursive: true });
    const registry = openRegistry(folder);
    expect(stateDigest(await registry.state(model))).toBe(digest);
    await lock(registry, { ...held, actor: alice, ttl: null });
    expect(readdirSync(join(folder, 'heads'))).toEqual([`${model}.json`]);
  });

  it('refuses to go on from a damaged or shortened log', async () => {
    const folder = temporaryFolder();
    const registry = await longLog(folder, 2);
    const entry = (seq: number) => join(folder, keys.log(model, seq));
    const bytes = readFileSync(entry(4));
    rmSync(entry(4));
    await expect(openRegistry(folder).entries(model)).rejects.toMatchObject({ code: 'log_damaged' });
    writeFileSync(entry(4), bytes.toString().replace('alice', 'malice'));
    await expect(openRegistry(folder).state(model)).rejects.toMatchObject({ code: 'log_damaged' });
    writeFileSync(entry(4), bytes);
    rmSync(entry(6));
    const late = lock(registry, { ...held, actor: alice, ttl: null });
    await expect(late).rejects.toMatchObject({ code: 'log_damaged' });
    expect((await openRegistry(folder).state(model)).seq).toBe(5);
  });

  it('verifies a package before it moves to it', async () => {
    const folder = temporaryFolder();
    await registerVersions(openRegistry(folder), 2);
    const registry = openRegistry(folder);
    const [first, second] = (await registry.state(model)).versions.map(({ manifest }) => manifest);
    const path = async (digest = '') => {
      const manifest = await registry.store.readManifest(digest);
      return join(folder, keys.object(registry.store.file(manifest, 'model.onnx').sha256));
    };
    chmodSync(await path(first), 0o644);
    writeFileSync(await path(first), 'modeL 1');
    rmSync(await path(second));
    const moving = (version: number) => promote(registry, { ...promotion, version, actor: alice });
    await expect(moving(1)).rejects.toMatchObject({ code: 'object_damaged' });
    await expect(moving(2)).rejects.toMatchObject({ code: 'object_missing' });
    expect(environmentOf(await registry.state(model), 'staging').generation).toBe(0);
  });

  it('lists its models, and nothing of other names', async () => {
    const folder = temporaryFolder();
    const registry = await longLog(folder, 0);
    writeFileSync(join(folder, 'log', 'STRAY'), 'x');
    expect(await registry.models()).toEqual([model]);
  });
});
