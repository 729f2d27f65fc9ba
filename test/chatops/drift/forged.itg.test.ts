import { describe, expect, it } from 'vitest';
import type { ChatopsContext } from '../../../src/chatops/context.ts';
import { onMonitorRun } from '../../../src/chatops/drift/on-monitor-run.ts';
import type { GitHub, WorkflowRun } from '../../../src/github/port.ts';
import { DriftWorld, model, outcome } from './world.ts';

const timeout = 120_000;
const drift = { alerts: { data_drift: 'retrain' } } as const;
const branch = `modelgate/retrain/${model}-1`;
const trained = (world: DriftWorld) =>
  world.repository.runs
    .filter(({ workflow }) => workflow.name === 'train')
    .map(({ inputs }) => inputs.sha ?? '');
/** What a commit changes of the default branch's files. */
function changes(world: DriftWorld, sha: string): string[] {
  const [commit, main] = [world.repository.commit(sha), world.repository.commit('main')];
  const names = new Set([...commit!.files.keys(), ...main!.files.keys()]);
  return [...names]
    .filter((name) => !commit!.files.get(name)?.equals(main!.files.get(name) ?? Buffer.of()))
    .sort();
}
type Files = Record<string, Buffer | string | null>;
const proposed = [`.modelgate/retrain/${model}.json`, 'modelgate.yaml'];

describe('[GOV-5] the branch for training again', () => {
  it('is not the one that a writer has made before under its name', { timeout }, async () => {
    await using world = await DriftWorld.open();
    world.repository.push(branch, { 'train.py': 'steal()' }, { by: 'wil' });
    const first = await world.check(drift);
    await onMonitorRun({ id: first.id }, world.context);
    const head = world.repository.head(`${branch}-2`);
    expect(trained(world)).toEqual([head]);
    expect(changes(world, head)).toEqual(proposed);
    expect(await world.context.github.pullRequestsOf(head)).toMatchObject([{ headRef: `${branch}-2` }]);
    expect(world.server.count('pulls/create')).toBe(1);
  });

  it.each([
    ['a commit on top', { 'train.py': 'steal()' }],
    ['a new name for a file', { 'train.py': null, 'x.py': 'pass' }],
    ['other evidence', { [proposed[0]!]: '{}' }],
  ])('is not trained after a push to it between a crash and the retry: %s', { timeout }, async (_, files) => {
    await using world = await DriftWorld.open();
    world.repository.push('main', { 'train.py': 'pass' });
    const context = { ...world.context, base: { branch: 'main', sha: world.repository.head('main') } };
    const run = world.run(drift);
    world.server.faults.next('pulls/create', { kind: 'refuse', status: 502 }, 10);
    await expect(onMonitorRun({ id: run.id }, context)).rejects.toThrow();
    const fault = { operation: 'pulls/create', method: '', path: '', body: null } as const;
    while (world.server.faults.of(fault) !== null);
    world.repository.push(branch, files, { by: 'wil' });
    await onMonitorRun({ id: run.id }, context);
    expect(trained(world)).toHaveLength(1);
    expect(changes(world, trained(world)[0]!)).toEqual(proposed);
  });

  it.each([
    ['the proposed files and one more', (ours: Files) => [{ ...ours, 'train.py': 'steal()' }]],
    ['other content under the proposed names', (ours: Files) => [{ ...ours, 'modelgate.yaml': 'x' }]],
    ['a part of the proposed files', (ours: Files) => [{ [proposed[0]!]: ours[proposed[0]!]! }]],
    [
      'the proposed files at its end, and more on the way',
      (ours: Files) => [{ 'x.py': 'steal()' }, { ...ours, 'x.py': null }],
    ],
  ])('is not taken where somebody makes it again with %s', { timeout }, async (_, commits) => {
    await using world = await DriftWorld.open();
    const main = world.repository.head('main');
    const run = world.run(drift);
    world.server.faults.next('pulls/create', { kind: 'refuse', status: 502 }, 10);
    await expect(onMonitorRun({ id: run.id }, world.context)).rejects.toThrow();
    const fault = { operation: 'pulls/create', method: '', path: '', body: null } as const;
    while (world.server.faults.of(fault) !== null);
    const made = world.repository.commit(branch)!;
    const ours = Object.fromEntries(proposed.map((name) => [name, made.files.get(name)!]));
    world.repository.refs.set(`heads/${branch}`, main);
    for (const files of commits(ours)) world.repository.push(branch, files, { by: 'wil' });
    await onMonitorRun({ id: run.id }, world.context);
    expect(trained(world)).toEqual([world.repository.head(`${branch}-2`)]);
    expect(changes(world, trained(world)[0]!)).toEqual(proposed);
  });

  it('is the same after a crash, though the default branch went on', { timeout }, async () => {
    await using world = await DriftWorld.open();
    const run = world.run(drift);
    world.server.faults.next('actions/create-workflow-dispatch', { kind: 'refuse', status: 502 }, 10);
    await expect(onMonitorRun({ id: run.id }, world.context)).rejects.toThrow();
    const fault = {
      operation: 'actions/create-workflow-dispatch',
      method: '',
      path: '',
      body: null,
    } as const;
    while (world.server.faults.of(fault) !== null);
    const base = { branch: 'main', sha: world.repository.push('main', { 'README.md': 'More.' }) };
    await onMonitorRun({ id: run.id }, { ...world.context, base });
    expect(trained(world)).toEqual([world.repository.head(branch)]);
    expect(world.server.count('pulls/create')).toBe(1);
    expect(world.server.count('git/create-ref')).toBe(1);
  });

  it('is given up where every name is taken', { timeout }, async () => {
    await using world = await DriftWorld.open();
    for (const name of [branch, ...Array.from({ length: 9 }, (_, at) => `${branch}-${at + 2}`)])
      world.repository.push(name, { 'train.py': 'steal()' }, { by: 'wil' });
    const run = world.run(drift);
    await expect(onMonitorRun({ id: run.id }, world.context)).rejects.toMatchObject({
      code: 'github_refused',
    });
    expect(trained(world)).toEqual([]);
    // the alarm is told all the same
    expect(await world.issues()).toMatchObject([{ state: 'open' }]);
  });
});

