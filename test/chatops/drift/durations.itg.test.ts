import { describe, expect, it } from 'vitest';
import { durationLabel, punctuality } from '../../../src/chatops/drift/durations.ts';
import { lookAfter } from '../../../src/chatops/drift/look-after.ts';
import { expectedDurationsOf } from '../../../src/chatops/drift/schedules.ts';
import { ChatopsPolicy } from '../../../src/chatops/policy.ts';
import { DriftWorld } from './world.ts';

const timeout = 120_000;
const hour = 3_600_000;
const open = () => DriftWorld.open({ durations: { train: '2h' }, heartbeats: {} });
/** A training that takes so many hours, or goes on when its conclusion is null. */
function train(world: DriftWorld, hours: number, conclusion: string | null = 'success', branch = 'main') {
  const run = world.repository.startRun({
    ...{ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ann', headBranch: branch },
  });
  run.start();
  world.clock.forward(hours * hour);
  if (conclusion !== null) run.complete(conclusion);
  return run;
}

describe('[OBS-3] a workflow that takes longer than expected', () => {
  it('of 6 h instead of 2 h gets an issue of its own although its output is right, and closes when in time', {
    timeout,
  }, async () => {
    await using world = await open();
    train(world, 1.9);
    await lookAfter(world.context);
    expect(await world.issues(durationLabel)).toEqual([]);
    const late = train(world, 6);
    await lookAfter(world.context);
    await lookAfter(world.other());
    const [issue, ...others] = await world.issues(durationLabel);
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ state: 'open', title: 'train.yml takes longer than 2 h' });
    expect(issue?.body).toContain('took **6 h** from');
    expect(issue?.body).toContain('It ended with success');
    expect(issue?.body).toContain(`/actions/runs/${late.id}`);
    // no other cause is told of
    for (const label of ['modelgate-schedule', 'modelgate-failure'])
      expect(await world.issues(label)).toEqual([]);
    // a repeat changes it in place; a run that fails early or is cancelled is no recovery
    const again = train(world, 3);
    train(world, 0.1, 'failure');
    train(world, 0.1, 'cancelled');
    await lookAfter(world.context);
    const repeated = await world.issues(durationLabel);
    expect(repeated).toMatchObject([{ number: issue?.number, state: 'open' }]);
    expect(repeated[0]?.body).toContain(`/actions/runs/${again.id}`);
    const fast = train(world, 1);
    await lookAfter(world.context);
    expect(await world.issues(durationLabel)).toMatchObject([{ state: 'closed' }]);
    expect(await world.notes(issue?.number ?? 0)).toEqual([expect.stringContaining(`Run ${fast.id}`)]);
    train(world, 4);
    await lookAfter(world.context);
    expect(await world.issues(durationLabel)).toMatchObject([{ state: 'closed' }, { state: 'open' }]);
  });

  it('is told of while it still runs, also behind a newer one in time, and the text stands still', {
    timeout,
  }, async () => {
    await using world = await open();
    const going = train(world, 2.5, null);
    await lookAfter(world.context);
    const [issue] = await world.issues(durationLabel);
    expect(issue?.body).toContain('goes on since **2026-03-01 06:00 UTC**');
    train(world, 0.5);
    await lookAfter(world.context);
    expect(await world.issues(durationLabel)).toMatchObject([{ state: 'open', body: issue?.body }]);
    going.complete('success');
    await lookAfter(world.context);
    expect(await world.issues(durationLabel)).toMatchObject([{ state: 'closed' }]);
  });

  it('is not told of a run of another branch or a pull request', { timeout }, async () => {
    await using world = await open();
    train(world, 6, 'success', 'other');
    const run = world.repository.startRun({ workflow: 'train.yml', event: 'pull_request', by: 'ann' });
    run.start();
    world.clock.forward(9 * hour);
    run.complete('success');
    await lookAfter(world.context);
    expect(await world.issues(durationLabel)).toEqual([]);
  });

  it('counts the newest attempt alone', () => {
    const now = new Date('2026-03-02T12:00:00Z');
    const run = { status: 'completed' as const, conclusion: 'success', updatedAt: '2026-03-02T07:00:00Z' };
    expect(punctuality({ ...run, startedAt: '2026-03-02T06:00:00Z' }, 2 * hour, now)).toBe('in_time');
    expect(punctuality({ ...run, startedAt: '2026-03-02T05:00:00Z' }, 2 * hour, now)).toBe('in_time');
    expect(punctuality({ ...run, startedAt: '2026-03-02T04:59:59Z' }, 2 * hour, now)).toBe('late');
    expect(punctuality({ ...run, startedAt: '' }, 2 * hour, now)).toBeNull();
  });

  it('takes limits from the policy, by the names of heartbeats', () => {
    const policy = ChatopsPolicy.parse({ durations: { train: '90m', verify: '2h', 'drill.yaml': '1d' } });
    expect(expectedDurationsOf(policy)).toEqual([
      { name: 'train', workflow: 'train.yml', allowed: 1.5 * hour },
      { name: 'verify', workflow: 'verify.yml', allowed: 2 * hour },
      { name: 'drill.yaml', workflow: 'drill.yaml', allowed: 24 * hour },
    ]);
    for (const wrong of [{ train: '0h' }, { train: '2' }, { 'a --> b': '2h' }])
      expect(ChatopsPolicy.safeParse({ durations: wrong }).success).toBe(false);
  });
});
