import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Outcome } from '../../src/outcome.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { installedCommand } from '../bot/story/installed.ts';
import { betterFeatures, model, parcels } from '../bot/story/model-repository.ts';
import { serveParcels } from '../bot/story/traffic.ts';
import { noServer } from '../store/servers/s3-server.ts';
import type { ActResult, ActRun } from './act/runner.ts';
import { type ActWorld, openWorld } from './act/world.ts';
import { missing } from './tools.ts';

const day = 86_400_000;
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
      },
      { train: 'success', gate: 'success' },
    );
    expect(trained.outputs['gate.gate']).toMatchObject({ verdict: 'pass' });
    expect(trained.summary).toMatch(/## ModelGate train[\s\S]*## ModelGate gate/);
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

  it('[TRN-11] pull-request.yml: a fast run on a sample for every commit leaves one small result, and nothing in the store', async () => {
    const before = (await world.registry.state(model)).seq;
    world.git('checkout', '--quiet', '-b', 'better');
    await world.commit({ 'features.sql': betterFeatures });
    const sample = await run(
      { workflow: 'pull-request.yml', event: 'pull_request', payload: { number: 7 } },
      { sample: 'success' },
    );
    expect(sample.outputs['sample.run']?.outcome).toMatch(/outcome\.json$/);
    const file = path.join(await world.unpack('modelgate-result'), 'outcome.json');
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
      { train: 'success', staging: 'success' },
    );
    expect(released.outputs['staging.register']).toMatchObject({ version: '2' });
    expect(await serving()).toEqual([2, 1]);
    const { versions } = await world.registry.state(model);
    const { producer } = await world.registry.store.readManifest(versions[1]!.manifest);
    expect(producer).toMatchObject({ commit: world.git('rev-parse', 'HEAD'), trigger: 'code' });
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
      { plan: 'success', train: 'failure', choose: 'success', gate: 'success' },
    );
    expect(swept.outputs['plan.plan']).toEqual({ settings: '["blind","broken","stiff"]' });
    expect(swept.summary).toMatch(/\| stiff \| 0\.[6-9]\d+ \|\n\| blind \| 0\.5 \|/);
    expect(swept.outputs['choose.choose']).toMatchObject({ setting: 'stiff' });
    const { versions } = await world.registry.state(model);
    expect(versions).toHaveLength(before + 1);
    expect(versions.at(-1)?.manifest).toBe(swept.outputs['choose.choose']?.model);
  });

  it('[DEP-5] drill.yml: staging goes back and comes forward again, and where it cannot, nothing is claimed', async () => {
    const drilled = await run({ workflow: 'drill.yml', event: 'schedule' }, { drill: 'success' });
    expect(drilled.summary).toMatch(/staging went from version 2 to 1 in [\d.]+ s and back in [\d.]+ s/);
    expect(await serving()).toEqual([2, 1]);
    // the version that it went to stays out, and is not taken for one that a real rollback may go to
    const again = await run({ workflow: 'drill.yml', event: 'schedule' }, { drill: 'success' });
    expect(again.said).toContain('no version to go back to');
    expect(again.outputs).not.toHaveProperty(['drill.back']);

    const drill = (version: string, end: string) =>
      run(
        { workflow: 'drill.yml', event: 'schedule', variables: { MODELGATE_DRILL_VERSION: version } },
        { drill: end },
      );
    expect((await drill('1', 'success')).summary).toContain('staging went from version 2 to 1');
    expect((await drill('9', 'failure')).said).toContain('version_unknown');
    expect(await serving()).toEqual([2, 1]);
  });

  it('[MON-1] monitor.yml: two weeks of parcels that go farther are drift, and the artifact says so', async () => {
    const wanted = { environment: 'production', expected_generation: '1' };
    await move('promote', { ...wanted, model: `${model}@2`, op_id: 'forward' }, { promote: 'success' });
    expect(await serving()).toEqual([2, 2]);
    const today = Math.floor(Date.now() / day) * day;
    const home = path.join(world.folder, 'server');
    await mkdir(home);
    await serveParcels({
      command: await installedCommand(home),
      ...{ store: world.store, environment: world.role },
      folder: await mkdtemp(path.join(home, 'work-')),
      parcels: parcels({ seed: 3, first: today - 14 * day, days: 14, farther: 150 }),
    });
    const seen = await run({ workflow: 'monitor.yml', event: 'schedule' }, { monitor: 'failure' });
    expect(seen.summary).toContain('distance');
    const outcome = await readFile(
      path.join(await world.unpack('modelgate-monitor'), 'outcome.json'),
      'utf8',
    );
    expect(Outcome.parse(JSON.parse(outcome))).toMatchObject({ verdict: 'inconclusive' });
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
    await world.unpack('modelgate-verify', world.artifactOf(1, 'modelgate-verify'));
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
});
