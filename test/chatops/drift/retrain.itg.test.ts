import { describe, expect, it } from 'vitest';
import { onMonitorRun } from '../../../src/chatops/drift/on-monitor-run.ts';
import { configText, DriftWorld, model } from './world.ts';

const timeout = 120_000;
const drift = { alerts: { data_drift: 'retrain' } } as const;
const trained = (world: DriftWorld) =>
  world.repository.runs.filter(({ workflow }) => workflow.name === 'train');

describe('training again after an alarm', () => {
  it('[TRG-3] [ALR-4] opens one pull request with the evidence and starts its full training', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    const first = await world.check(drift);
    await onMonitorRun({ id: first.id }, world.context);
    await world.check(drift);
    const [issue] = await world.issues();
    const branch = `modelgate/retrain/${model}-${issue?.number}`;
    const head = await world.context.github.branchHead(branch);
    const pulls = await world.context.github.pullRequestsOf(head ?? '');
    expect(pulls).toMatchObject([
      { headRef: branch, baseRef: 'main', state: 'open', author: 'modelgate[bot]' },
    ]);
    const pull = world.repository.pullRequest(pulls[0]?.number ?? 0);
    expect(pull.body).toContain(`| alarm | #${issue?.number} |`);
    expect(pull.body).toContain('top quartile');

    // the run of the alarm trains this commit, and the record will say why
    expect(trained(world).map(({ inputs }) => inputs)).toEqual([
      {
        ...{ sha: head, op_id: expect.stringMatching(/^[0-9a-f]{64}$/), trigger: 'alert' },
        ...{ model, config: 'modelgate.yaml' },
      },
    ]);
    const read = async (path: string) =>
      (await world.context.github.file({ path, sha: head ?? '', limit: 100_000 }))?.toString();
    expect(JSON.parse((await read(`.modelgate/retrain/${model}.json`)) ?? '')).toMatchObject({
      ...{ schema: 'modelgate.retrain/1', issue: issue?.number, run: first.id, drift: 'd'.repeat(64) },
      window: { since: '2026-02-28', until: '2026-03-01' },
    });
    // the fixed end of the training data moves, and nothing else of the file
    expect(await read('modelgate.yaml')).toBe(configText.replace("'2025-12-01'", "'2026-03-01'"));
    expect(issue?.body).toContain(`Training again is proposed in #${pulls[0]?.number}`);
    expect(await world.notes(issue?.number ?? 0)).toEqual([
      expect.stringContaining('Training again is proposed'),
    ]);
  });

  it('[TRG-2] a fall of the metric does so too, and two alarms at once share one', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check({ alerts: { concept_drift: 'retrain', data_drift: 'retrain' } });
    expect(await world.issues()).toHaveLength(2);
    expect(world.server.count('pulls/create')).toBe(1);
    expect(trained(world)).toHaveLength(1);
  });

  it('[ALR-4] once per alarm: refused by closing it, and proposed again by the next one', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open({ quiet_checks: 1 });
    await world.check(drift);
    const pull = world.course((await world.issues())[0])?.retrain?.pull ?? 0;
    world.repository.changeIssue(pull, 'ann', { state: 'closed' });
    await world.check(drift);
    expect(world.server.count('pulls/create')).toBe(1);
    await world.check();
    await world.check(drift);
    expect(world.server.count('pulls/create')).toBe(2);
  });

  it.each([
    'git/create-ref',
    'pulls/create',
    'actions/create-workflow-dispatch',
    'issues/create-comment',
  ] as const)(
    '[TRG-3] is made once when the answer to %s is lost, or never comes',
    { timeout },
    async (operation) => {
      for (const fault of [
        { kind: 'lose-answer', status: 502 },
        { kind: 'refuse', status: 502 },
      ] as const) {
        await using world = await DriftWorld.open();
        const run = world.run(drift);
        world.server.faults.next(operation, fault, fault.kind === 'refuse' ? 10 : 1);
        await onMonitorRun({ id: run.id }, world.context).catch(() => {});
        world.server.faults.plan = null;
        while (world.server.faults.of({ operation, method: '', path: '', body: null }) !== null);
        await onMonitorRun({ id: run.id }, world.context);
        for (const made of ['issues/create', 'git/create-ref', 'pulls/create'] as const) {
          expect(world.server.count(made), made).toBe(1);
        }
        expect(trained(world)).toHaveLength(1);
        expect(await world.notes((await world.issues())[0]?.number ?? 0)).toHaveLength(1);
      }
    },
  );

  it('[ALR-4] what moved without importance is written down, and reminded of after a week', {
    timeout,
  }, async () => {
    const { remindOfReviews } = await import('../../../src/chatops/drift/reminders.ts');
    await using world = await DriftWorld.open();
    await world.check({ logged: ['data_drift'] });
    const [issue, ...others] = await world.issues();
    expect(others).toEqual([]);
    expect(issue?.title).toBe(`${model} in production: distance moved, to review by 2026-03-08`);
    expect(world.server.count('pulls/create')).toBe(0);
    world.clock.forward(6 * 86_400_000);
    expect(await remindOfReviews(world.context)).toBe(0);
    world.clock.forward(86_400_000);
    expect(await remindOfReviews(world.context)).toBe(1);
    expect(await remindOfReviews(world.context)).toBe(0);
    expect(await world.notes(issue?.number ?? 0)).toEqual([
      expect.stringContaining('This has waited for 7 days'),
    ]);
    // it holds no real alarm open, and ends by itself
    await world.check();
    await world.check();
    expect(await world.issues()).toMatchObject([{ state: 'closed' }]);
  });

  it('reminds of no alarm that was seen, that rests, or that trains again', { timeout }, async () => {
    const { remindOfReviews } = await import('../../../src/chatops/drift/reminders.ts');
    const { acknowledge } = await import('../../../src/chatops/drift/state.ts');
    await using world = await DriftWorld.open();
    await world.check({ alerts: { data_drift: 'retrain', service: 'investigate' } });
    const service = (await world.issues()).find(({ body }) => body.includes('/service -->'));
    await acknowledge(world.context, { issue: service!, by: 'ann' });
    world.clock.forward(30 * 86_400_000);
    expect(await remindOfReviews(world.context)).toBe(0);
  });
});
