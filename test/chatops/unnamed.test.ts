import { describe, expect, it } from 'vitest';
import { handleComment } from '../../src/chatops/handle.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { promote } from '../../src/rollout/move.ts';
import { model, ready, sha, World } from './world.ts';

const approval = [{ name: 'staging' }, { name: 'production', approval: true }];

/** An alarm's issue about the last environment. */
function alarm(world: World): number {
  world.github.issuesByNumber.set(50, {
    ...{ number: 50, state: 'open', title: 'drift', labels: [], ours: true, closedBy: null },
    ...{ updatedAt: '', url: '', body: `<!-- modelgate:alert ${model}/production/data_drift -->` },
  });
  return 50;
}

describe('[GOV-5] an environment that is not named', () => {
  it('is never the last one for an approval', async () => {
    const world = await ready({ environments: approval });
    await world.say('max', '/promote to staging');
    await world.work();
    const confirm = `--confirm=${world.digest}`;
    expect(await world.say('max', `/promote to production ${confirm}`)).toMatchObject({
      reason: 'approval_needed',
    });
    const requests = async () =>
      environmentOf(await world.registry.state(model), 'production').requests.map(({ approved }) => approved);
    expect(await world.say('wil', '/approve')).toMatchObject({ decision: 'refused', reason: 'ambiguous' });
    const viaApp = { ...world.comment('ann', '/approve'), viaApp: true };
    expect(await handleComment(viaApp, world.context)).toMatchObject({ reason: 'ambiguous' });
    expect(await requests()).toEqual([null]);
    expect(await world.say('wil', '/approve to production')).toMatchObject({ reason: 'not_permitted' });
    expect(await world.say('ann', '/approve to production')).toMatchObject({ reason: 'done' });
    expect(await requests()).toMatchObject([{ by: { name: 'ann' } }]);
  });

  it('takes the right where it goes, not where an alarm comes from', async () => {
    const policy = {
      environments: { production: { promote: { role: 'write' } }, staging: { promote: { role: 'admin' } } },
    };
    const world = await ready({ policy });
    const issue = alarm(world);
    for (const line of ['/promote', '/approve'])
      expect(await world.say('wil', line, issue)).toMatchObject({ reason: 'not_permitted' });
    expect(world.github.workflowRuns).toEqual([]);
  });

  it('in an alarm of the last one means no rollback elsewhere, where nothing else runs neither', async () => {
    const world = new World();
    for (const letter of ['0', '1']) {
      const { version } = await world.candidate(sha(letter));
      await promote(world.registry, {
        ...{ model, version, environment: 'staging', environments: ['staging', 'production'] },
        ...{ op_id: null, reason: null, dry_run: false, override: null, expected_generation: null },
        actor: { name: 'ann', via: 'cli' },
      });
    }
    const issue = alarm(world);
    const said = await world.say('max', '/rollback', issue);
    expect(said).toMatchObject({ reason: 'ambiguous' });
    expect(said.summary).toContain(`/rollback ${model} in production`);
    expect(world.github.workflowRuns).toEqual([]);
    world.clock.forward(2000);
    expect(await world.say('max', '/rollback', 51)).toMatchObject({ decision: 'started' });
  });
});
