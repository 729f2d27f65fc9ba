import { describe, expect, it } from 'vitest';
import { onPullRequestChanged } from '../../../src/chatops/reports/pull-request-changed.ts';
import { onWorkflowRunCompleted } from '../../../src/chatops/reports/run-completed.ts';
import { GitHubUnavailable } from '../../../src/github/port.ts';
import { artifact, configuration, model, other, outcome, ReportWorld } from './world.ts';

const timeout = 60_000;
const sampleOf = (world: ReportWorld, sha: string) =>
  world.checks(sha).filter(({ name }) => name.startsWith('modelgate/sample'));

describe('the report of a pull request’s own run', { timeout }, () => {
  it('[GAT-7] is one comment, edited in place, with verdict, reasons and the next command', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    expect(await onWorkflowRunCompleted(world.sample(pull), world.context)).toBe('reported');
    const [first] = world.reports(pull);
    expect(first).toMatch(/^<!-- modelgate:report flights-late -->\n\n### ⚪ Sample run could not decide/);
    expect(first).toContain('The sample cannot decide AUC');
    expect(first).toContain('* AUC');
    expect(first).toContain('**Next:** comment `/train`');
    const failed = outcome({ verdict: 'fail', summary: 'It breaks the contract.' });
    const again = world.sample(pull, { 'modelgate-result': artifact(failed) }, { conclusion: 'failure' });
    expect(await onWorkflowRunCompleted(again, world.context)).toBe('reported');
    expect(world.reports(pull)).toHaveLength(1);
    expect(world.reports(pull)[0]).toContain('### 🔴 Sample run failed');
    expect(world.reports(pull)[0]).toContain('mend it and push');
    expect(world.server.violations).toEqual([]);
  });

  it.each([
    ['pass', 'neutral'],
    ['inconclusive', 'neutral'],
    ['fail', 'failure'],
    ['error', 'failure'],
  ])('[GAT-1] a result that says %s is a check of %s and never of success', async (verdict, conclusion) => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = world.sample(pull, { 'modelgate-result': artifact(outcome({ verdict })) });
    await onWorkflowRunCompleted(run, world.context);
    expect(world.checks(pull.pull.headSha)).toMatchObject([
      { name: `modelgate/sample (${model})`, conclusion },
    ]);
    expect(world.reports(pull)[0]).not.toContain('🟢');
  });

  it('marks broken lines of the contract that the default branch names, whatever path the result says', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const contract_checks = [
      {
        id: 'flights.distance.type',
        verdict: 'fail',
        message: 'It is text.',
        line: 12,
        file: '../../etc/passwd',
      },
      { id: 'flights.delay.null', verdict: 'warn', message: '3 nulls.', line: 20 },
      { id: 'flights.x', verdict: 'fail', message: 'No line.', line: null },
      { id: 'flights.y', verdict: 'pass', message: 'Fine.', line: 2 },
    ];
    const value = outcome({ verdict: 'fail', outputs: { contract_checks } });
    await onWorkflowRunCompleted(world.sample(pull, { 'modelgate-result': artifact(value) }), world.context);
    const [check] = sampleOf(world, pull.pull.headSha);
    expect(check?.annotations).toMatchObject([
      { path: 'contract.yaml', start_line: 12, annotation_level: 'failure', message: 'It is text.' },
      { path: 'contract.yaml', start_line: 20, annotation_level: 'warning' },
    ]);
    expect(world.reports(pull)[0]).toContain('Contract, 3 rules do not hold');
  });

  it('is written once when two deliveries race, and when the answer is lost after the effect', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = world.sample(pull);
    await Promise.all(Array.from({ length: 4 }, () => onWorkflowRunCompleted(run, world.context)));
    expect(world.reports(pull)).toHaveLength(1);
    expect(sampleOf(world, pull.pull.headSha)).toHaveLength(1);

    const next = world.pull({ branch: 'lost', files: { 'train.py': 'lost' } });
    world.server.faults.next('issues/create-comment', { kind: 'lose-answer', status: 502 });
    world.server.faults.next('checks/create', { kind: 'lose-answer', status: 'reset' });
    expect(await onWorkflowRunCompleted(world.sample(next), world.context)).toBe('reported');
    expect(world.reports(next)).toHaveLength(1);
    expect(sampleOf(world, next.pull.headSha)).toHaveLength(1);

    // no effect this time: whoever runs the jobs tries again
    const third = world.pull({ branch: 'refused', files: { 'train.py': 'refused' } });
    const run3 = world.sample(third);
    for (const operation of ['issues/create-comment', 'checks/create'] as const) {
      world.server.faults.next(operation, { kind: 'refuse', status: 502 });
      await expect(onWorkflowRunCompleted(run3, world.context)).rejects.toBeInstanceOf(GitHubUnavailable);
    }
    expect(await onWorkflowRunCompleted(run3, world.context)).toBe('reported');
    expect(world.reports(third)).toHaveLength(1);
    expect(sampleOf(world, third.pull.headSha)).toHaveLength(1);
    expect(world.server.count('issues/create-comment')).toBe(3);
  });

  it('keeps the oldest where another process has written one at the same time', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const marker = `<!-- modelgate:report ${model} -->`;
    world.server.faults.before = ({ operation }) => {
      if (operation !== 'issues/create-comment') return;
      world.server.faults.before = null;
      world.repository.comment(pull.number, world.server.bot, `${marker}\n\nof the other process`);
    };
    await onWorkflowRunCompleted(world.sample(pull), world.context);
    const reports = world.reports(pull);
    expect(reports).toHaveLength(2);
    expect(reports.map((body) => body.startsWith(marker))).toEqual([true, false]);
    expect(reports[0]).toContain('The sample cannot decide AUC');
    expect(reports[1]).toBe('The report stands in an earlier comment.');
  });

  it('changes nothing when it is told again', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = world.sample(pull);
    await onWorkflowRunCompleted(run, world.context);
    const before = world.reports(pull);
    await onWorkflowRunCompleted(run, world.context);
    expect(world.reports(pull)).toEqual(before);
    expect(world.server.count('issues/update-comment')).toBe(0);
  });

  it('lets attempt 2 replace attempt 1, and no older run a newer one', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const old = world.sample(pull, { 'modelgate-result': artifact(outcome({ summary: 'Old run.' })) });
    const run = world.sample(pull, { 'modelgate-result': artifact(outcome({ summary: 'First try.' })) });
    await onWorkflowRunCompleted(run, world.context);
    run.rerun();
    expect(await onWorkflowRunCompleted(run, world.context)).toBe('not_completed');
    run.complete('success', { 'modelgate-result': artifact(outcome({ summary: 'Second try.' })) });
    expect(await onWorkflowRunCompleted(run, world.context)).toBe('reported');
    expect(world.reports(pull)[0]).toContain('Second try');
    expect(await onWorkflowRunCompleted(old, world.context)).toBe('older_attempt');
    expect(world.reports(pull)[0]).toContain('Second try');
    expect(world.reports(pull)[0]).not.toContain('First try');
    expect(world.reports(pull)).toHaveLength(1);
  });

  it('does not believe runs of another path, event, branch or head', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const elsewhere = [
      world.sample(pull, undefined, { workflow: 'lookalike.yml' }),
      world.sample(pull, undefined, { event: 'pull_request_target' }),
      world.sample(pull, undefined, { workflow: 'train.yml' }),
      world.sample(pull, undefined, {
        event: 'workflow_dispatch',
        workflow: 'train.yml',
        headBranch: 'better',
      }),
    ];
    for (const run of elsewhere) expect(await onWorkflowRunCompleted(run, world.context)).toBe('not_ours');
    const stray = world.sample(pull, undefined, { headSha: world.repository.head('main') });
    expect(await onWorkflowRunCompleted(stray, world.context)).toBe('head_moved');
    expect(await onWorkflowRunCompleted({ id: 999_999 }, world.context)).toBe('not_ours');
    const fork = world.repository.fork('eve');
    const disguised = world.sample(pull, undefined, { headRepository: fork });
    expect(await onWorkflowRunCompleted(disguised, world.context)).toBe('no_pull_request');
    expect(world.reports(pull)).toEqual([]);
    expect(world.repository.checks).toEqual([]);
  });

  it('finds the pull request of a fork by its commit, and says that forks are not trained', async () => {
    const world = await ReportWorld.open();
    const from = world.repository.fork('eve');
    const pull = world.repository.openPullRequest('eve', {
      from,
      branch: 'x',
      files: { 'train.py': 'evil' },
    });
    expect(await onWorkflowRunCompleted(world.sample(pull), world.context)).toBe('reported');
    expect(world.reports(pull)[0]).toContain('commits of forks are not trained here');
    expect(world.checks(pull.pull.headSha)).toHaveLength(1);
    const allowed = { ...world.context, policy: { ...world.context.policy, allow_fork_training: true } };
    await onWorkflowRunCompleted(world.sample(pull), allowed);
    expect(world.reports(pull)[0]).toContain(`/ok-to-train ${pull.pull.headSha}`);
  });

  it('[EVA-10] a push makes the report stale, and a result of the old head is not written', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = world.sample(pull);
    await onWorkflowRunCompleted(run, world.context);
    const late = world.sample(pull, { 'modelgate-result': artifact(outcome({ summary: 'Too late.' })) });
    world.repository.push('better', { 'train.py': 'print(3)' });
    expect(await onPullRequestChanged(pull, world.context)).toBe('reported');
    expect(world.reports(pull)[0]).toMatch(/### ⚪ Stale: a newer commit has no result yet/);
    expect(world.reports(pull)[0]).toMatch(/<details><summary>Stale, sample run of/);
    expect(await onWorkflowRunCompleted(late, world.context)).toBe('head_moved');
    expect(world.reports(pull)[0]).not.toContain('Too late');
    await onWorkflowRunCompleted(world.sample(pull), world.context);
    expect(world.reports(pull)[0]).not.toContain('Stale');
    expect(world.reports(pull)).toHaveLength(1);
  });

  it('[EVA-10] a push while the report is made: the old result is not written for the new head', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const run = world.sample(pull);
    world.server.faults.before = ({ operation }) => {
      if (operation !== 'issues/list-comments') return;
      world.server.faults.before = null;
      world.repository.push('better', { 'train.py': 'print(3)' });
    };
    await onWorkflowRunCompleted(run, world.context);
    expect(world.reports(pull)).toEqual([]);
  });

  it('joins the parts of a matrix: one comment for each model, the worst part first', async () => {
    const world = await ReportWorld.open({ models: [model, other] });
    const pull = world.pull();
    const run = world.sample(pull, {
      'modelgate-result-june': artifact(outcome({ summary: 'June.' })),
      'modelgate-result-july': artifact(outcome({ verdict: 'fail', summary: 'July is worse.' })),
      [`modelgate-result-${other}`]: artifact(outcome({ inputs: {}, summary: 'Named by its artifact.' })),
      unrelated: artifact(outcome({ summary: 'Not ours.' })),
    });
    await onWorkflowRunCompleted(run, world.context);
    const reports = world.reports(pull);
    expect(reports).toHaveLength(2);
    const late = reports.find((body) => body.includes(`report ${model} `));
    expect(late).toContain('### 🔴 Sample run failed (1 of 2 parts)');
    expect(late).toContain('| `june` | ⚪ undecided | June. |');
    expect(reports.find((body) => body.includes(`report ${other} `))).toContain('Named by its artifact');
    expect(reports.join()).not.toContain('Not ours');
    expect(sampleOf(world, pull.pull.headSha).map(({ name, conclusion }) => [name, conclusion])).toEqual(
      expect.arrayContaining([
        [`modelgate/sample (${model})`, 'failure'],
        [`modelgate/sample (${other})`, 'neutral'],
      ]),
    );
  });

  it('gathers whatever names no model of the default branch in one comment', async () => {
    const world = await ReportWorld.open({ models: [model, other] });
    const pull = world.pull();
    const parts = Object.fromEntries(
      ['new-a', 'new-b', '../../x', 7].map((name, index) => [
        `modelgate-result-${index}`,
        artifact(outcome({ inputs: { model: name } })),
      ]),
    );
    await onWorkflowRunCompleted(world.sample(pull, parts), world.context);
    expect(world.reports(pull)).toHaveLength(1);
    expect(world.reports(pull)[0]).toContain('Models that are not configured yet');
    expect(world.reports(pull)[0]).toContain('`new-a`');
    expect(world.checks(pull.pull.headSha)).toMatchObject([
      { name: 'modelgate/sample', conclusion: 'neutral' },
    ]);
  });

  it('says so where a run left nothing, too much, or no outcome', async () => {
    const world = await ReportWorld.open();
    const cases: [Parameters<ReportWorld['sample']>[1], string][] = [
      [{}, 'The run left no result'],
      [
        { 'modelgate-result': artifact('x'.repeat(300_000)) },
        'The result is larger than 256 KiB, or damaged',
      ],
      [{ 'modelgate-result': Buffer.from('no archive') }, 'The result is larger than 256 KiB, or damaged'],
      [
        { 'modelgate-result': artifact('{"schema": "modelgate.outcome/1"}') },
        'is not an outcome of ModelGate',
      ],
      [{ 'modelgate-result': artifact(`${'['.repeat(5000)}${']'.repeat(5000)}`) }, 'is not an outcome'],
      [{ 'modelgate-result': artifact('{"__proto__": {"verdict": "pass"}}') }, 'is not an outcome'],
      [{ 'modelgate-result': { 'notes.txt': 'hello' } }, 'holds no JSON file'],
    ];
    for (const [index, [artifacts, words]] of cases.entries()) {
      const pull = world.pull({ branch: `odd-${index}`, files: { 'train.py': `${index}` } });
      expect(await onWorkflowRunCompleted(world.sample(pull, artifacts), world.context)).toBe('reported');
      expect(world.reports(pull).join()).toContain(words);
      expect(world.checks(pull.pull.headSha)).toMatchObject([{ conclusion: 'failure' }]);
    }
    const pull = world.pull({ branch: 'cancelled' });
    const cancelled = world.sample(pull, {}, { conclusion: 'cancelled' });
    expect(await onWorkflowRunCompleted(cancelled, world.context)).toBe('no_result');
  });

  it('edits no comment of somebody else that holds our marker', async () => {
    const world = await ReportWorld.open();
    const pull = world.pull();
    const planted = `<!-- modelgate:report ${model} -->\n\n### 🟢 pass: APPROVED`;
    const comment = world.repository.comment(pull.number, 'eve', planted);
    await onWorkflowRunCompleted(world.sample(pull), world.context);
    expect(comment.body).toBe(planted);
    expect(world.reports(pull)).toHaveLength(1);
  });

  it('[EVA-3] shows a change of the policy or the evaluation set as such', async () => {
    const world = await ReportWorld.open();
    const changed = configuration(model, { alpha: 0.1, set: 'f' });
    const pull = world.pull({ files: { 'modelgate.yaml': changed } as never });
    await onWorkflowRunCompleted(world.sample(pull), world.context);
    const [body] = world.reports(pull);
    expect(body).toContain('**This pull request changes what judges it.**');
    expect(body).toContain('needs its owner');
    expect(body).toContain('gate policy, `alpha`: `0.05` → `0.1`');
    expect(body).toContain('evaluation set, `sha256`: `eeeeeeeeeeee` → `ffffffffffff`');
    world.repository.push('better', { 'modelgate.yaml': configuration(model) });
    await onPullRequestChanged(pull, world.context);
    expect(world.reports(pull)[0]).not.toContain('changes what judges it');
    world.repository.push('better', { 'modelgate.yaml': 'model: [' });
    await onPullRequestChanged(pull, world.context);
    expect(world.reports(pull)[0]).toContain('cannot be read');
  });
});
