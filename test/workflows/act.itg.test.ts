import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Outcome } from '../../src/outcome.ts';
import { lastDrill } from '../../src/registry/drills.ts';
import { lock, unlock } from '../../src/registry/locks.ts';
import { previousMove } from '../../src/registry/rules.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { installedCommand } from '../bot/story/installed.ts';
import { betterFeatures, model, parcels } from '../bot/story/model-repository.ts';
import { serveParcels } from '../bot/story/traffic.ts';
import { noServer } from '../store/servers/s3-server.ts';
import type { ActResult, ActRun } from './act/runner.ts';
import { type ActWorld, openWorld } from './act/world.ts';
import { permissionsOf } from './templates.ts';
import { missing } from './tools.ts';

const day = 86_400_000;
const image = `ghcr.io/acme/serving@sha256:${'4'.repeat(64)}`;
const skipped = missing('act') ?? noServer();

const name =
  skipped === null ? 'the workflow templates under act' : `the workflow templates under act (${skipped})`;

/**
 * The templates, byte for byte as they are shipped, carried out by act on this machine: our actions as built, Python,
 * an S3 server, and the fake GitHub where a step calls the API. Actions of others have stand-ins.
 */
describe.skipIf(skipped !== null)(name, { timeout: 600_000 }, () => {
  let world: ActWorld;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** Runs a workflow; fails with what act said where its jobs do not end so. */
  async function run(wanted: ActRun, jobs: Record<string, string>): Promise<ActResult> {
    const result = await world.runner.run(wanted);
    expect(result.jobs, `${wanted.workflow}: exit ${result.exitCode}\n${result.said}`).toEqual(jobs);
    expect(result.exitCode, result.said).toBe(Object.values(jobs).includes('failure') ? 1 : 0);
    return result;
  }
  const serving = async () => {
    const state = await world.registry.state(model);
    return ['staging', 'production'].map((name) => environmentOf(state, name).version);
  };
  const move = (
    workflow: 'promote' | 'rollback',
    inputs: Record<string, string>,
    jobs: Record<string, string>,
  ) =>
    run(
      {
        ...{ workflow: `${workflow}.yml`, event: 'workflow_dispatch', actor: 'max' },
        inputs: { reason: 'as agreed', ...inputs },
      },
      jobs,
    );

  it('[TRG-1] [TRN-4] train.yml: trains a commit, judges, registers, sets the required check, says why it ran', async () => {
    const token = world.github.actionsToken(world.onGitHub, { contents: 'read', statuses: 'write' });
    const trained = await run(
      {
        ...{ workflow: 'train.yml', event: 'workflow_dispatch', token },
        inputs: { sha: world.first, op_id: 'train-1', trigger: 'data' },
        variables: { MODELGATE_IMAGE: image },
      },
      { train: 'success', scan: 'success', gate: 'success', status: 'success' },
    );
    expect(trained.outputs['gate.gate']).toMatchObject({ verdict: 'pass' });
    expect(trained.summary).toMatch(/## ModelGate train[\s\S]*## ModelGate scan[\s\S]*## ModelGate gate/);
    expect(trained.summary).toMatch(/on the image \\\(ghcr\.io.+1 package/);
    expect(world.onGitHub.statuses).toMatchObject([
      { sha: world.first, context: 'modelgate/gate', state: 'success' },
    ]);
    expect(world.github.violations).toEqual([]);
    const { versions } = await world.registry.state(model);
    const { producer } = await world.registry.store.readManifest(versions[0]!.manifest);
    expect(producer).toMatchObject({ commit: world.first, trigger: 'data' });
  });

  it('promote.yml: by hand into staging and production, in order alone, once', async () => {
    const wanted = { model: `${model}@1`, expected_generation: '0' };
    const early = { ...wanted, environment: 'production', op_id: 'too-early' };
    const refused = await move('promote', early, { promote: 'failure' });
    expect(refused.said).toContain('order');
    for (const environment of ['staging', 'production']) {
      const inputs = { ...wanted, environment, op_id: `to-${environment}` };
      const moved = await move('promote', inputs, { promote: 'success' });
      expect(moved.summary).toContain('ModelGate promote');
    }
    expect(await serving()).toEqual([1, 1]);
    const { entry } = await world.registry.entry(model, (await world.registry.state(model)).seq);
    expect(entry).toMatchObject({
      type: 'promote',
      reason: 'as agreed',
      actor: { name: 'max', via: 'action' },
    });
  });

  it('[DEP-5] drill.yml: with nothing to go back to it says so, and moves nothing', async () => {
    const drilled = await run(
      { workflow: 'drill.yml', event: 'schedule' },
      { models: 'success', drill: 'success' },
    );
    expect(drilled.said).toContain('no version to go back to');
    expect(drilled.outputs).not.toHaveProperty(['drill.back']);
  });

  it('[TRN-11] pull-request.yml: a fast run on a sample for every commit leaves one small result, and nothing in the store', async () => {
    const before = (await world.registry.state(model)).seq;
    world.git('checkout', '--quiet', '-b', 'better');
    await world.commit({ 'features.sql': betterFeatures });
    const sample = await run(
      { workflow: 'pull-request.yml', event: 'pull_request', payload: { number: 7 } },
      { models: 'success', sample: 'success', result: 'success' },
    );
    expect(sample.outputs['sample.run']?.outcome).toMatch(/outcome\.json$/);
    const file = path.join(await world.runner.unpack('modelgate-result'), 'outcome.json');
    const text = await readFile(file, 'utf8');
    expect(text.length).toBeLessThan(256_000);
    expect(text).toContain('Took 600 rows of parcels'); // the sample's window
    expect(Outcome.parse(JSON.parse(text))).toMatchObject({
      stage: expect.stringMatching(/gate|run|register/),
    });
    expect((await world.registry.state(model)).seq).toBe(before);
  });

  it('[TRG-1] [TRN-11] release.yml: a merge trains in full and becomes a version in staging, production stays', async () => {
    const released = await run(
      { workflow: 'release.yml', event: 'push' },
      { models: 'success', train: 'success', scan: 'success', gate: 'success' },
    );
    expect(released.outputs['gate.register']).toMatchObject({ version: '2' });
    expect(await serving()).toEqual([2, 1]);
    const { versions } = await world.registry.state(model);
    const { producer } = await world.registry.store.readManifest(versions[1]!.manifest);
    expect(producer).toMatchObject({ commit: world.git('rev-parse', 'HEAD'), trigger: 'code' });
  });

  it('[GOV-2] train.yml: no policy has the code of a candidate run beside the cloud role of the gate', async () => {
    const config = await readFile(path.join(world.repository, 'modelgate.yaml'), 'utf8');
    const measured = config.replace(/^gate:$/m, 'gate:\n  training_noise: { retrain: 2 }');
    const sha = await world.commit({ 'modelgate.yaml': measured });
    const token = world.github.actionsToken(world.onGitHub, { contents: 'read', statuses: 'write' });
    const refused = await run(
      { workflow: 'train.yml', event: 'workflow_dispatch', token, inputs: { sha, op_id: 'noise' } },
      { train: 'success', scan: 'success', gate: 'failure' },
    );
    expect(refused.outputs['gate.gate']).toMatchObject({ 'reason-code': 'retraining_refused' });
    await world.commit({ 'modelgate.yaml': config });
  });

  it('[TRN-6] sweep.yml: the best of several settings on the validation rows is judged, one that fails is not chosen', async () => {
    const before = (await world.registry.state(model)).versions.length;
    const setting = (params: string) => `extends: ../modelgate.yaml\ntrain: { params: ${params} }\n`;
    await world.commit({
      'sweep/blind.yaml': setting('{ steps: 0 }'), // knows nothing yet
      'sweep/broken.yaml': setting('{ steps: many }'),
      'sweep/stiff.yaml': setting('{ ridge: 30 }'),
    });
    const swept = await run(
      { workflow: 'sweep.yml', event: 'workflow_dispatch', inputs: { metric: 'auc', best: 'highest' } },
      { plan: 'success', train: 'failure', choose: 'success', scan: 'success', gate: 'success' },
    );
    const { include } = JSON.parse(swept.outputs['plan.plan']?.settings ?? '{}') as {
      include: { setting: string; config: string }[];
    };
    expect(include.map(({ setting, config }) => [setting, config])).toEqual(
      ['blind', 'broken', 'stiff'].map((one) => [one, `sweep/${one}.yaml`]),
    );
    expect(swept.summary).toMatch(/\| stiff \| 0\.[6-9]\d+ \|\n\| blind \| 0\.5 \|/);
    const { versions } = await world.registry.state(model);
    expect(versions).toHaveLength(before + 1);
    const chosen = await world.runner.unpack('modelgate-chosen');
    const { inputs, outputs } = Outcome.parse(
      JSON.parse(await readFile(path.join(chosen, 'outcome.json'), 'utf8')),
    );
    expect(inputs).toMatchObject({ training: { params: { ridge: 30 } } });
    expect(versions.at(-1)?.manifest).toBe(outputs.model);
  });

  it('[DEP-5] drill.yml: staging goes back and comes forward again, and where it cannot, nothing is claimed', async () => {
    const drilled = await run(
      { workflow: 'drill.yml', event: 'schedule' },
      { models: 'success', drill: 'success' },
    );
    expect(drilled.summary).toMatch(/staging went from version 2 to 1 in [\d.]+ s and back in [\d.]+ s/);
    expect(await serving()).toEqual([2, 1]);
    const state = await world.registry.state(model);
    expect(lastDrill(state)).toMatchObject({ environment: 'staging', from: 2, to: 1 });
    expect(lastDrill(state)?.restored_at).not.toBeNull();
    // both versions are as free as they were: the next drill has the same way to go
    const staging = environmentOf(state, 'staging');
    expect([staging.frozen, previousMove(state, staging)?.version]).toEqual([[], 1]);

    const held = { model, environment: 'staging', environments: ['staging', 'production'], op_id: null };
    const olga = { ...held, actor: { name: 'olga', via: 'cli' as const } };
    await lock(world.registry, { ...olga, reason: 'audit', ttl: null });
    const stopped = await run(
      { workflow: 'drill.yml', event: 'schedule' },
      { models: 'success', drill: 'failure' },
    );
    expect(stopped.said).toContain('staging is locked by olga');
    await unlock(world.registry, { ...olga, reason: null, force: false });
    expect(await serving()).toEqual([2, 1]);
  });

  it('[GAT-4] chatops.yml: a /promote in a comment moves the model by promote.yml, for the person who commented', async () => {
    const { onGitHub, github, repository } = world;
    const read = (name: string) => readFile(path.join(repository, name), 'utf8');
    const files = ['modelgate.yaml', '.github/workflows/promote.yml'];
    const base = await Promise.all(files.map(async (name) => [name, await read(name)] as const));
    onGitHub.push('main', Object.fromEntries(base));
    for (const name of ['max', 'olga']) onGitHub.collaborator(name, 'maintain');

    const [, { manifest = '' } = {}] = (await world.registry.state(model)).versions;
    const { producer } = await world.registry.store.readManifest(manifest);
    onGitHub.setRef('heads/better', producer.commit ?? '', github.person('olga'));
    const { number } = onGitHub.openPullRequest('olga', { branch: 'better' });
    onGitHub.review(number, 'max', 'APPROVED');
    onGitHub.status(producer.commit ?? '', 'tests', 'success');

    const variables = { MODELGATE_BOT: 'github-actions[bot]' };
    const token = (workflow: string, job: string) =>
      github.actionsToken(onGitHub, permissionsOf(workflow, job));
    const promotions: ActResult[] = [];
    github.onDispatch = async (dispatched) => {
      dispatched.start();
      const promoted = await world.runner.run({
        ...{ workflow: 'promote.yml', event: 'workflow_dispatch', inputs: dispatched.inputs, variables },
        ...{ actor: dispatched.actor.login, id: dispatched.id, token: token('promote.yml', 'authorize') },
      });
      promotions.push(promoted);
      dispatched.complete(promoted.exitCode === 0 ? 'success' : 'failure');
    };
    const command = async (by: string, body: string) => {
      const { id, user, createdAt } = onGitHub.comment(number, by, body);
      await run(
        {
          ...{ workflow: 'chatops.yml', event: 'issue_comment', actor: by, variables },
          token: token('chatops.yml', 'command'),
          payload: {
            ...{ action: 'created', issue: { number, pull_request: {} } },
            comment: { id, body, user: { login: user.login, type: user.type }, created_at: createdAt },
          },
        },
        { command: 'success' },
      );
      return onGitHub.issue(number).comments.at(-1);
    };

    const unconfirmed = await command('max', '/promote to production');
    expect(unconfirmed).toMatchObject({
      ...{ user: github.actionsApp.bot, body: expect.stringContaining('confirm_needed') },
    });
    expect([onGitHub.runs, await serving()]).toEqual([[], [2, 1]]);

    const reply = await command('max', `/promote to production --confirm=${manifest.slice(0, 12)}`);
    expect(promotions.map(({ jobs }) => jobs)).toEqual([{ authorize: 'success', promote: 'success' }]);
    expect(reply?.body).toMatch(/promoted in \d+ s[\s\S]*"decision":"done"/);
    expect(await serving()).toEqual([2, 2]);
    const { entry } = await world.registry.entry(model, (await world.registry.state(model)).seq);
    expect(entry).toMatchObject({ type: 'promote', version: 2, actor: { name: 'max', via: 'action' } });
    expect(github.violations).toEqual([]);
    github.onDispatch = null;
  });

  it('[MON-1] monitor.yml: two weeks of parcels that go farther are drift, and the artifact says so', async () => {
    const today = Math.floor(Date.now() / day) * day;
    const home = path.join(world.folder, 'server');
    await mkdir(home);
    await serveParcels({
      command: await installedCommand(home),
      ...{ store: world.store, environment: world.role },
      folder: await mkdtemp(path.join(home, 'work-')),
      parcels: parcels({ seed: 3, first: today - 14 * day, days: 14, farther: 150 }),
    });
    const seen = await run(
      { workflow: 'monitor.yml', event: 'schedule' },
      { models: 'success', monitor: 'failure' },
    );
    expect(seen.summary).toContain('distance');
    const outcome = await readFile(
      path.join(await world.runner.unpack('modelgate-monitor'), 'outcome.json'),
      'utf8',
    );
    expect(Outcome.parse(JSON.parse(outcome))).toMatchObject({ verdict: 'inconclusive' });
  });

  it('status-page.yml: hands pages of every model of the store to the job that publishes them', async () => {
    const published = { render: 'success', publish: 'success' };
    await run({ workflow: 'status-page.yml', event: 'schedule' }, published);
    const folder = await world.runner.unpack('github-pages');
    execFileSync('tar', ['--extract', '--file', 'artifact.tar'], { cwd: folder });
    const page = await readFile(path.join(folder, 'models', `${model}.html`), 'utf8');
    expect(page).toMatch(/<h2>Rollback drills<[\s\S]*2 → 1[\s\S]*returned after/);
    expect(page).not.toContain('as agreed'); // the reasons of people stay out
    expect(await readFile(path.join(folder, 'index.html'), 'utf8')).toContain(`models/${model}.html`);
  });

  it('[DEP-4] rollback.yml: takes production back', async () => {
    await move('rollback', { environment: 'production', model, op_id: 'back' }, { rollback: 'success' });
    expect(await serving()).toEqual([2, 1]);
  });

  it('verify.yml: the heads of one night are the anchors of the next', async () => {
    const proven = { verify: 'success', reconcile: 'success' };
    const first = await run({ workflow: 'verify.yml', event: 'schedule' }, proven);
    expect(first.outputs['verify.last']).toEqual({ anchors: '' });
    // a run ended well, and what it saw is gone
    await mkdir(world.artifactOf(1, ''), { recursive: true });
    const lost = await run({ workflow: 'verify.yml', event: 'schedule' }, { ...proven, verify: 'failure' });
    expect(lost.said).toContain('The heads that run 1 saw are gone');
    await world.runner.unpack('modelgate-verify', world.artifactOf(1, 'modelgate-verify'));
    const { seq, head } = await world.registry.state(model);
    const next = await run({ workflow: 'verify.yml', event: 'schedule' }, proven);
    expect(next.outputs['verify.last']).toEqual({ anchors: `${model}:${seq}:${head}` });
    expect(next.summary).toContain('1 of 1 anchors held');

    // another history than the one that was seen
    const anchors = `${model}:${seq}:${'0'.repeat(64)}`;
    const forged = await run(
      { workflow: 'verify.yml', event: 'workflow_dispatch', inputs: { anchors } },
      { ...proven, verify: 'failure' },
    );
    expect(forged.summary).toContain('history was replaced');
  });

  it('what a schedule starts is skipped before the repository is set up: neither red nor green', async () => {
    for (const file of ['monitor', 'drill', 'verify', 'poll', 'status-page']) {
      const variables = { MODELGATE_STORE: '' };
      await run({ workflow: `${file}.yml`, event: 'schedule', variables }, {});
    }
  });

  it('[TRG-4] poll.yml: data that come without a commit start train.yml once, on the default branch', async () => {
    const { onGitHub, github, repository } = world;
    const read = (name: string) => readFile(path.join(repository, name), 'utf8');
    const train = '.github/workflows/train.yml';
    onGitHub.push('main', { [train]: await read(train) });
    const token = github.actionsToken(onGitHub, { contents: 'read', actions: 'write' });
    const poll = async (event: string) => {
      const { outputs } = await run(
        { workflow: 'poll.yml', event, token },
        { models: 'success', poll: 'success' },
      );
      return outputs['poll.poll'];
    };
    const trainings = () => onGitHub.runs.filter(({ workflow }) => workflow.path === train);
    expect(await poll('schedule')).toMatchObject({ decision: 'committed' });
    expect(trainings()).toEqual([]);

    const delivered = path.join(world.folder, 'delivered.csv');
    await writeFile(delivered, `${await read('parcels.csv')}\nnew,2025-04-29T10:00:00Z,90,9,false`);
    const config = await read('modelgate.yaml');
    await world.commit({ 'modelgate.yaml': config.replace('file: parcels.csv', `file: ${delivered}`) });
    const first = await poll('schedule');
    const [started] = trainings();
    expect(first).toMatchObject({ decision: 'started', run: String(started?.id) });
    expect(started).toMatchObject({
      ...{ event: 'workflow_dispatch', headBranch: 'main', workflow: { path: train } },
      inputs: { sha: onGitHub.head('main'), trigger: 'data', model, config: 'modelgate.yaml' },
      title: expect.stringContaining(first?.['op-id'] ?? '?'),
    });
    expect(await poll('workflow_dispatch')).toMatchObject({ decision: 'known', run: String(started?.id) });
    expect(trainings()).toEqual([started]);
    await world.commit({ 'modelgate.yaml': config });
    expect(github.violations).toEqual([]);
  });

  it('[GOV-8] train.yml: a critical weakness of a locked package stops the candidate, which is then never promoted', async () => {
    await world.weaken('numpy');
    const sha = world.git('rev-parse', 'HEAD');
    const token = world.github.actionsToken(world.onGitHub, { contents: 'read', statuses: 'write' });
    const stopped = await run(
      { workflow: 'train.yml', event: 'workflow_dispatch', token, inputs: { sha, op_id: 'weak' } },
      // act ends a run where a workflow that it calls fails; the job `status` after it: test/bot/jobs
      { train: 'success', scan: 'success', gate: 'failure' },
    );
    await world.weaken(null);
    expect(stopped.outputs['gate.gate']).toMatchObject({ verdict: 'fail', 'reason-code': 'gate_failed' });
    expect(stopped.summary).toMatch(/GHSA.*CVE.*numpy.*critical/);
    const { versions, environments } = await world.registry.state(model);
    const { version, verdict } = versions.at(-1)!;
    expect(verdict).toBe('fail');
    const { generation } = environments.get('staging')!;
    const refused = await move(
      'promote',
      {
        ...{ model: `${model}@${version}`, environment: 'staging', op_id: 'weak' },
        expected_generation: String(generation),
      },
      { promote: 'failure' },
    );
    expect(refused.said).toContain('not_passed');
  });
});
