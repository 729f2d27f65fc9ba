import { describe, expect, it } from 'vitest';
import { retire } from '../../src/registry/locks.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { previousMove } from '../../src/registry/rules.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import {
  alice,
  environments,
  judgedAgain,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from '../registry/world.ts';

const open = () => openRegistry(temporaryFolder());
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

async function walk(registry: Registry, version: number) {
  for (const environment of environments) await promote(registry, to(version, environment));
}

describe('promote', () => {
  it('[GAT-2] refuses a version that failed, with an override too, and one that is undecided', async () => {
    const registry = open();
    await registerVersions(registry, 1, { verdict: 'fail', seed: 1 });
    await registerVersions(registry, 1, { verdict: 'inconclusive', seed: 2 });
    const override = { by: 'carol', reason: 'agreed with the business' };
    const refused = { code: 'not_passed' };
    await expect(promote(registry, to(1))).rejects.toMatchObject(refused);
    await expect(promote(registry, { ...to(1), override })).rejects.toMatchObject(refused);
    await expect(promote(registry, to(2))).rejects.toMatchObject(refused);
    await expect(promote(registry, to(null))).rejects.toMatchObject(refused);
    expect(environmentOf(await registry.state(model), 'staging').generation).toBe(0);
    expect(await promote(registry, { ...to(2), override })).toMatchObject({
      from: null,
      to: 2,
      generation: 1,
    });
    expect((await registry.entries(model)).at(-1)?.entry).toMatchObject({ type: 'promote', override });
  });

  it('takes the newest version that passed and is not retired', async () => {
    const registry = open();
    await registerVersions(registry, 3);
    await registerVersions(registry, 1, { verdict: 'fail', seed: 9 });
    await retire(registry, { model, version: 3, actor: alice, op_id: null, reason: 'wrong labels' });
    expect(await promote(registry, to(null))).toMatchObject({ to: 2 });
  });

  it('[REG-4] refuses production before staging, and asks for the same package, not the same name', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await expect(promote(registry, to(1, 'production'))).rejects.toMatchObject({ code: 'order' });
    await promote(registry, to(1));
    await expect(promote(registry, to(2, 'production'))).rejects.toMatchObject({ code: 'order' });
    await promote(registry, to(2));
    // it has been in staging, though it is not there now
    expect(await promote(registry, to(1, 'production'))).toMatchObject({ to: 1, generation: 1 });
    await expect(promote(registry, to(1, 'elsewhere'))).rejects.toMatchObject({
      code: 'environment_unknown',
    });
  });

  it('refuses another package than the one that is meant', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    const { versions } = await registry.state(model);
    const [first, second] = versions.map(({ manifest }) => manifest);
    const refused = { code: 'digest_mismatch' };
    await expect(promote(registry, { ...to(1), digest: second! })).rejects.toMatchObject(refused);
    await expect(promote(registry, { ...to(1), digest: second!, dry_run: true })).rejects.toMatchObject(
      refused,
    );
    expect(await promote(registry, { ...to(1), digest: first! })).toMatchObject({ manifest: first });
    await promote(registry, to(2));
    await expect(rollback(registry, { ...back(), digest: second! })).rejects.toMatchObject(refused);
    expect(await rollback(registry, { ...back(), digest: first! })).toMatchObject({ manifest: first });
  });

  it('names both generations when the environment has moved', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await promote(registry, { ...to(1), expected_generation: 0 });
    const late = promote(registry, { ...to(2), expected_generation: 0 });
    await expect(late).rejects.toMatchObject({
      code: 'generation_moved',
      message: expect.stringMatching(/generation 1, not 0/),
    });
  });

  it('does nothing when the version serves there already', async () => {
    const registry = open();
    await registerVersions(registry, 1);
    const first = await promote(registry, to(1));
    const again = await promote(registry, to(1));
    expect(again).toEqual({ ...first, status: 'nothing', from: 1 });
  });

  it('gives the same entry for the same op_id, and refuses it for another operation', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    const first = await promote(registry, { ...to(1), op_id: 'op-1' });
    await promote(registry, to(2));
    expect(await promote(registry, { ...to(1), op_id: 'op-1' })).toEqual({ ...first, status: 'replayed' });
    expect(environmentOf(await registry.state(model), 'staging').version).toBe(2);
    const other = { code: 'op_id_reused' };
    await expect(promote(registry, { ...to(2), op_id: 'op-1' })).rejects.toMatchObject(other);
    await expect(rollback(registry, { ...back(), op_id: 'op-1' })).rejects.toMatchObject(other);
  });

  it('changes nothing in a dry run, and judges all the same', async () => {
    const registry = open();
    await registerVersions(registry, 1);
    const before = (await registry.state(model)).head;
    const plan = await promote(registry, { ...to(1), dry_run: true });
    expect(plan).toMatchObject({ status: 'planned', from: null, to: 1, generation: 1, seq: null });
    await expect(promote(registry, { ...to(1, 'production'), dry_run: true })).rejects.toMatchObject({
      code: 'order',
    });
    expect((await registry.state(model)).head).toBe(before);
  });

  it('tells an unknown model and an unknown version', async () => {
    const registry = open();
    await expect(promote(registry, to(1))).rejects.toMatchObject({ code: 'model_unknown' });
    await registerVersions(registry, 1);
    await expect(promote(registry, to(2))).rejects.toMatchObject({ code: 'version_unknown' });
  });
});

