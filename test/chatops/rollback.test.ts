import { describe, expect, it } from 'vitest';
import { environmentOf } from '../../src/registry/state.ts';
import { model, pull, ready, sha, type World } from './world.ts';

/** Version 2 serves in both environments, after version 1. */
async function released(): Promise<World> {
  const world = await ready();
  await world.say('max', '/promote to staging');
  await world.work();
  await world.say('max', `/promote to production --confirm=${world.digest}`);
  await world.work();
  expect(await world.serving('production')).toBe(2);
  return world;
}

describe('/rollback', () => {
  it('[DEP-4] puts the last healthy version back, says the seconds taken, and freezes what it left', async () => {
    const world = await released();
    // the gate, reviews and checks of the pull request are not asked
    world.change({ state: 'closed', merged: true, headSha: sha('9') });
    const result = await world.say('max', '/rollback in production');
    expect(result).toMatchObject({ decision: 'started' });
    await world.work();
    expect(await world.serving('production')).toBe(1);
    expect(world.records().at(-1)?.summary).toMatch(/rolled back in 20 s\./);
    expect(environmentOf(await world.registry.state(model), 'production').frozen).toEqual([2]);
    world.open({ headSha: sha('1') });
    const again = await world.say(
      'max',
      `/promote to production --confirm=${world.records()[0]?.operation?.inputs.digest?.slice(0, 12)}`,
    );
    expect(again.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toContain(
      'not rolled back',
    );
  });

  it('[DEP-4] lets what it leaves be promoted again where the person says so, with a reason', async () => {
    const world = await released();
    expect(await world.say('max', '/rollback in production --no-freeze')).toMatchObject({
      decision: 'refused',
    });
    const line = '/rollback in production --no-freeze --reason="the feed was late"';
    const { operation, summary } = await world.say('max', line);
    expect(summary).toContain('@2 may be promoted there again');
    expect(operation?.inputs).toMatchObject({ no_freeze: 'true', to: '1' });
    await world.work();
    expect(await world.serving('production')).toBe(1);
    const state = await world.registry.state(model);
    expect(environmentOf(state, 'production').frozen).toEqual([]);
    const { entry } = await world.registry.entry(model, state.seq);
    expect(entry).toMatchObject({ type: 'rollback', freeze: false });
    expect(entry.reason).toContain('the feed was late');
  });

  it('works in a drift issue, and names the last environment all the same', async () => {
    const world = await released();
    world.github.issuesByNumber.set(40, {
      ...{ number: 40, state: 'open', title: 'drift', labels: [], ours: true, closedBy: null },
      ...{ updatedAt: '', url: '', body: `<!-- modelgate:alert ${model}/production/drift -->\n\ntext` },
    });
    expect(await world.say('max', '/rollback', 40)).toMatchObject({ reason: 'ambiguous' });
    expect(await world.say('max', '/rollback in production', 40)).toMatchObject({ decision: 'started' });
    await world.work();
    expect(await world.serving('production')).toBe(1);
  });

  it('goes to a named version or so many steps back, and nowhere else', async () => {
    const world = await released();
    world.open({ headSha: sha('5') });
    const third = await world.candidate(sha('5'));
    await world.say('max', '/promote to staging');
    await world.work();
    await world.say('max', `/promote to production --confirm=${third.manifest.slice(0, 12)}`);
    await world.work();
    const planned = await world.say('max', '/rollback in production --steps=2 --dry-run');
    expect(planned).toMatchObject({ decision: 'planned', operation: { inputs: { to: '1' } } });
    expect(await world.say('max', '/rollback in production --steps=5')).toMatchObject({
      reason: 'no_previous',
    });
    expect(await world.say('max', '/rollback in production to 3')).toMatchObject({ reason: 'nothing_to_do' });
    expect(await world.say('max', '/rollback in production to 9')).toMatchObject({ reason: 'no_candidate' });
    expect(await world.say('max', '/rollback in production to 1')).toMatchObject({ decision: 'started' });
    await world.work();
    expect(await world.serving('production')).toBe(1);
  });

  it('never skips permission, the lock or the digests', async () => {
    const world = await released();
    expect(await world.say('wil', '/rollback in production')).toMatchObject({ reason: 'not_permitted' });
    await world.say('ann', '/hold production --reason="audit"');
    expect(await world.say('max', '/rollback in production')).toMatchObject({ reason: 'locked' });
    await world.say('ann', '/release production');
    const state = await world.registry.state(model);
    const { storage } = world.registry.store;
    const manifest = await world.registry.store.readManifest(state.versions[0]?.manifest ?? '', 'model');
    const [file] = manifest.files;
    const digest = file?.sha256 ?? '';
    await storage.remove(`objects/sha256/${digest.slice(0, 2)}/${digest}`);
    expect(await world.say('max', '/rollback in production')).toMatchObject({ reason: 'package_damaged' });
    expect(world.github.workflowRuns.filter(({ path }) => path.endsWith('rollback.yml'))).toEqual([]);
  });

  it('has nowhere to go without an earlier version', async () => {
    const world = await ready();
    expect(await world.say('max', '/rollback in production')).toMatchObject({ reason: 'no_previous' });
    expect(await world.say('max', '/rollback')).toMatchObject({ reason: 'ambiguous' });
    expect(await world.say('max', '/rollback in nowhere')).toMatchObject({ reason: 'unknown_environment' });
    expect(world.github.pulls.has(pull)).toBe(true);
  });
});
