import { describe, expect, it } from 'vitest';
import { readState } from '../../src/chatops/drift/state.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { rollback } from '../../src/rollout/move.ts';
import { model, ready, sha, type World } from './world.ts';

const lastReply = (world: World) => world.github.threads.findLast(({ ours }) => ours)?.body ?? '';

describe('/train', () => {
  it('trains the head by the workflow of the default branch', async () => {
    const world = await ready();
    expect(await world.say('wil', '/train')).toMatchObject({ reason: 'not_permitted' });
    expect(await world.say('max', '/train')).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns[0]).toMatchObject({ inputs: { sha: sha('1') }, headBranch: 'main' });
    await world.work();
    expect(world.records().at(-1)).toMatchObject({ decision: 'done' });
  });

  it("[GOV-4] trains a fork's commit only where the policy allows it and its full SHA was named", async () => {
    for (const allow_fork_training of [false, true]) {
      const world = await ready({ policy: { allow_fork_training } });
      world.change({ fork: true });
      expect(await world.say('max', '/train')).toMatchObject({ reason: 'fork_refused' });
      expect(await world.say('max', `/ok-to-train ${sha('2')}`)).toMatchObject({
        reason: allow_fork_training ? 'head_moved' : 'fork_refused',
      });
      expect(await world.say('max', `/ok-to-train ${sha('1')}`)).toMatchObject({
        reason: allow_fork_training ? 'started' : 'fork_refused',
      });
    }
  });

  it('starts nothing for a head that moved while it was looked at', async () => {
    const world = await ready();
    let asked = 0;
    world.github.before = (method) => {
      if (method === 'pullRequest' && ++asked === 2) world.change({ headSha: sha('3') });
    };
    expect(await world.say('max', '/train')).toMatchObject({ reason: 'head_moved' });
    expect(world.github.workflowRuns).toEqual([]);
  });

  it('/retrain trains the default branch', async () => {
    const world = await ready();
    expect(await world.say('wil', '/retrain', 50)).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns[0]?.inputs).toMatchObject({ sha: world.context.base.sha });
  });
});

describe('locks', () => {
  it('are taken with a time and given back by their owner, or by who maintains the repository with a reason', async () => {
    const world = await ready();
    await world.say('wil', '/lock staging --reason="release week" --ttl=2h');
    const { lock } = environmentOf(await world.registry.state(model), 'staging');
    expect(lock).toMatchObject({ owner: 'wil', reason: 'release week' });
    expect(Date.parse(lock?.until ?? '') - Date.parse(lock?.since ?? '')).toBe(7_200_000);
    expect(await world.say('author', '/unlock staging --reason=mine')).toMatchObject({
      reason: 'not_permitted',
    });
    expect(await world.say('max', '/unlock staging')).toMatchObject({ reason: 'not_permitted' });
    expect(await world.say('max', '/release staging --reason="he is ill"')).toMatchObject({ reason: 'done' });
    await world.say('wil', '/hold staging --reason=again');
    expect(await world.say('wil', '/release staging')).toMatchObject({ reason: 'done' });
  });

  it('let their owner promote', async () => {
    const world = await ready();
    await world.say('max', '/lock staging --reason=mine');
    await world.say('max', '/promote to staging');
    await world.work();
    expect(await world.serving('staging')).toBe(2);
  });
});

