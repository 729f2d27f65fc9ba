import { describe, expect, it } from 'vitest';
import { handleComment } from '../../src/chatops/handle.ts';
import { GitHubUnavailable } from '../../src/github/port.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { model, ready, released, sha, type World } from './world.ts';

const hour = 3_600_000;
const back = '/rollback in production';

/** Versions 1, 2 and 3 have served in production, one after another. */
async function thrice(): Promise<World> {
  const world = await released();
  const { manifest } = await world.candidate(sha('3'));
  world.open({ headSha: sha('3') });
  for (const line of ['staging', `production --confirm=${manifest.slice(0, 12)}`]) {
    await world.say('max', `/promote to ${line}`);
    await world.work();
  }
  expect(await world.serving('production')).toBe(3);
  return world;
}

describe('[DEP-4] a command means what its author could see', () => {
  it('two rollbacks for one trouble are one', async () => {
    const world = await thrice();
    const [one, two] = [world.comment('ann', back), world.comment('max', back)];
    expect(await world.handle(one)).toMatchObject({ decision: 'started' });
    await world.work();
    const second = await world.handle(two);
    expect(second).toMatchObject({ decision: 'refused', reason: 'champion_moved' });
    expect(second.summary).toContain('production has moved since your comment');
    await world.work();
    expect(await world.serving('production')).toBe(2);
    // said again, after a look, it is another one
    world.clock.forward(2000);
    expect(await world.say('max', back)).toMatchObject({ decision: 'started' });
  });

  it('a late delivery does nothing, and says how long commands count', async () => {
    const world = await thrice();
    const comment = world.comment('ann', back);
    world.clock.forward(2 * 24 * hour);
    const late = await world.handle(comment);
    expect(late).toMatchObject({ decision: 'refused', reason: 'too_old' });
    expect(late.summary).toContain('count for 1h');
    expect(await world.serving('production')).toBe(3);
  });

  it('moved by hand meanwhile, it goes no further back; a version that is named and serves is no move', async () => {
    const world = await thrice();
    const [relative, absolute] = [world.comment('ann', back), world.comment('ann', `${back} to 2`)];
    world.clock.forward(10_000);
    await rollback(world.registry, {
      ...{ model, environment: 'production', environments: ['staging', 'production'], to: null },
      ...{ op_id: null, reason: 'by hand', dry_run: false, expected_generation: null },
      actor: { name: 'ann', via: 'cli' },
    });
    expect(await world.handle(relative)).toMatchObject({ reason: 'champion_moved' });
    expect(await world.handle(absolute)).toMatchObject({ reason: 'nothing_to_do' });
    expect(await world.serving('production')).toBe(2);
  });

  it('a reply that was deleted brings an old command back no more', async () => {
    const world = await released();
    const comment = world.comment('rea', back);
    expect(await world.handle(comment)).toMatchObject({ reason: 'not_permitted' });
    world.github.roles.set('rea', 'maintain');
    world.github.threads = world.github.threads.filter(({ ours }) => !ours);
    world.clock.forward(20 * 24 * hour);
    expect(await world.handle(comment)).toMatchObject({ reason: 'too_old' });
  });

  it('promotions, locks and what was started are bound alike', async () => {
    const world = await ready();
    await world.candidate(sha('3'));
    const line = `/promote ${model}@2 to staging`;
    const [first, second] = [world.comment('max', line), world.comment('max', '/cancel')];
    const unlock = world.comment('ann', '/unlock staging --reason=mine');
    world.clock.forward(5000);
    await promote(world.registry, {
      ...{ model, environment: 'staging', environments: ['staging', 'production'], version: 3 },
      ...{ op_id: null, reason: 'by hand', dry_run: false, override: null, expected_generation: null },
      actor: { name: 'ann', via: 'cli' },
    });
    expect(await world.handle(first)).toMatchObject({ reason: 'champion_moved' });
    expect(await world.serving('staging')).toBe(3);
    await world.say('max', '/lock staging --reason=audit');
    expect(await world.handle(unlock)).toMatchObject({ reason: 'locked' });
    await world.say('max', '/unlock staging');
    world.clock.forward(2000);
    expect(await world.say('max', '/rollback in staging')).toMatchObject({ decision: 'started' });
    expect(await world.handle(second)).toMatchObject({ reason: 'nothing_to_do' });
    await world.work();
    expect(await world.serving('staging')).toBe(1);
  });

  it('the age is the policy’s, for each command that acts on what is there now', async () => {
    const world = await ready({ policy: { command_age: '30m' } });
    const lines = [
      '/promote to staging',
      back,
      '/unlock staging',
      '/cancel',
      '/train',
      '/retrain',
      '/release staging',
    ];
    const late = lines.map((line) => world.comment('max', line));
    world.clock.forward(2 * 60_000);
    const inTime = lines.map((line) => world.comment('max', line));
    world.clock.forward(29 * 60_000);
    for (const comment of late) expect(await world.handle(comment)).toMatchObject({ reason: 'too_old' });
    expect(world.github.workflowRuns).toEqual([]);
    for (const comment of inTime) expect((await world.handle(comment)).reason).not.toBe('too_old');
    const locked = world.comment('max', '/lock staging --reason=audit');
    world.clock.forward(hour);
    expect(await world.handle(locked)).toMatchObject({ decision: 'done' });
  });

  it('heard in time, it is finished however long GitHub was away', async () => {
    for (const lost of ['dispatch', 'permission'] as const) {
      const world = await released();
      const comment = world.comment('max', back);
      world.github.before = (method) => {
        if (method === lost) throw new GitHubUnavailable('502', { retryAfterSeconds: 1, ambiguous: false });
      };
      await expect(handleComment(comment, world.context)).rejects.toBeInstanceOf(GitHubUnavailable);
      world.github.before = () => {};
      world.clock.forward(5 * hour);
      expect(await world.handle(comment)).toMatchObject({ decision: 'started' });
      await world.work();
      expect(await world.serving('production')).toBe(1);
    }
  });
});
