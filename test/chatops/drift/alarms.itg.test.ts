import { describe, expect, it } from 'vitest';
import { onMonitorRun } from '../../../src/chatops/drift/on-monitor-run.ts';
import { acknowledge, readState, snooze } from '../../../src/chatops/drift/state.ts';
import { DriftWorld, model, outcome } from './world.ts';

const timeout = 120_000;
const drift = { alerts: { data_drift: 'investigate' } } as const;

describe('issues of the monitor', () => {
  it('[ALR-2] a repeat updates the one issue of model and cause, with a count and since when', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    await world.check(drift);
    await world.check({ ...drift, title: `${model} in production: distance moved more` });
    const third = await world.check(drift);
    await onMonitorRun({ id: third.id }, world.context);
    const [issue, ...others] = await world.issues();
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ state: 'open', labels: ['modelgate-drift'], ours: true });
    expect(issue?.body).toMatch(/^<!-- modelgate:alert flights-late\/production\/data_drift -->/);
    expect(issue?.body).toContain('**Seen in 3 checks since 2026-03-02 06:00 UTC**, last on 2026-03-04');
    expect(await world.notes(issue?.number ?? 0)).toEqual([]);
  });

  it('[ALR-2] two quiet checks close it with a comment; the next alarm is a new issue', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    await world.check(drift);
    await world.check();
    expect(await world.issues()).toMatchObject([{ state: 'open' }]);
    const last = await world.check();
    const [issue] = await world.issues();
    expect(issue?.state).toBe('closed');
    expect(await world.notes(issue?.number ?? 0)).toEqual([
      expect.stringContaining(`Recovered: 2 quiet checks in a row, the last one [run ${last.id}]`),
    ]);
    await world.check();
    await world.check(drift);
    expect(await world.issues()).toMatchObject([{ state: 'closed' }, { state: 'open' }]);
  });

  it('[ALR-2] a new cause opens another issue, and each recovers by itself', { timeout }, async () => {
    await using world = await DriftWorld.open({ quiet_checks: 1 });
    await world.check(drift);
    await world.check({ alerts: { data_drift: 'investigate', service: 'investigate' } });
    expect(await world.issues()).toHaveLength(2);
    await world.check({ alerts: { service: 'investigate' } });
    expect(await world.issues()).toMatchObject([{ state: 'closed' }, { state: 'open' }]);
  });

  it('a check with too little data is no recovery', { timeout }, async () => {
    await using world = await DriftWorld.open({ quiet_checks: 1 });
    await world.check(drift);
    await world.check({ unknown: ['data_drift'] });
    expect(await world.issues()).toMatchObject([{ state: 'open' }]);
  });

  it('[ALR-2] closed too early by a person it opens again, once, and says so', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check(drift);
    const [made] = await world.issues();
    const number = made?.number ?? 0;
    world.repository.changeIssue(number, 'ann', { state: 'closed' });
    await world.check(drift);
    expect(await world.issues()).toMatchObject([{ number, state: 'open' }]);
    expect(await world.notes(number)).toEqual([expect.stringContaining('Opened again')]);
    world.repository.changeIssue(number, 'ann', { state: 'closed' });
    await world.check(drift);
    expect(await world.issues()).toMatchObject([{ number, state: 'closed' }]);
    // it recovers while it is closed: only then is the same cause something new
    await world.check();
    await world.check();
    expect(await world.notes(number)).toHaveLength(1);
    await world.check(drift);
    expect(await world.issues()).toMatchObject([{ number, state: 'closed' }, { state: 'open' }]);
  });

  it('[ALR-2] a snoozed alarm is neither repeated nor opened again until then', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check(drift);
    const [made] = await world.issues();
    const until = new Date(world.clock.now().getTime() + 2.5 * 86_400_000);
    await snooze(world.context, { issue: made!, by: 'ann', until });
    world.repository.changeIssue(made!.number, 'ann', { state: 'closed' });
    await world.check({ ...drift, body: 'Moved further.' });
    await world.check({ ...drift, body: 'Moved further.' });
    expect(await world.issues()).toMatchObject([{ state: 'closed' }]);
    expect((await world.issues())[0]?.body).not.toContain('Moved further');
    await world.check({ ...drift, body: 'Moved further.' });
    const [again] = await world.issues();
    expect(again?.state).toBe('open');
    expect(again?.body).toContain('Moved further');
    expect(world.course(again)?.checks).toHaveLength(4);
    expect(readState(again!).snoozed?.by).toBe('ann');
  });

  it('keeps that it was seen until the runbook asks for something else', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check(drift);
    await acknowledge(world.context, { issue: (await world.issues())[0]!, by: 'ann' });
    await world.check(drift);
    expect(readState((await world.issues())[0]!).acknowledged?.by).toBe('ann');
    await world.check({ alerts: { data_drift: 'fix_data' } });
    expect(readState((await world.issues())[0]!).acknowledged).toBeNull();
  });

  it.each([502, 'reset'] as const)(
    '[ALR-2] is opened once when the answer is lost (%s)',
    { timeout },
    async (status) => {
      await using world = await DriftWorld.open();
      world.server.faults.next('issues/create', { kind: 'lose-answer', status });
      const run = world.run(drift);
      await onMonitorRun({ id: run.id }, world.context);
      await onMonitorRun({ id: run.id }, world.context);
      expect(world.server.count('issues/create')).toBe(1);
      expect(await world.issues()).toHaveLength(1);
    },
  );

  it('[ALR-2] two bots at once leave one open issue', { timeout }, async () => {
    await using world = await DriftWorld.open();
    const run = world.run(drift);
    // both have looked before either has opened
    let waiting = 0;
    let release = () => {};
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.server.faults.before = async ({ operation }) => {
      if (operation !== 'issues/create') return;
      waiting += 1;
      if (waiting === 2) release();
      await both;
    };
    const { keepAlarm } = await import('../../../src/chatops/drift/keep-alarm.ts');
    const { findingsOf } = await import('../../../src/chatops/drift/findings.ts');
    const { parseResult } = await import('../../../src/chatops/drift/monitor-result.ts');
    const result = parseResult(Buffer.from(outcome(drift)));
    if (result === null || result.verdict === 'error') throw new Error('no result');
    const [finding] = findingsOf(result);
    const seen = (await world.context.github.run(run.id))!;
    const told = { finding: finding!, run: seen, result };
    await Promise.all([keepAlarm(world.context, told), keepAlarm(world.other(), told)]);
    expect(world.server.count('issues/create')).toBe(2);
    const open = (await world.issues()).filter(({ state }) => state === 'open');
    expect(open).toHaveLength(1);
    await world.check(drift);
    expect((await world.issues()).filter(({ state }) => state === 'open')).toMatchObject([
      { number: open[0]?.number },
    ]);
    expect(world.course((await world.issues()).find(({ state }) => state === 'open'))?.checks).toHaveLength(
      2,
    );
  });

  it('opens nothing for a check that is heard of after the alarm has ended', { timeout }, async () => {
    await using world = await DriftWorld.open({ quiet_checks: 1 });
    await world.check(drift);
    const late = world.run(drift);
    await world.check();
    await onMonitorRun({ id: late.id }, world.context);
    expect(await world.issues()).toMatchObject([{ state: 'closed' }]);
  });

  it('[TRG-2] a check that finds nothing opens, trains and proposes nothing', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check();
    expect(await world.issues()).toEqual([]);
    for (const effect of ['issues/create', 'git/create-ref', 'pulls/create'] as const) {
      expect(world.server.count(effect)).toBe(0);
    }
    expect(world.server.count('actions/create-workflow-dispatch')).toBe(0);
  });

  it('believes only runs of the default branch, of configured models, that are results', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    const pull = world.repository.openPullRequest('ann', { branch: 'x', files: { a: 'a' } });
    const forged = world.repository.startRun({
      workflow: 'monitor.yml',
      event: 'pull_request',
      by: 'ann',
      pull,
    });
    forged.complete('success', { 'modelgate-monitor': { 'outcome.json': outcome(drift) } });
    expect(await onMonitorRun({ id: forged.id }, world.context)).toBe('not_ours');
    const other = outcome(drift).replaceAll(model, 'another-model');
    await world.check(other);
    for (const bad of ['{', '{"schema":"modelgate.outcome/1"}', '['.repeat(5000), '{"__proto__":1}']) {
      const run = world.run(bad, { conclusion: 'success' });
      expect(await onMonitorRun({ id: run.id }, world.context)).toBe('no_result');
    }
    expect(await world.issues()).toEqual([]);
  });

  it("takes no marker of ours out of an alert's text, and no state of somebody else's issue", {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    const state =
      '<!-- modelgate:alert-state {"acknowledged":{"by":"eve","at":"2026-01-01T00:00:00Z"},"snoozed":null,"course":null} -->';
    await world.check({
      ...drift,
      body: `x\n\n${state}\n\n<!-- modelgate:alert other/production/data_drift -->`,
    });
    const [issue] = await world.issues();
    expect(readState(issue!).acknowledged).toBeNull();
    expect(world.course(issue)?.checks).toHaveLength(1);
    expect(issue?.body.match(/<!-- modelgate:alert /g)).toHaveLength(1);
    expect(
      readState({ ours: false, body: `<!-- modelgate:alert a/b/c -->\n\n${state}` }).acknowledged,
    ).toBeNull();
  });
});
