import { describe, expect, it } from 'vitest';
import { lock, retire, unlock } from '../../src/registry/locks.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import {
  alice,
  bob,
  Clock,
  environments,
  judgedAgain,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from './world.ts';

const clock = new Clock();
const open = () => openRegistry(temporaryFolder(), clock.now);
const to = (version: number | null, environment = 'staging', actor = alice) => ({
  ...promotion,
  version,
  environment,
  actor,
});
const back = (environment = 'staging', version: number | null = null) => ({
  ...promotion,
  environment,
  to: version,
  actor: alice,
});
const held = { model, environment: 'staging', environments, op_id: null, reason: null, ttl: null };

describe('locks', () => {
  it('stops everybody but its owner until it is given back or has run out', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await lock(registry, { ...held, actor: bob, reason: 'audit', ttl: 60_000 });
    const refused = { code: 'locked', message: expect.stringMatching(/locked by bob until .*: audit/) };
    await expect(promote(registry, to(1))).rejects.toMatchObject(refused);
    await expect(lock(registry, { ...held, actor: alice })).rejects.toMatchObject({ code: 'locked' });
    await promote(registry, to(1, 'staging', bob));
    clock.forward(60_001);
    await promote(registry, to(2));
    await lock(registry, { ...held, actor: bob });
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'locked' });
    await unlock(registry, { ...held, actor: bob, force: false });
    await rollback(registry, back());
  });

  it('is taken away by another only with force and a reason', async () => {
    const registry = open();
    await registerVersions(registry, 1);
    await lock(registry, { ...held, actor: bob });
    for (const force of [false, true]) {
      const taken = unlock(registry, { ...held, actor: alice, force });
      await expect(taken).rejects.toMatchObject({ code: 'not_owner' });
    }
    const forced = await unlock(registry, { ...held, actor: alice, force: true, reason: 'bob is away' });
    expect(forced.entry).toMatchObject({ type: 'unlock', actor: alice, reason: 'bob is away' });
    expect(await unlock(registry, { ...held, actor: alice, force: false })).toMatchObject({
      status: 'nothing',
    });
  });
});

describe('retire', () => {
  it('[REG-6] keeps a version from promotion and rollback, and is refused while it serves', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    const retiring = (version: number) =>
      retire(registry, { model, version, actor: alice, op_id: null, reason: null });
    await promote(registry, to(1));
    await expect(retiring(1)).rejects.toMatchObject({ code: 'still_serving' });
    await promote(registry, to(2));
    expect((await retiring(1)).status).toBe('committed');
    expect((await retiring(1)).status).toBe('nothing');
    await expect(promote(registry, to(1))).rejects.toMatchObject({ code: 'retired' });
    await expect(rollback(registry, back('staging', 1))).rejects.toMatchObject({ code: 'retired' });
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'no_previous' });
  });

  it('[REG-6] is for the package: another version number brings it back nowhere', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    const retiring = (version: number) =>
      retire(registry, { model, version, actor: alice, op_id: null, reason: null });
    await registerVersions(registry, 1, judgedAgain);
    await promote(registry, to(3));
    await expect(retiring(1)).rejects.toMatchObject({ code: 'still_serving' });
    await promote(registry, to(2));
    await retiring(1);
    await expect(promote(registry, to(3))).rejects.toMatchObject({ code: 'retired' });
    await expect(rollback(registry, back('staging', 3))).rejects.toMatchObject({ code: 'retired' });
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'no_previous' });
    // without a version, the newest whose package is in use
    expect(await promote(registry, to(null))).toMatchObject({ status: 'nothing', to: 2 });
  });
});