describe('rollback', () => {
  it('[DEP-4] puts the previous good version back, skipping frozen and retired ones', async () => {
    const registry = open();
    await registerVersions(registry, 4);
    for (const version of [1, 2, 3, 4]) await promote(registry, to(version));
    await retire(registry, { model, version: 2, actor: alice, op_id: null, reason: null });
    expect(await rollback(registry, back())).toMatchObject({ from: 4, to: 3, generation: 5 });
    expect(await rollback(registry, back())).toMatchObject({ from: 3, to: 1, generation: 6 });
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'no_previous' });
  });

  it('[GAT-4] keeps the version that it left from coming back by promote', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await walk(registry, 1);
    await promote(registry, to(2));
    await rollback(registry, back());
    await expect(promote(registry, to(2))).rejects.toMatchObject({ code: 'frozen' });
    await expect(promote(registry, to(2, 'production'))).rejects.toMatchObject({ code: 'frozen' });
    // a mistaken rollback is taken back by name, and then the version is good again
    expect(await rollback(registry, back('staging', 2))).toMatchObject({ from: 1, to: 2 });
    expect(await promote(registry, to(2, 'production'))).toMatchObject({ to: 2 });
  });

  it('[DEP-5] lets the version that it left come back by promote where it says so, with a reason', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await walk(registry, 1);
    await promote(registry, to(2));
    const kept = { ...back(), freeze: false };
    await expect(rollback(registry, kept)).rejects.toMatchObject({ code: 'usage' });
    const named = { ...kept, op_id: 'the-feed', reason: 'the feed was late' };
    expect(await rollback(registry, named)).toMatchObject({ status: 'committed', from: 2, to: 1 });
    expect((await registry.entries(model)).at(-1)?.entry).toMatchObject({ freeze: false });
    expect(await rollback(registry, named)).toMatchObject({ status: 'replayed' });
    // the same operation without it is another one
    await expect(rollback(registry, { ...named, freeze: true })).rejects.toMatchObject({
      code: 'op_id_reused',
    });
    expect(await promote(registry, to(2))).toMatchObject({ to: 2 });
    expect((await registry.entries(model)).filter(({ entry }) => 'freeze' in entry)).toHaveLength(1);
    const proof = await verify(registry.store.storage, { anchor: null, read_data: true });
    expect(proof.answer).toBe('sound');
  });

  it('[REG-6] keeps the package that it left away under another version number too', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await walk(registry, 1);
    await walk(registry, 2);
    await rollback(registry, back('production'));
    await registerVersions(registry, 1, { ...judgedAgain, seed: 2 });
    const again = { code: 'frozen', message: expect.stringContaining(`the package of ${model}@2`) };
    await expect(promote(registry, to(3, 'production'))).rejects.toMatchObject(again);
    // by name it comes back, under each of its numbers
    await rollback(registry, back('production', 2));
    expect(await promote(registry, to(3, 'production'))).toMatchObject({ to: 3 });
    // frozen in the environment before, it goes no further either
    await promote(registry, to(3));
    await rollback(registry, back('staging'));
    await expect(promote(registry, to(2, 'production'))).rejects.toMatchObject({ code: 'frozen' });
    await rollback(registry, back('staging', 2));
    expect(await promote(registry, to(2, 'production'))).toMatchObject({ to: 2 });
  });

  it('[DEP-4] [REG-6] never restores the very package that is failing', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await registerVersions(registry, 1, { ...judgedAgain, seed: 2 });
    for (const version of [1, 2, 3]) await promote(registry, to(version));
    const state = await registry.state(model);
    expect(previousMove(state, environmentOf(state, 'staging'))?.version).toBe(1);
    expect(await rollback(registry, back())).toMatchObject({ from: 3, to: 1 });
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'no_previous' });
  });

  it('goes only to what served there before, and says when there is nothing', async () => {
    const registry = open();
    await registerVersions(registry, 2);
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'nothing_deployed' });
    await promote(registry, to(1));
    await expect(rollback(registry, back())).rejects.toMatchObject({ code: 'no_previous' });
    await expect(rollback(registry, back('staging', 2))).rejects.toMatchObject({ code: 'no_previous' });
    expect(await rollback(registry, back('staging', 1))).toMatchObject({ status: 'nothing' });
  });

  it('is done once when two people ask for it at the same moment', async () => {
    const folder = temporaryFolder();
    const [one, two] = [openRegistry(folder), openRegistry(folder)];
    await registerVersions(one, 3);
    for (const version of [1, 2, 3]) await promote(one, to(version));
    const ends = await Promise.allSettled([rollback(one, back()), rollback(two, back())]);
    const kinds = ends.map((end) => (end.status === 'fulfilled' ? end.value.to : end.reason.code));
    expect(kinds.sort()).toEqual([2, 'generation_moved']);
  });
});
