import { describe, expect, it } from 'vitest';
import { mayDeploy } from '../../src/chatops/may-deploy.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { model, ready, sha, type World } from './world.ts';

/** Another head arrives, with a candidate of its own that passed its gate and that nobody has reviewed. */
async function push(world: World): Promise<void> {
  world.change({ headSha: sha('8') });
  world.github.checks.set(sha('8'), { state: 'success', failed: [], pending: [] });
  await world.candidate(sha('8'));
}

const policy = { environments: { staging: { reviews: 1 } } };

describe('[GAT-4] a push between evaluation and deploy', () => {
  it('promotes 0 unapproved digests, at each moment', { timeout: 300_000 }, async () => {
    const quiet = await ready({ policy });
    await quiet.say('max', '/promote to staging');
    await quiet.work();
    expect(await quiet.serving('staging')).toBe(2);
    const moments = quiet.github.requests.length;
    expect(moments).toBeGreaterThanOrEqual(12);
    const seen = new Set<string>();
    for (let moment = 0; moment < moments; moment += 1) {
      const world = await ready({ policy });
      world.github.before = async (_, index) => {
        if (index === moment) await push(world);
      };
      await world.say('max', '/promote to staging');
      await world.work();
      const { served, version } = environmentOf(await world.registry.state(model), 'staging');
      // version 3, the pushed one, was never reviewed
      expect(served.map((one) => one.version)).not.toContain(3);
      const [record] = world.records();
      seen.add(`${record?.decision} ${record?.reason} ${version}`);
    }
    // refused while it can be seen, stopped by the check before the deploy after that, and let go when it is done
    expect([...seen].sort()).toEqual([
      'done done 2',
      'failed internal 1',
      'refused head_moved 1',
      'refused not_reviewed 1',
    ]);
  });

  it('refuses a run that no command asked for, and one of another digest, version or environment', async () => {
    const world = await ready();
    const { context } = world;
    const by = { context, environment: 'staging' };
    expect(await mayDeploy({ ...by, opId: 'a'.repeat(64) })).toMatchObject({
      allowed: false,
      reason: 'not_permitted',
    });
    const result = await world.say('max', '/promote to staging');
    const opId = result.operation?.opId ?? '';
    expect(await mayDeploy({ ...by, opId })).toMatchObject({ allowed: true });
    expect(await mayDeploy({ ...by, opId, environment: 'production' })).toMatchObject({ allowed: false });
    for (const claims of [
      { digest: 'f'.repeat(64) },
      { version: 1 },
      { generation: 9 },
      { model: 'other' },
    ]) {
      expect(await mayDeploy({ ...by, opId, claims })).toMatchObject({
        allowed: false,
        reason: 'digest_mismatch',
      });
    }
    await world.work();
    expect(await mayDeploy({ ...by, opId })).toMatchObject({ allowed: true, reason: 'nothing_to_do' });
  });

  it('believes no reply and no deployment of others, and no plan', async () => {
    const world = await ready();
    const { context, github } = world;
    const planned = await world.say('max', '/promote to staging --dry-run');
    const [record] = world.records();
    const opId = planned.operation?.opId ?? '';
    const forge = (comment: number) =>
      github.createDeployment({
        ...{ sha: sha('1'), environment: 'staging', task: 'modelgate', production: false, description: '' },
        payload: {
          ...{ type: 'modelgate', op_id: opId, kind: 'promote', model, version: 2, environment: 'staging' },
          ...{ digest: planned.operation?.inputs.digest, generation: 1, number: 7, comment, anchor: null },
        },
      });
    await forge(record?.comment ?? 0);
    expect(await mayDeploy({ context, opId, environment: 'staging' })).toMatchObject({ allowed: false });
    // the same reply, as started, written by somebody else
    const body = github.threads.find(({ ours }) => ours)?.body.replaceAll('"planned"', '"started"') ?? '';
    github.threads = github.threads.filter(({ ours }) => !ours);
    const forged = github.write(7, 'mallory', body);
    expect(await mayDeploy({ context, opId, environment: 'staging' })).toMatchObject({ allowed: false });
    forged.ours = true;
    expect(await mayDeploy({ context, opId, environment: 'staging' })).toMatchObject({ allowed: true });
  });

  it('asks lock, verdict, order and generation again', async () => {
    for (const [change, reason] of [
      ['lock', 'locked'],
      ['retire', 'retired'],
      ['move', 'champion_moved'],
    ] as const) {
      const world = await ready();
      const { operation } = await world.say('max', '/promote to staging');
      if (change === 'lock') await world.say('ann', '/lock staging --reason=audit');
      if (change === 'retire') {
        const { retire } = await import('../../src/registry/locks.ts');
        const actor = { name: 'ann', via: 'cli' } as const;
        await retire(world.registry, { model, version: 2, actor, op_id: null, reason: null });
      }
      if (change === 'move') {
        const { promote } = await import('../../src/rollout/move.ts');
        await promote(world.registry, {
          ...{ model, version: 2, environment: 'staging', environments: ['staging', 'production'] },
          ...{ expected_generation: null, op_id: null, reason: null, dry_run: false, override: null },
          actor: { name: 'ann', via: 'cli' },
        });
      }
      const opId = operation?.opId ?? '';
      const asked = await mayDeploy({ context: world.context, opId, environment: 'staging' });
      expect(asked).toMatchObject({ allowed: false, reason });
    }
  });
});
