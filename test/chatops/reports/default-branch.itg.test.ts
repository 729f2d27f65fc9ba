import { describe, expect, it } from 'vitest';
import { onMergeGroup } from '../../../src/chatops/reports/merge-group.ts';
import { onPullRequestChanged } from '../../../src/chatops/reports/pull-request-changed.ts';
import { onWorkflowRunCompleted } from '../../../src/chatops/reports/run-completed.ts';
import { artifact, model, other, outcome, ReportWorld } from './world.ts';

const timeout = 60_000;
const gateOf = (world: ReportWorld, sha: string, name = model) =>
  world.checks(sha).filter((check) => check.name === `modelgate/gate (${name})`);

describe('the report of a default-branch workflow', { timeout }, () => {
  it.each([
    ['pass', 'success', '🟢 pass', '`/promote flights-late@1 to staging`'],
    ['fail', 'failure', '🔴 fail', 'improve the candidate'],
    ['inconclusive', 'action_required', '🟡 inconclusive', '`/explain flights-late@1`'],
  ] as const)(
    '[GAT-1] [GAT-7] a verdict of %s in the registry is a check of %s at the trained commit',
    async (verdict, conclusion, mark, next) => {
      const world = await ReportWorld.open();
      const pull = world.pull();
      await onWorkflowRunCompleted(world.sample(pull), world.context);
      const run = await world.trained(pull.pull.headSha, { verdict });
      expect(await onWorkflowRunCompleted(run, world.context)).toBe('reported');
      const [check, ...more] = gateOf(world, pull.pull.headSha);
      expect(more).toEqual([]);
      expect(check).toMatchObject({ conclusion });
      expect(check?.summary).toContain('| metric | champion |');
      const [body, ...others] = world.reports(pull);
      expect(others).toEqual([]);
      expect(body).toContain(`\n\n### ${mark}`);
      expect(body).toContain(next);
      expect(body).toContain('| metric | champion |');
      expect(body).toContain('<details><summary>Sample run of this commit</summary>');
      expect(world.server.violations).toEqual([]);
    },
  );

  it('does not read what such a run uploads', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = await world.trained(pull.pull.headSha, { verdict: 'fail', conclusion: 'failure' });
    run.upload('modelgate-result', artifact(outcome({ verdict: 'pass' })));
    run.upload('modelgate-gate', artifact(outcome({ verdict: 'pass' })));
    await onWorkflowRunCompleted(run, world.context);
    expect(gateOf(world, pull.pull.headSha)).toMatchObject([{ conclusion: 'failure' }]);
    expect(world.server.calls.filter(({ operation }) => operation.includes('artifact'))).toEqual([]);
  });

  it.each([
    ['of a branch', { headBranch: 'better' }],
    ["of a tag with the default branch's name", { headSha: 'e'.repeat(40) }],
    ['by a push', { event: 'push' }],
    ['of another file', { workflow: 'train-mine.yml' }],
  ])('[GAT-1] a run %s sets no check that counts, though the registry has its version', async (_, change) => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = world.repository.startRun({
      ...{ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ana', headBranch: 'main' },
      ...{ title: `Train ${pull.pull.headSha}`, ...change },
    });
    run.start();
    await world.register(pull.pull.headSha, { run: run.id });
    run.complete('success');
    expect(await onWorkflowRunCompleted(run, world.context)).toBe('not_ours');
    expect(world.repository.checks).toEqual([]);
  });

  it('says that a training without a verdict failed, and never that it passed', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const sha = pull.pull.headSha;
    const failed = await world.trained(sha, { registers: false, conclusion: 'failure' });
    expect(await onWorkflowRunCompleted(failed, world.context)).toBe('reported');
    expect(gateOf(world, sha)).toMatchObject([{ conclusion: 'failure' }]);
    expect(world.reports(pull)[0]).toContain('### 🔴 The full training ended without a verdict');
    const silent = await world.trained(sha, { registers: false });
    expect(await onWorkflowRunCompleted(silent, world.context)).toBe('nothing_to_report');
    const good = await world.trained(sha);
    await onWorkflowRunCompleted(good, world.context);
    expect(gateOf(world, sha)).toMatchObject([{ conclusion: 'success' }]);
    // heard late: what the registry says stands
    await onWorkflowRunCompleted(failed, world.context);
    expect(gateOf(world, sha)).toMatchObject([{ conclusion: 'success' }]);
    expect(world.reports(pull)[0]).toContain('### 🟢 pass');
    expect(world.reports(pull)).toHaveLength(1);
  });

  it('[EVA-10] a push makes the verdict stale: folded, and no command to promote it', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    await onWorkflowRunCompleted(await world.trained(pull.pull.headSha), world.context);
    world.repository.push('better', { 'train.py': 'print(3)' });
    await onPullRequestChanged(pull, world.context);
    const [body] = world.reports(pull);
    expect(body).toContain('### ⚪ Stale');
    expect(body).not.toContain('🟢 pass:');
    expect(body).not.toContain('/promote');
    expect(body).toContain('comment `/train`');
    expect(body).toContain('<details><summary>Stale, version 1 of');
    expect(gateOf(world, pull.pull.headSha)).toEqual([]);
    // the result of the old head comes late, again
    const old = world.repository.runs.at(-1);
    await onWorkflowRunCompleted({ id: old?.id ?? 0 }, world.context);
    expect(world.reports(pull)[0]).toBe(body);
  });

  it('tells each model of a run with several', async () => {
    const world = await ReportWorld.open({ models: [model, other] });
    const pull = world.pull();
    const sha = pull.pull.headSha;
    const run = world.repository.startRun({
      ...{ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ana', headBranch: 'main' },
    });
    run.start();
    await world.register(sha, { run: run.id, name: model });
    await world.register(sha, { run: run.id, name: other, verdict: 'fail' });
    run.complete('failure');
    await onWorkflowRunCompleted(run, world.context);
    expect(gateOf(world, sha)).toMatchObject([{ conclusion: 'success' }]);
    expect(gateOf(world, sha, other)).toMatchObject([{ conclusion: 'failure' }]);
    expect(world.reports(pull)).toHaveLength(2);
  });

  it('a run of another model without a verdict is told of that model alone', async () => {
    const world = await ReportWorld.open({ models: [model, other] });
    const { headSha } = world.pull().pull;
    const run = world.repository.startRun({
      ...{ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ana', headBranch: 'main' },
      title: `Train ${headSha} ${other} (${'a'.repeat(64)})`,
    });
    run.start();
    run.complete('failure');
    await onWorkflowRunCompleted(run, world.context);
    expect(gateOf(world, headSha)).toEqual([]);
    expect(gateOf(world, headSha, other)).toMatchObject([{ conclusion: 'failure' }]);
  });

  it('a release sets the check on its commit of the default branch', async () => {
    const world = await ReportWorld.open();
    const sha = world.repository.head('main');
    const run = world.repository.startRun({
      ...{ workflow: 'release.yml', event: 'push', by: 'ana', headBranch: 'main' },
    });
    run.start();
    await world.register(sha, { run: run.id });
    run.complete('success');
    expect(await onWorkflowRunCompleted(run, world.context)).toBe('reported');
    expect(gateOf(world, sha)).toMatchObject([{ conclusion: 'success' }]);
  });
});

