import { expect, it } from 'vitest';
import { lock } from '../../src/registry/locks.ts';
import { register } from '../../src/registry/register.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { promote } from '../../src/rollout/move.ts';
import { alice, bob, environments, openRegistry, promotion, storeRun, temporaryFolder } from './world.ts';

const many = 40;
const names = Array.from({ length: many }, (_, number) => `model-${String(number).padStart(3, '0')}`);

it('models of one store move at once: none waits for, loses to, or is locked by another', async () => {
  const folder = temporaryFolder();
  const registry = openRegistry(folder);
  const gate = await storeRun(registry.store, { seed: 1 });
  for (const model of names) await register(registry, { model, gate, actor: alice });
  const held = { environment: 'staging', environments, op_id: null, reason: 'audit', ttl: null };
  await lock(registry, { ...held, model: names[0]!, actor: bob });

  // a process each, as far as the registry can tell
  const ends = await Promise.allSettled(
    names.map((model) => promote(openRegistry(folder), { ...promotion, model, version: 1, actor: alice })),
  );
  expect(ends[0]).toMatchObject({ status: 'rejected', reason: { code: 'locked' } });
  for (const [at, end] of ends.entries())
    if (at > 0) expect(end).toMatchObject({ status: 'fulfilled', value: { generation: 1 } });
  const after = openRegistry(folder);
  expect((await after.models()).sort()).toEqual(names);
  for (const model of names.slice(1)) {
    const state = await after.state(model);
    expect([state.seq, environmentOf(state, 'staging').version]).toEqual([3, 1]);
  }
});
