import { expect, it } from 'vitest';
import { environmentOf } from '../../src/registry/state.ts';
import { outcome as monitorOutcome } from '../chatops/drift/world.ts';
import { artifact, outcome } from '../chatops/reports/world.ts';
import { BotWorld, eventually, modelConfig, workflows } from './world.ts';

const model = 'flights-late';

/**
 * The bot is a process, GitHub is the fake one, the registry and its moves are real. What train.yml and monitor.yml
 * would have measured is given.
 */
it('[GAT-4] [GAT-7] [ALR-3] [DEP-4] the whole story: report, staging, production with confirmation, drift issue, rollback', {
  timeout: 400_000,
}, async () => {
  await using world = await BotWorld.create();
  const { github } = world;
  const repository = github.repository('acme/flights', {
    isPrivate: true,
    files: { 'modelgate.yaml': modelConfig(model), ...workflows },
  });
  for (const name of ['max', 'olga']) repository.collaborator(name, 'maintain');
  for (const name of ['staging', 'production']) repository.environment(name, { protectedBy: [github.app] });
  const first = await world.candidate(repository, { model, commit: '0'.repeat(40) });
  await world.place(repository, { model, version: first.version });
  await world.start();

  const serving = async () => {
    const state = await world.registry(repository).state(model);
    return ['staging', 'production'].map((name) => environmentOf(state, name).version);
  };
  const said = async (number: number, body: string, decision = 'done') => {
    const { id } = repository.comment(number, 'max', body);
    const [record] = await eventually(
      () => world.replies(repository, id),
      ([one]) => one !== undefined && !['accepted', 'started'].includes(one.decision),
      { what: body },
    );
    expect(record).toMatchObject({ decision });
    return record;
  };
  const ours = (number: number) =>
    repository.issue(number).comments.filter(({ user }) => user === github.app.bot);

  // a pull request's own run is reported, and is never a success
  const { number, pull } = repository.openPullRequest('olga', {
    branch: 'better',
    files: { 'train.py': 'better' },
  });
  const sample = repository.startRun({
    ...{ workflow: 'pull-request.yml', event: 'pull_request', by: 'olga' },
    pull: repository.pullRequest(number),
  });
  sample.start();
  sample.complete('success', { 'modelgate-result': artifact(outcome({ verdict: 'pass' })) });
  await eventually(
    () =>
      ours(number)
        .map(({ body }) => body)
        .join('\n'),
    (text) => text.includes('<!-- modelgate:report flights-late -->'),
    { what: 'the report' },
  );
  await eventually(
    () => repository.checks.map(({ conclusion }) => conclusion),
    (conclusions) => conclusions.join() === 'neutral',
    { what: 'an advisory check' },
  );

  // trained and judged in full: it goes to staging, and to production with another person's review and its digest
  const { manifest, version } = await world.candidate(repository, { model, commit: pull.headSha });
  repository.status(pull.headSha, 'tests', 'success');
  repository.review(number, 'max', 'APPROVED');
  await said(number, '/promote to staging');
  expect(await serving()).toEqual([version, first.version]);
  const refused = await said(number, '/promote to production', 'refused');
  expect(refused?.reason).toBe('confirm_needed');
  await said(number, `/promote to production --confirm=${manifest.slice(0, 12)}`);
  expect(await serving()).toEqual([version, version]);

  // it drifts: one issue says so, and there it is rolled back
  const monitor = repository.startRun({ workflow: 'monitor.yml', event: 'schedule', by: 'max' });
  monitor.start();
  monitor.complete('success', {
    'modelgate-monitor': { 'outcome.json': monitorOutcome({ alerts: { data_drift: 'review' } }) },
  });
  const issue = await eventually(
    () => [...repository.issues.values()].find(({ title }) => title.includes('distance moved')),
    (one) => one !== undefined,
    { what: 'the drift issue' },
  );
  const back = await said(issue?.number ?? 0, '/rollback in production');
  expect(back?.summary).toMatch(/rolled back in \d+ s/);
  expect(await serving()).toEqual([version, first.version]);
  expect(github.count('actions/create-workflow-dispatch')).toBe(3);
  expect(github.violations).toEqual([]);
});
