import { describe, expect, it } from 'vitest';
import { approvePromotion, requestPromotion } from '../../src/registry/approvals.ts';
import { overrideFigures } from '../../src/registry/overrides.ts';
import { register } from '../../src/registry/register.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { emptyState } from '../../src/registry/state.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { runStage } from '../../src/stages/define.ts';
import { history } from '../../src/stages/history.ts';
import { status } from '../../src/stages/status.ts';
import {
  alice,
  bob,
  contextOf,
  environments,
  model,
  openRegistry,
  promotion,
  registerVersions,
  storeRun,
  temporaryFolder,
} from './world.ts';

const open = () => openRegistry(temporaryFolder());
const staging = { environment: 'staging', environments };
const ask = (registry: Registry, version: number, actor = alice) =>
  requestPromotion(registry, { model, version, ...staging, actor, op_id: null, reason: 'winter' });
const answer = (registry: Registry, version: number, actor = bob, approvers: string[] | null = null) =>
  approvePromotion(registry, { model, version, ...staging, actor, approvers, op_id: null, reason: null });
const go = (registry: Registry, version: number, more: object = {}) =>
  promote(registry, { ...promotion, version, actor: alice, ...more });
const undecided = async (registry: Registry, seed: number, on_inconclusive: string) => {
  const gate = await storeRun(registry.store, {
    seed,
    gate: { facts: { verdict: 'inconclusive', on_inconclusive, metrics: { auc: 0.6 } } },
  });
  return (await register(registry, { model, gate, actor: alice })).version;
};

describe('approvals', () => {
  const approval = true;

  it('[GAT-6] a version waits until another person than the one who asked has approved it', async () => {
    const registry = open();
    await registerVersions(registry, 1);
    const needed = { code: 'approval_needed' };
    await expect(go(registry, 1, { approval })).rejects.toMatchObject(needed);
    await expect(answer(registry, 1)).rejects.toMatchObject(needed);
    await ask(registry, 1);
    await expect(go(registry, 1, { approval })).rejects.toMatchObject(needed);
    const refused = { code: 'approval_refused' };
    await expect(answer(registry, 1, alice)).rejects.toMatchObject(refused);
    await expect(answer(registry, 1, { name: 'Alice', via: 'bot' })).rejects.toMatchObject(refused);
    await expect(answer(registry, 1, bob, ['carol'])).rejects.toMatchObject(refused);
    await answer(registry, 1, bob, ['Bob']);
    expect((await answer(registry, 1, bob)).status).toBe('nothing');
    await go(registry, 1, { approval });
    const entries = (await registry.entries(model)).map(({ entry }) => entry);
    expect(entries.map(({ type }) => type).slice(-3)).toEqual(['request', 'approve', 'promote']);
    expect(entries.at(-1)).toMatchObject({
      approval: { requested_by: 'alice', approved_by: 'bob', seq: entries.length - 1 },
    });
    expect(entries.at(-3)).toMatchObject({ reason: 'winter' });
  });

  it('[GAT-6] any move of the environment ends what was approved before', async () => {
    const registry = open();
    await registerVersions(registry, 3);
    await ask(registry, 1);
    await answer(registry, 1);
    await go(registry, 2);
    await expect(go(registry, 1, { approval })).rejects.toMatchObject({ code: 'approval_needed' });
    // what was approved is one version in one environment
    await ask(registry, 3);
    await answer(registry, 3);
    const elsewhere = { approval, environment: 'production' };
    await expect(go(registry, 2, elsewhere)).rejects.toMatchObject({ code: 'approval_needed' });
  });

  it('[GAT-4] no approval takes a version that failed', async () => {
    const registry = open();
    await registerVersions(registry, 1, { verdict: 'fail' });
    await expect(ask(registry, 1)).rejects.toMatchObject({ code: 'not_passed' });
  });

  it('on_inconclusive: pass needs nobody, approve another person, block an override', async () => {
    const registry = open();
    const passes = await undecided(registry, 1, 'pass');
    const approves = await undecided(registry, 2, 'approve');
    const blocks = await undecided(registry, 3, 'block');
    const unknown = await undecided(registry, 4, 'whatever');
    const refused = { code: 'not_passed' };
    for (const version of [approves, blocks, unknown])
      await expect(go(registry, version)).rejects.toMatchObject(refused);
    await ask(registry, blocks);
    await answer(registry, blocks);
    await expect(go(registry, blocks)).rejects.toMatchObject(refused);
    await ask(registry, approves);
    await expect(go(registry, approves)).rejects.toMatchObject(refused);
    await answer(registry, approves);
    expect(await go(registry, approves)).toMatchObject({ to: approves });
    expect(await go(registry, passes)).toMatchObject({ to: passes });
    expect(overrideFigures(await registry.state(model)).overrides).toBe(0);
  });
});

describe('overrides', () => {
  const override = (by: string, reason = 'a holiday') => ({
    override: { by, reason },
    overriders: ['Carol'],
  });

  it('[GAT-5] need a permitted person and a reason, and are in the log', async () => {
    const registry = open();
    const version = await undecided(registry, 1, 'block');
    const refused = { code: 'override_refused' };
    await expect(go(registry, version, override('mallory'))).rejects.toMatchObject(refused);
    await expect(go(registry, version, override('carol', ' '))).rejects.toMatchObject(refused);
    await expect(go(registry, version, { ...override('carol'), overriders: [] })).rejects.toMatchObject(
      refused,
    );
    await go(registry, version, override('carol'));
    expect((await registry.entries(model)).at(-1)?.entry).toMatchObject({
      override: { by: 'carol', reason: 'a holiday' },
    });
  });

  it('[MET-3] are counted with their rate, and with those that stood', async () => {
    const registry = open();
    await registerVersions(registry, 1);
    await go(registry, 1);
    const good = await undecided(registry, 2, 'block');
    const bad = await undecided(registry, 3, 'block');
    await undecided(registry, 4, 'block');
    for (const version of [good, bad]) await go(registry, version, override('carol'));
    await rollback(registry, { ...promotion, to: null, actor: bob });
    const wanted = {
      promotions: 3,
      overrides: 2,
      override_rate: 2 / 3,
      stopped: 3,
      stood: 1,
      false_block_rate: 1 / 3,
    };
    const context = contextOf(registry);
    expect((await runStage(history, { model }, context)).outputs.overrides).toEqual(wanted);
    expect((await runStage(status, { model, at: null }, context)).outputs.overrides).toEqual(wanted);
    const empty = { override_rate: null, false_block_rate: null, overrides: 0 };
    expect(overrideFigures(emptyState(model))).toMatchObject(empty);
  });
});