describe('[ALR-2] an alarm', () => {
  it("is not ended by runs of a tag with the default branch's name", { timeout }, async () => {
    await using world = await DriftWorld.open({ quiet_checks: 1 });
    await world.check({ alerts: { data_drift: 'review' } });
    const headSha = world.repository.push('evil', {
      '.github/workflows/monitor.yml': 'on: workflow_dispatch',
    });
    for (const [sha, said, state] of [
      [headSha, 'not_ours', 'open'],
      [world.repository.head('main'), 'kept', 'closed'],
    ] as const) {
      const run = world.repository.startRun({
        ...{
          workflow: 'monitor.yml',
          event: 'workflow_dispatch',
          by: 'wil',
          headBranch: 'main',
          headSha: sha,
        },
      });
      run.start();
      run.complete('success', { 'modelgate-monitor': { 'outcome.json': outcome() } });
      expect(await onMonitorRun({ id: run.id }, world.context)).toBe(said);
      expect(await world.issues()).toMatchObject([{ state }]);
    }
  });

  it('is kept once while a list shows a second issue that was closed long ago', { timeout }, async () => {
    await using world = await DriftWorld.open();
    await world.check({ alerts: { data_drift: 'review' } });
    const [first] = await world.issues();
    const twin = { ...first!, number: first!.number + 100 };
    const done = { lists: 0, updates: [] as number[] };
    const lagging: GitHub = {
      ...world.context.github,
      async *issues() {
        done.lists += 1;
        if (done.lists > 50) throw new Error('it goes on for ever');
        yield* [twin, first!];
      },
      async updateIssue(number, change) {
        done.updates.push(number);
        if (number === first!.number) await world.context.github.updateIssue(number, change);
      },
    };
    const run = world.run({ alerts: { data_drift: 'review' } });
    await onMonitorRun({ id: run.id }, { ...world.context, github: lagging });
    expect(done.updates.filter((number) => number === twin.number)).toHaveLength(1);
    expect((await world.issues())[0]?.body).toContain('Seen in 2 checks');
  });
});

describe('[ALR-5] a monitor that failed', () => {
  const green: Partial<WorkflowRun> = {
    ...{ attempt: 1, path: '.github/workflows/monitor.yml', title: 'x', status: 'completed' },
    ...{ conclusion: 'success', actor: 'eve', ours: false, url: '', pullRequests: [], updatedAt: '' },
  };
  it.each([
    [
      'a pull request from the main branch of a fork',
      { event: 'pull_request', headRepository: 'eve/flights' },
    ],
    ['a tag called main', { event: 'workflow_dispatch', headRepository: 'acme/flights' }],
  ])('is told, whatever the green run of %s says', { timeout }, async (_, how) => {
    await using world = await DriftWorld.open();
    const run = world.run(null, { conclusion: 'failure' });
    const newer = {
      ...{ ...green, ...how, id: run.id + 1000, headBranch: 'main' },
      ...{ headSha: world.repository.push('evil', { x: '1' }), createdAt: world.clock.now().toISOString() },
    } as WorkflowRun;
    const inner = world.context.github;
    const github: GitHub = {
      ...inner,
      async *runs(request) {
        yield newer;
        yield* inner.runs(request);
      },
    };
    await onMonitorRun({ id: run.id }, { ...world.context, github });
    expect(await world.issues('modelgate-failure')).toMatchObject([{ state: 'open' }]);
  });

  it('is told where it looked at a model that the bot does not know, and closes with the next good run', {
    timeout,
  }, async () => {
    await using world = await DriftWorld.open();
    const strange = outcome().replaceAll(model, 'diamonds');
    const run = world.run(strange);
    expect(await onMonitorRun({ id: run.id }, world.context)).toBe('no_result');
    expect(await world.issues('modelgate-failure')).toMatchObject([{ state: 'open' }]);
    const [issue] = await world.issues('modelgate-failure');
    expect(issue?.body).toContain('diamonds');
    expect(issue?.body).toContain('MODELGATE\\_CONFIG\\_FILES');
    const known: ChatopsContext = world.context;
    await onMonitorRun({ id: world.run().id }, known);
    expect(await world.issues('modelgate-failure')).toMatchObject([{ state: 'closed' }]);
  });
});
