import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../../actions/job.ts';
import { FakeGitHubServer } from '../../github/fake/server.ts';
import { modelFiles } from '../story/model-repository.ts';
import { WorkflowRunner } from './runner.ts';

const resources = new AsyncDisposableStack();
let github: FakeGitHubServer;
let runner: WorkflowRunner;
let files: Awaited<ReturnType<typeof modelFiles>>;
beforeAll(async () => {
  if (!existsSync(path.join(root, 'dist/stage.js')))
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root });
  const home = await mkdtemp(path.join(os.tmpdir(), 'required-check-'));
  resources.defer(() => rm(home, { recursive: true, force: true }));
  const store = path.join(home, 'store');
  await mkdir(store);
  github = resources.use(await FakeGitHubServer.start());
  const variables = { MODELGATE_STORE: store, MODELGATE_CONFIG_FILES: '', MODELGATE_IMAGE: '' };
  runner = resources.use(await WorkflowRunner.open({ home, variables }));
  files = await modelFiles();
}, 120_000);
afterAll(() => resources.disposeAsync());

/** Runs train.yml on a commit that changes these files; what stands on that commit then. */
async function trained(name: string, change: Readonly<Record<string, string>>) {
  const repository = github.repository(`acme/${name}`, { files });
  const { pull } = repository.openPullRequest('octocat', { branch: 'change', files: change });
  const run = await runner.start(repository, {
    ...{ workflow: 'train.yml', event: 'workflow_dispatch', by: 'octocat' },
    inputs: { sha: pull.headSha },
  });
  const statuses = repository.statuses.map(({ sha, context, state }) => ({
    ...{ own: sha === pull.headSha, context, state },
  }));
  return { run, statuses, actions: runner.actionsOf(run), told: runner.told(run) };
}

const failed = { own: true, context: 'modelgate/gate', state: 'failure' };

it('train.yml: a training that fails leaves no commit that waits for its check for ever', async () => {
  const { run, statuses, actions, told } = await trained('broken', {
    'features.sql': 'SELECT nothing FROM parcels',
  });
  expect(actions, told).toMatch(/^train [1-9]\d*$/);
  expect(run.conclusion).toBe('failure');
  expect(statuses, told).toEqual([failed]);
});

it('train.yml: the gate of the default branch stops a candidate, and the check says so', async () => {
  files['modelgate.yaml'] = String(files['modelgate.yaml']).replace('min: 0.6', 'min: 0.999');
  const { run, statuses, actions, told } = await trained('weak', { 'README.md': 'Parcels.' });
  expect(actions, told).toMatch(/^train 0, scan 0, evaluate 0, gate [1-9]\d*, register 0$/);
  expect(run.conclusion).toBe('failure');
  expect(statuses, told).toEqual([failed]);
});