describe('/status, /explain, /help', () => {
  it('[DEP-5] tells the last rollback drill, and whether it came back', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    await world.work();
    await world.say('rea', '/status');
    expect(lastReply(world)).toContain('Last rollback drill: none.');
    const move = { model, environment: 'staging', environments: ['staging', 'production'] };
    const actor = { name: 'drill', via: 'action' } as const;
    const rest = {
      expected_generation: null,
      reason: 'rollback drill',
      freeze: false,
      dry_run: false,
      actor,
    };
    await rollback(world.registry, { ...move, ...rest, to: 1, op_id: 'drill-7-1-back' });
    await world.say('rea', '/status');
    expect(lastReply(world)).toMatch(
      /Last rollback drill: staging from 2 to 1, .* UTC, it has not returned\./,
    );
    world.clock.forward(30_000);
    await rollback(world.registry, { ...move, ...rest, to: 2, op_id: 'drill-7-1-restore' });
    await world.say('rea', '/status');
    expect(lastReply(world)).toMatch(/staging from 2 to 1, .* UTC, returned after \d+ s\./);
  });

  it('say what runs where, with what a rollback restores and who holds it', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    await world.work();
    await world.say('ann', '/lock production --reason="audit *now*"');
    await world.say('rea', '/status');
    const body = lastReply(world);
    expect(body).toContain('| staging | 2 |');
    expect(body).toContain('auc 0.7');
    expect(body).toContain('audit \\*now\\*');
    expect(await world.say('rea', '/status in nowhere')).toMatchObject({ reason: 'unknown_environment' });
  });

  it('say why a version was judged as it was', async () => {
    const world = await ready();
    await world.candidate(sha('1'), { verdict: 'fail' });
    expect(await world.say('rea', '/explain')).toMatchObject({ summary: `The gate of ${model}@3 failed.` });
    expect(lastReply(world)).toContain('AUC is as good.');
    expect(await world.say('rea', `/explain ${model}@2`)).toMatchObject({
      summary: `The gate of ${model}@2 passed.`,
    });
    expect(await world.say('rea', `/explain ${model}@9`)).toMatchObject({ reason: 'no_candidate' });
  });

  it('list what this person may run', async () => {
    const world = await ready();
    await world.say('rea', '/help');
    expect(lastReply(world)).toContain('/status');
    expect(lastReply(world)).not.toContain('/rollback');
    await world.say('max', '/help promote');
    expect(lastReply(world)).toContain('--confirm');
  });
});

describe('/drift', () => {
  it('runs the check, and keeps in the issue that it was seen or rests', async () => {
    const world = await ready();
    expect(await world.say('wil', '/drift run', 41)).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns[0]?.path).toContain('monitor.yml');
    expect(await world.say('wil', '/drift ack', 41)).toMatchObject({ reason: 'usage' });
    world.github.issuesByNumber.set(42, {
      ...{ number: 42, state: 'open', title: 'drift', labels: [], ours: true, closedBy: null },
      ...{ updatedAt: '', url: '', body: `<!-- modelgate:alert ${model}/production/drift -->\n\ntext` },
    });
    expect(await world.say('wil', '/drift ack', 42)).toMatchObject({ reason: 'done' });
    expect(await world.say('wil', '/drift snooze 7', 42)).toMatchObject({ reason: 'done' });
    const issue = world.github.issuesByNumber.get(42);
    expect(issue?.body).toContain('text');
    const state = readState(issue ?? { ours: true, body: '' });
    expect(state).toMatchObject({ acknowledged: { by: 'wil' }, snoozed: { by: 'wil' } });
    expect(state.snoozed?.until.slice(0, 10)).toBe('2026-03-08');
    // somebody else's issue says nothing
    expect(readState({ ours: false, body: issue?.body ?? '' })).toMatchObject({
      acknowledged: null,
      snoozed: null,
    });
  });
});

describe('/cancel', () => {
  it('stops what one has started, or anybody by who maintains the repository', async () => {
    const world = await ready();
    await world.say('wil', '/promote to staging');
    expect(await world.say('author', '/cancel')).toMatchObject({ reason: 'not_permitted' });
    expect(await world.say('wil', '/cancel')).toMatchObject({ reason: 'done' });
    await world.work();
    expect(world.records()[0]).toMatchObject({ decision: 'failed' });
    expect(world.records()[0]?.summary).toContain('was cancelled');
    expect(await world.serving('staging')).toBe(1);
    expect(await world.say('max', '/cancel')).toMatchObject({ reason: 'nothing_to_do' });
  });

  it('leaves what the log holds already', async () => {
    const world = await ready();
    await world.say('wil', '/promote to staging');
    world.github.before = (method) => {
      if (method === 'setDeploymentState') throw new Error('killed');
    };
    await world.work().catch(() => {});
    world.github.before = () => {};
    expect(await world.serving('staging')).toBe(2);
    expect(await world.say('max', '/cancel')).toMatchObject({ reason: 'nothing_to_do' });
    await world.work();
    expect(world.records()[0]).toMatchObject({ decision: 'done' });
  });
});
