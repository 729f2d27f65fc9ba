import { describe, expect, it } from 'vitest';
import { environmentOf } from '../../src/registry/state.ts';
import { model, pull, ready, sha } from './world.ts';

describe('/promote', () => {
  it('goes from comment to environment, in one reply, with reactions and a deployment', async () => {
    const world = await ready();
    const result = await world.say('max', '/promote to staging');
    expect(result).toMatchObject({ decision: 'started', reason: 'started' });
    const [run] = world.github.workflowRuns;
    expect(run?.inputs).toMatchObject({
      model: `${model}@2`,
      environment: 'staging',
      expected_generation: '1',
      requested_by: 'max',
    });
    await world.work();
    expect(await world.serving('staging')).toBe(2);
    const [reply, ...more] = world.github.threads.filter(({ ours }) => ours);
    expect(more).toEqual([]);
    expect(reply?.body).toContain('promoted in 20 s');
    expect(world.github.threads[0]?.reactions).toEqual(['eyes', 'rocket']);
    const [deployment] = world.github.deploymentList;
    expect(deployment?.states.map(({ state }) => state)).toEqual(['in_progress', 'success']);
    const { seq, head } = await world.registry.state(model);
    expect(deployment?.states.at(-1)?.description).toBe(`entry ${seq}:${head}`);
  });

  it('asks production for the digest, and ends the deployment that it replaces', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    await world.work();
    expect(await world.say('max', '/promote to production')).toMatchObject({ reason: 'confirm_needed' });
    expect(await world.say('max', `/promote to production --confirm=${'0'.repeat(12)}`)).toMatchObject({
      reason: 'digest_mismatch',
    });
    await world.say('max', `/promote to production --confirm=${world.digest}`);
    await world.work();
    expect(await world.serving('production')).toBe(2);
    world.open({ headSha: sha('2') });
    const third = await world.candidate(sha('2'));
    await world.say('max', '/promote to staging');
    await world.work();
    expect(await world.serving('staging')).toBe(3);
    await world.say('max', `/promote to production --confirm=${third.manifest.slice(0, 12)}`);
    await world.work();
    expect(await world.serving('production')).toBe(3);
    const states = world.github.deploymentList
      .filter(({ environment }) => environment === 'production')
      .map((one) => one.states.at(-1)?.state);
    expect(states).toEqual(['success', 'inactive']);
  });

  it('plans by --dry-run and does nothing', async () => {
    const world = await ready();
    const result = await world.say('max', '/promote to staging --dry-run');
    expect(result).toMatchObject({ decision: 'planned', reason: 'planned' });
    expect(result.operation?.inputs).toMatchObject({ model: `${model}@2` });
    expect(world.github.workflowRuns).toEqual([]);
    expect(world.github.deploymentList).toEqual([]);
  });

  it('without words goes to the next environment, and never to the last one', async () => {
    const world = await ready();
    expect(await world.say('max', '/promote')).toMatchObject({ decision: 'started' });
    await world.work();
    expect(await world.serving('staging')).toBe(2);
    expect(await world.say('max', '/promote')).toMatchObject({ decision: 'refused', reason: 'ambiguous' });
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason: 'nothing_to_do' });
  });

  it('[GAT-6] waits for another person where the environment asks for it', async () => {
    const environments = [{ name: 'staging', approval: true }, { name: 'production' }];
    const world = await ready({ environments: environments.map((one) => ({ ...one })) });
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason: 'approval_needed' });
    expect(await world.say('max', '/approve to staging')).toMatchObject({ reason: 'self_approval' });
    expect(await world.say('rea', '/approve to staging')).toMatchObject({ reason: 'not_permitted' });
    expect(world.github.workflowRuns).toEqual([]);
    expect(await world.say('wil', '/approve to staging')).toMatchObject({ reason: 'done' });
    expect(await world.say('ann', '/approve to staging')).toMatchObject({ reason: 'nothing_to_do' });
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason: 'started' });
    await world.work();
    expect((await world.registry.entries(model)).at(-1)?.entry).toMatchObject({
      type: 'promote',
      approval: { requested_by: 'max', approved_by: 'wil' },
    });
  });

  it('[GAT-5] overrides an undecided gate by a permitted person with a reason, on record and counted', async () => {
    const world = await ready({
      environments: [{ name: 'staging', override: ['max'] }, { name: 'production' }],
    });
    world.open({ headSha: sha('3') });
    await world.candidate(sha('3'), { verdict: 'inconclusive' });
    world.github.checks.set(sha('3'), { state: 'failure', failed: ['modelgate/gate'], pending: [] });
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason: 'gate_undecided' });
    const line = '/promote to staging --override --reason="agreed with the business"';
    expect(await world.say('ann', line)).toMatchObject({ reason: 'not_permitted' });
    expect(await world.say('max', line)).toMatchObject({ reason: 'started' });
    await world.work();
    expect((await world.registry.entries(model)).at(-1)?.entry).toMatchObject({
      type: 'promote',
      override: { by: 'max', reason: 'agreed with the business' },
    });
    expect((await world.registry.state(model)).overrides).toMatchObject({ overrides: 1 });
  });

  it('[EVA-10] a new push makes the result stale until it is trained again', async () => {
    const world = await ready();
    world.open({ headSha: sha('9') });
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason: 'no_candidate' });
    expect(await world.say('max', `/promote ${model}@2 to staging`)).toMatchObject({ reason: 'head_moved' });
    await world.candidate(sha('9'));
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason: 'started' });
  });

  it('in an issue takes a commit that came by a merged pull request, and no other where reviews are asked for', async () => {
    const world = await ready({ policy: { environments: { staging: { reviews: 1 } } } });
    world.github.checks.set(sha('1'), { state: 'success', failed: [], pending: [] });
    world.github.pulls.delete(pull);
    expect(await world.say('max', '/promote to staging', 99)).toMatchObject({ reason: 'not_reviewed' });
    world.open({ headSha: sha('1') });
    world.change({ state: 'closed', merged: true });
    expect(await world.say('max', '/promote to staging', 99)).toMatchObject({ reason: 'started' });
  });

  it('moves nothing in an environment that moved while it was looked at', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    world.open({ headSha: sha('2') });
    await world.candidate(sha('2'));
    await world.say('max', '/promote to staging');
    await world.work();
    const { generation, version } = environmentOf(await world.registry.state(model), 'staging');
    expect([generation, version]).toEqual([2, 3]);
    const outcomes = world.records().map(({ decision }) => decision);
    expect(outcomes).toEqual(['failed', 'done']);
  });
});