describe('[GAT-1] the checks of a merge group', { timeout }, () => {
  it.each(['pass', 'fail'] as const)(
    'carry a verdict of %s over where the model inputs are the same',
    async (verdict) => {
      const world = await ReportWorld.open();
      const pull = world.pull();
      await onWorkflowRunCompleted(await world.trained(pull.pull.headSha, { verdict }), world.context);
      const group = world.repository.enqueue(pull.number, 'ana');
      expect(group).not.toBe(pull.pull.headSha);
      expect(await onMergeGroup({ headSha: group }, world.context)).toBe('reported');
      const conclusion = { pass: 'success', fail: 'failure' }[verdict];
      expect(gateOf(world, group)).toMatchObject([{ conclusion }]);
      expect(gateOf(world, group)[0]?.summary).toContain('so its verdict holds here');
      await onMergeGroup({ headSha: group }, world.context);
      expect(gateOf(world, group)).toHaveLength(1);
      expect(world.server.violations).toEqual([]);
    },
  );

  it('are neutral, with the file, where the group trains something else', async () => {
    const world = await ReportWorld.open();
    const judged = world.pull();
    await onWorkflowRunCompleted(await world.trained(judged.pull.headSha), world.context);
    for (const [branch, file] of [
      ['code', 'train.py'],
      ['features', 'features.sql'],
      ['contract', 'contract.yaml'],
      ['settings', 'modelgate.yaml'],
    ] as const) {
      const files = { 'train.py': 'print(2)', [file]: 'something else' };
      const pull = world.pull({ branch, files: files as never });
      const group = world.repository.enqueue(pull.number, 'ana');
      await onMergeGroup({ headSha: group }, world.context);
      expect(gateOf(world, group)).toMatchObject([{ conclusion: 'neutral' }]);
      expect(gateOf(world, group)[0]?.summary).toContain(`\`${file}\` is not what`);
    }
  });

  it('are neutral where nothing was judged', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const group = world.repository.enqueue(pull.number, 'ana');
    await onMergeGroup({ headSha: group }, world.context);
    expect(gateOf(world, group)).toMatchObject([{ conclusion: 'neutral' }]);
    expect(gateOf(world, group)[0]?.summary).toContain('was judged yet');
  });
});
