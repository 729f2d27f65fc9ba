import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { environmentOf } from '../../src/registry/state.ts';
import { root } from '../actions/job.ts';
import { WorkflowRunner } from './jobs/runner.ts';
import { installedCommand } from './story/installed.ts';
import { betterFeatures, model, modelFiles, parcels } from './story/model-repository.ts';
import { serveParcels } from './story/traffic.ts';
import { BotWorld, eventually } from './world.ts';

const day = 86_400_000;
/** Milliseconds for what a loaded machine does in some ten seconds. */
const patience = 240_000;

beforeAll(() => {
  if (!existsSync(path.join(root, 'dist/stage.js')))
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root });
});

/**
 * The bot is a process, the jobs are those of workflows-templates with our actions as built, training is Python, the
 * predictions are answers of a server; GitHub alone is the fake one.
 */
it('[GAT-4] [GAT-7] [ALR-3] [DEP-4] the whole story: a pull request, report, staging, production with confirmation, drift issue, rollback', {
  timeout: 900_000,
}, async () => {
  await using world = await BotWorld.create();
  const { github } = world;
  const repository = github.repository('acme/parcels', { isPrivate: true, files: await modelFiles() });
  for (const name of ['max', 'olga']) repository.collaborator(name, 'maintain');
  for (const name of ['staging', 'production']) repository.environment(name, { protectedBy: [github.app] });
  const store = path.join(world.folder, 'stores/acme/parcels');
  await using runner = await WorkflowRunner.open({
    home: world.folder,
    variables: {
      MODELGATE_STORE: store,
      MODELGATE_BOT: github.app.bot.login,
      MODELGATE_CONFIG_FILES: '',
      MODELGATE_IMAGE: '',
    },
  });
  github.onDispatch = (run) => runner.carryOut(run);
  world.command = await installedCommand(world.folder);
  await world.start();

  const soon = <T>(ask: () => T | Promise<T>, holds: (value: T) => boolean, what: string) =>
    eventually(ask, holds, { within: patience, what });
  const serving = async () => {
    const state = await world.registry(repository).state(model);
    return ['staging', 'production'].map((name) => environmentOf(state, name).version);
  };
  const versions = async () => (await world.registry(repository).state(model)).versions;
  /** Max comments, and this is what the reply came to. */
  const said = async (number: number, body: string, decision = 'done') => {
    const { id } = repository.comment(number, 'max', body);
    const [record] = await soon(
      () => world.replies(repository, id),
      ([one]) => one !== undefined && !['accepted', 'started'].includes(one.decision),
      body,
    );
    expect(record, runner.told(repository.runs.at(-1))).toMatchObject({ decision });
    return record;
  };
  const ours = (number: number) =>
    repository
      .issue(number)
      .comments.filter(({ user }) => user === github.app.bot)
      .map(({ body }) => body)
      .join('\n');
  /** Told from the log's entry: a move without the command's own id would only be found done. */
  const promoted = async (number: number, to: string) =>
    expect((await said(number, `/promote to ${to}`))?.summary).toMatch(/, promoted in \d+ s\.$/);
  const confirmed = async (version: number) =>
    `--confirm=${(await versions())[version - 1]?.manifest.slice(0, 12)}`;

  // the first version: trained in full, judged by floors alone, and promoted through both environments
  const first = repository.openPullRequest('olga', { branch: 'first', files: { 'README.md': 'Parcels.' } });
  await said(first.number, '/train');
  repository.review(first.number, 'max', 'APPROVED');
  await promoted(first.number, 'staging');
  await promoted(first.number, `production ${await confirmed(1)}`);
  repository.merge(first.number, 'max');
  expect(await serving()).toEqual([1, 1]);

  // a pull request's own run is reported, and is never a success
  const better = repository.openPullRequest('olga', {
    branch: 'better',
    files: { 'features.sql': betterFeatures },
  });
  const { number, pull } = better;
  const sample = await runner.start(repository, {
    ...{ workflow: 'pull-request.yml', event: 'pull_request', by: 'olga', pull: better },
  });
  expect(sample.conclusion, runner.told(sample)).toBe('success');
  await soon(
    () => ours(number),
    (text) => text.includes(`<!-- modelgate:report ${model} -->`),
    'the report',
  );
  const conclusions = (sha: string) =>
    repository.checks.filter(({ headSha }) => headSha === sha).map(({ conclusion }) => conclusion);
  await soon(
    () => conclusions(pull.headSha),
    (found) => found.join() === 'neutral',
    'an advisory check',
  );

  // trained and judged in full beside the champion: it goes to staging, and on with a review and its digest
  await said(number, '/train');
  expect(await versions()).toMatchObject([{ verdict: 'pass' }, { verdict: 'pass' }]);
  expect(repository.statuses.filter(({ sha }) => sha === pull.headSha)).toMatchObject([
    { context: 'modelgate/gate', state: 'success', creator: github.actionsApp.bot },
  ]);
  await soon(
    () => ours(number),
    (text) => text.includes(`/promote ${model}@2 to staging`),
    'the verdict in the report',
  );
  repository.review(number, 'max', 'APPROVED');
  await promoted(number, 'staging');
  expect(await serving()).toEqual([2, 1]);
  expect((await said(number, '/promote to production', 'refused'))?.reason).toBe('confirm_needed');
  await promoted(number, `production ${await confirmed(2)}`);
  expect(await serving()).toEqual([2, 2]);
  repository.merge(number, 'max');

  // two weeks of parcels go farther: the scheduled check finds it, one issue says so and proposes to train again
  const today = Math.floor(Date.now() / day) * day;
  const served = await serveParcels({
    command: world.command,
    store,
    folder: await mkdtemp(path.join(world.folder, 'server-')),
    parcels: parcels({ seed: 3, first: today - 14 * day, days: 14, farther: 150 }),
  });
  expect(served.version).toBe(2);
  const monitor = await runner.start(repository, { workflow: 'monitor.yml', event: 'schedule', by: 'max' });
  const issue = await soon(
    () => [...repository.issues.values()].find(({ title }) => title.includes('distance')),
    (one) => one !== undefined,
    `the drift issue; ${runner.told(monitor)}`,
  );
  const drift = issue?.number ?? 0;
  expect(issue?.title).toMatch(/^parcels-late in production: distance: mean 2\d\d.* → 3\d\d/);
  await soon(versions, (found) => found.length === 3, 'the retrained version');
  await soon(
    () => ours(drift),
    (text) => text.includes('Training again is proposed in #'),
    'the proposal',
  );
  await github.idle();
  expect(await serving()).toEqual([2, 2]);

  // there it is rolled back
  const back = await said(drift, '/rollback in production');
  expect(back?.summary).toMatch(/rolled back in \d+ s/);
  expect(await serving()).toEqual([2, 1]);

  // for the person who asked, each move once, and each version of the commit and for the reason that it is of
  const registry = world.registry(repository);
  const { seq } = await registry.state(model);
  const log = await Promise.all(Array.from({ length: seq }, (_, n) => registry.entry(model, n + 1)));
  expect(
    log.flatMap(({ entry }) =>
      entry.type === 'promote' || entry.type === 'rollback'
        ? [`${entry.type} ${entry.version} in ${entry.environment} by ${entry.actor.name}`]
        : [],
    ),
  ).toEqual([
    'promote 1 in staging by max',
    'promote 1 in production by max',
    'promote 2 in staging by max',
    'promote 2 in production by max',
    'rollback 1 in production by max',
  ]);
  const made = await Promise.all(
    (await versions()).map(async ({ manifest }) => (await registry.store.readManifest(manifest)).producer),
  );
  const retraining = repository.head(`modelgate/retrain/${model}-${drift}`);
  expect(made).toMatchObject([
    { commit: first.pull.headSha, trigger: 'manual' },
    { commit: pull.headSha, trigger: 'manual' },
    { commit: retraining, trigger: 'alert' },
  ]);

  // every job was a real one
  const ran = (workflow: string) =>
    repository.runs.filter((run) => run.workflow.name === workflow).map((run) => runner.actionsOf(run));
  expect(ran('pull-request')).toEqual(['models 0, validate 0, run 0']);
  expect(ran('train')).toEqual(Array(3).fill('train 0, scan 0, evaluate 0, gate 0, register 0'));
  expect(ran('promote')).toEqual(Array(4).fill('authorize 0, promote 0'));
  expect(ran('monitor')).toEqual(['models 0, status 0, monitor 2']);
  expect(ran('rollback')).toEqual(['authorize 0, rollback 0']);
  expect(github.violations).toEqual([]);
});
