import { expect, it } from 'vitest';
import { onMergeGroup } from '../../../src/chatops/reports/merge-group.ts';
import { onPullRequestChanged } from '../../../src/chatops/reports/pull-request-changed.ts';
import { readReport } from '../../../src/chatops/reports/record.ts';
import { onWorkflowRunCompleted } from '../../../src/chatops/reports/run-completed.ts';
import { artifact, outcome, ReportWorld } from './world.ts';

const limit = 65_536;
const many = 200;
/** As long as a name may be, and alike. */
const nameOf = (number: number) => `${'long-'.repeat(11)}${String(number).padStart(3, '0')}`;
const names = Array.from({ length: many }, (_, number) => nameOf(number));
const verdictOf = (number: number) =>
  number % 50 === 7 ? 'fail' : number % 50 === 9 ? 'error' : number % 3 === 0 ? 'inconclusive' : 'pass';
const hostile = '|`</details>@team #1 <!-- modelgate:report x --> [a](http://b)\u202e\n| '.repeat(40);

const results = (numbers: readonly number[]) =>
  Object.fromEntries(
    numbers.map((number) => {
      const told = { verdict: verdictOf(number), summary: hostile, inputs: { model: nameOf(number) } };
      const outputs = { reasons: [hostile, hostile], contract_checks: [] };
      return [`modelgate-result-${nameOf(number)}`, artifact(outcome({ ...told, outputs }))];
    }),
  );

it('[GAT-7] a pull request that touches 200 models has one whole comment and one check, the worst first', {
  timeout: 120_000,
}, async () => {
  const world = await ReportWorld.open({ models: names });
  const pull = world.pull();
  const run = world.sample(pull, results([...names.keys()]), { conclusion: 'failure' });
  expect(await onWorkflowRunCompleted(run, world.context)).toBe('reported');
  const [body = '', ...others] = world.reports(pull);
  expect(others).toEqual([]);
  expect(body.length).toBeLessThan(limit);
  expect(body).toMatch(
    /^<!-- modelgate:report -->\n\n### 🔴 Sample run did not end \(4 of 200 parts\) · 200 models/,
  );
  // every part that stands there is whole, and the others are counted
  const rows = body.split('\n').filter((line) => /^\| `long-/.test(line));
  for (const row of rows) expect(row).toMatch(/^\| `[^`]+` \| `long-[^`]+` \| (⚪|🔴) [a-z ]+ \| .+ \|$/);
  expect(rows.slice(0, 8).map((row) => /🔴 (no result|failed)/.exec(row)?.[1])).toEqual([
    ...Array(4).fill('no result'),
    ...Array(4).fill('failed'),
  ]);
  const [, passed] = /More did not fit here: .*?(\d+) passed/.exec(body) ?? [];
  const [, undecided = '0'] = /More did not fit here: (\d+) undecided/.exec(body) ?? [];
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.length + Number(passed) + Number(undecided)).toBe(many);
  expect(body).toMatch(new RegExp(`\\[The run\\]\\(https?:[^)]+/actions/runs/${run.id}\\)`));
  expect(body).not.toContain('@team');
  expect(body.match(/<details>/g)?.length).toBe(body.match(/<\/details>/g)?.length);
  expect(readReport(body, null)?.sample?.parts).toHaveLength(rows.length);

  const checks = world.checks(pull.pull.headSha);
  expect(checks.map(({ name, conclusion }) => [name, conclusion])).toEqual([['modelgate/sample', 'failure']]);
  expect(checks[0]?.summary?.length).toBeLessThan(limit);
  expect(world.server.violations).toEqual([]);

  // a push makes it again, as stale
  world.repository.push(pull.pull.headRef, { 'train.py': 'print(3)' });
  await onPullRequestChanged(pull, world.context);
  expect(world.reports(pull)).toHaveLength(1);
  expect(world.reports(pull)[0]).toContain('Stale');
});

it('[GAT-7] among 200 models, a pull request that touches one has the report of that one', {
  timeout: 60_000,
}, async () => {
  const world = await ReportWorld.open({ models: names });
  const pull = world.pull();
  expect(await onWorkflowRunCompleted(world.sample(pull, results([42])), world.context)).toBe('reported');
  expect(world.reports(pull)).toHaveLength(1);
  expect(world.reports(pull)[0]).toMatch(new RegExp(`^<!-- modelgate:report ${nameOf(42)} -->`));
  expect(world.checks(pull.pull.headSha).map(({ name }) => name)).toEqual([
    `modelgate/sample (${nameOf(42)})`,
  ]);
});

it('a merge group has an answer for each model that it touches, where there are many', {
  timeout: 60_000,
}, async () => {
  const world = await ReportWorld.open({ models: names.slice(0, 30) });
  const pull = world.pull({ files: { [`${nameOf(4)}.yaml`]: 'schema: modelgate/1\n' } });
  expect(await onMergeGroup({ headSha: pull.pull.headSha }, world.context)).toBe('reported');
  expect(world.checks(pull.pull.headSha)).toMatchObject([
    { name: `modelgate/gate (${nameOf(4)})`, conclusion: 'neutral' },
  ]);
});

it('six models share a report that says so; five have one each', { timeout: 60_000 }, async () => {
  const world = await ReportWorld.open({ models: names.slice(0, 6) });
  const five = world.pull({ branch: 'five' });
  await onWorkflowRunCompleted(world.sample(five, results([0, 1, 2, 3, 4])), world.context);
  expect(world.reports(five)).toHaveLength(5);
  const six = world.pull({ branch: 'six', files: { 'train.py': 'six' } });
  await onWorkflowRunCompleted(world.sample(six, results([0, 1, 2, 3, 4, 5])), world.context);
  expect(world.reports(six)).toHaveLength(1);
  expect(world.reports(six)[0]).toContain('· 6 models');
});
