import { describe, expect, it } from 'vitest';
import { onScheduledRun } from '../../../src/chatops/drift/failures.ts';
import { lookAfter } from '../../../src/chatops/drift/look-after.ts';
import { onMonitorRun } from '../../../src/chatops/drift/on-monitor-run.ts';
import { DriftWorld } from './world.ts';

const timeout = 120_000;
const failed = (failure_class: string) =>
  JSON.stringify({
    ...{ schema: 'modelgate.outcome/1', stage: 'monitor', verdict: 'error', reason_code: 'data_unavailable' },
    ...{ summary: 'The file is not there. @all <b>', inputs: {}, outputs: {}, failure_class },
    error: { message: 'The file is not there.', fix: 'Put it there.' },
  });

describe('[OBS-1] schedules that go silent', () => {
  it('get one issue, which closes when they are heard again', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check();
    expect(await lookAfter(world.context)).toEqual([]);
    world.clock.forward(3 * 86_400_000);
    await lookAfter(world.context);
    await lookAfter(world.other());
    const [issue, ...others] = await world.issues('modelgate-schedule');
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ state: 'open', title: 'The schedule of monitor.yml has not run' });
    // a run by hand is no heartbeat of the schedule
    await world.check({}, { event: 'workflow_dispatch' });
    await lookAfter(world.context);
    expect(await world.issues('modelgate-schedule')).toMatchObject([{ state: 'open' }]);
    const heard = await world.check();
    await lookAfter(world.context);
    expect(await world.issues('modelgate-schedule')).toMatchObject([{ state: 'closed' }]);
    expect(await world.notes(issue?.number ?? 0)).toEqual([expect.stringContaining(`run ${heard.id}`)]);
    world.clock.forward(3 * 86_400_000);
    await lookAfter(world.context);
    expect(await world.issues('modelgate-schedule')).toMatchObject([{ state: 'closed' }, { state: 'open' }]);
  });

  it('say that GitHub has stopped them after 60 quiet days', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check();
    world.repository.workflow('monitor.yml')!.state = 'disabled_inactivity';
    await lookAfter(world.context);
    const [issue] = await world.issues('modelgate-schedule');
    expect(issue?.title).toBe('The schedule of monitor.yml was stopped by GitHub');
    expect(issue?.body).toContain('after 60 days without a commit');
  });

  it('stay closed where a person has closed it, until they are heard', { timeout }, async () => {
    await using world = await DriftWorld.open({ heartbeats: { verify: '1d' } });
    await lookAfter(world.context);
    const [issue] = await world.issues('modelgate-schedule');
    world.repository.changeIssue(issue?.number ?? 0, 'ann', { state: 'closed' });
    await lookAfter(world.context);
    expect(await world.issues('modelgate-schedule')).toMatchObject([{ state: 'closed' }]);
  });
});

describe('[ALR-6] scheduled runs that fail', () => {
  it.each(['data', 'infrastructure', 'model', 'unknown'])(
    '%s: one class, its playbook; only unknown pages',
    { timeout },
    async (one) => {
      await using world = await DriftWorld.open({ page: ['ann'] });
      await world.check(failed(one), { conclusion: 'failure' });
      await world.check(failed(one), { conclusion: 'failure' });
      const [issue, ...others] = await world.issues('modelgate-failure');
      expect(others).toEqual([]);
      expect(issue?.title).toBe(`The scheduled run of monitor.yml fails (${one})`);
      expect(issue?.body).toContain('### Playbook:');
      expect(issue?.body).not.toContain('<b>');
      expect(issue?.body).not.toContain('@all');
      expect(issue?.body.includes('@ann')).toBe(one === 'unknown');
      const late = world.run(null, { conclusion: 'failure' });
      await world.check();
      expect(await world.issues('modelgate-failure')).toMatchObject([{ state: 'closed' }]);
      await onMonitorRun({ id: late.id }, world.context);
      expect(await world.issues('modelgate-failure')).toHaveLength(1);
    },
  );

  it('is unknown without a result, infrastructure when its time was over, and nothing when cancelled', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    await world.check(null, { conclusion: 'cancelled' });
    await world.check(null, { conclusion: 'failure', event: 'workflow_dispatch' });
    expect(await world.issues('modelgate-failure')).toEqual([]);
    await world.check(null, { conclusion: 'timed_out' });
    await world.check(null, { conclusion: 'failure' });
    expect((await world.issues('modelgate-failure')).map(({ title }) => title)).toEqual([
      'The scheduled run of monitor.yml fails (infrastructure)',
      'The scheduled run of monitor.yml fails (unknown)',
    ]);
  });

  it('an alarm is no failure, although its run is red; a degraded service has its playbook', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open({ page: ['ann'] });
    await world.check({ alerts: { service: 'investigate' } });
    expect(await world.issues('modelgate-failure')).toEqual([]);
    const [issue] = await world.issues();
    expect(issue?.body).toContain('### Playbook: A machine, a network or a service');
    expect(issue?.body).not.toContain('@ann');
  });

  it('takes other watched workflows too', { timeout }, async () => {
    await using world = await DriftWorld.open({ heartbeats: { verify: '1d' } });
    const run = world.repository.startRun({ workflow: 'verify.yml', event: 'schedule', by: 'ann' });
    run.complete('failure');
    await onScheduledRun((await world.context.github.run(run.id))!, world.context);
    expect(await world.issues('modelgate-failure')).toHaveLength(1);
  });
});
