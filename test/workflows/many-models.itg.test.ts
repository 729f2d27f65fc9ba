import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { Outcome } from '../../src/outcome.ts';
import { lastDrill } from '../../src/registry/drills.ts';
import { Registry } from '../../src/registry/registry.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { promote } from '../../src/rollout/move.ts';
import { openStorage } from '../../src/store/open.ts';
import { Store } from '../../src/store/store.ts';
import { root } from '../actions/job.ts';
import { betterFeatures, modelFiles } from '../bot/story/model-repository.ts';
import { openRepository } from '../repository/world.ts';
import { ActRunner } from './act/runner.ts';
import { putScanner } from './act/scanner.ts';
import { localRepositories } from './act/stand-ins.ts';
import { putPrograms } from './act/world.ts';
import { workflows } from './templates.ts';
import { missing } from './tools.ts';

const skipped = missing('act');
/** In the order of the tests. */
const used = ['pull-request.yml', 'release.yml', 'sweep.yml', 'candidate.yml', 'drill.yml', 'monitor.yml'];
const names = ['late-north', 'late-south', 'late-west', 'late-east'] as const;

/** Models that extend one base; each has feature SQL and a sample of its own. */
async function severalModels(): Promise<Record<string, string | Buffer>> {
  const {
    'modelgate.yaml': base,
    'modelgate.sample.yaml': sample,
    'features.sql': features,
    ...files
  } = await modelFiles();
  const own = names.flatMap((name) => [
    [
      `models/${name}/modelgate.yaml`,
      `extends: ../../base.yaml\nmodel: ${name}\nfeatures: { sql: features.sql }\n`,
    ],
    [`models/${name}/modelgate.sample.yaml`, sample!],
    [`models/${name}/features.sql`, features!],
  ]);
  const templates = used.map((file) => [
    `.github/workflows/${file}`,
    workflows.find((one) => one.file === file)!.text,
  ]);
  return { ...files, ...Object.fromEntries([...own, ...templates]), 'base.yaml': base! };
}

const title = 'a repository of several models under act';
describe.skipIf(skipped !== null)(
  skipped === null ? title : `${title} (${skipped})`,
  { timeout: 300_000 },
  () => {
    const resources = new AsyncDisposableStack();
    let repository: Awaited<ReturnType<typeof openRepository>>;
    let runner: ActRunner;
    let store: string;
    let main: string;
    beforeAll(async () => {
      repository = resources.use(await openRepository());
      main = await repository.commit(await severalModels());
      const home = await mkdtemp(path.join(os.tmpdir(), 'act-'));
      resources.defer(() => rm(home, { recursive: true, force: true, maxRetries: 3 }));
      store = path.join(home, 'store');
      const programs = path.join(home, 'programs');
      await mkdir(store);
      await putPrograms(programs);
      const scanner = await putScanner(programs);
      runner = resources.use(
        await ActRunner.open({
          ...{ home: path.join(home, 'act'), repository: repository.folder },
          programs,
          localRepositories: await localRepositories(
            path.join(home, 'actions'),
            used.map((file) => workflows.find((one) => one.file === file)!.text),
          ),
          variables: {
            ...{ MODELGATE_STORE: store, MODELGATE_REGION: 'us-east-1', MODELGATE_ROLE: 'a role' },
          },
          environment: { ACT_ORIGIN: repository.folder, MODELGATE_NATIVE: root, ...scanner },
        }),
      );
    });
    afterAll(() => resources.disposeAsync());

    const openRegistry = async () =>
      new Registry({
        store: new Store(await openStorage(store)),
        now: () => new Date(),
        logger: silentLogger,
      });

    /** The run of a pull request that changes these files of main. */
    async function pullRequest(number: number, files: Readonly<Record<string, string>>) {
      repository.git('checkout', '--quiet', '-B', `pull-${number}`, main);
      await repository.commit(files);
      const wanted = { workflow: 'pull-request.yml', event: 'pull_request', payload: { number } };
      const result = await runner.run(wanted);
      return { ...result, uploaded: runner.artifacts.artifacts.filter(({ run }) => run === String(number)) };
    }

    it('[TRN-11] a pull request that touches one model runs that one', async () => {
      const ran = await pullRequest(1, { [`models/${names[1]}/features.sql`]: betterFeatures });
      expect(ran.jobs, ran.said).toEqual({ models: 'success', sample: 'success', result: 'success' });
      expect(ran.outputs['models.models']).toMatchObject({ count: '1', total: '4', changed: '1' });
      expect(ran.uploaded.map(({ name }) => name)).toEqual([`modelgate-result-${names[1]}`]);
      const folder = await runner.unpack(`modelgate-result-${names[1]}`);
      const outcome = Outcome.parse(JSON.parse(await readFile(path.join(folder, 'outcome.json'), 'utf8')));
      expect(outcome.summary).not.toBe('');
    });

    it('one that touches none is settled, and runs none', async () => {
      const ran = await pullRequest(2, { 'README.md': 'parcels\n' });
      expect(ran.jobs, ran.said).toEqual({ models: 'success', result: 'success' });
      expect(ran.exitCode, ran.said).toBe(0);
      expect(ran.uploaded).toEqual([]);
    });

    it('a merge queue runs what its commits touch together', async () => {
      repository.git('checkout', '--quiet', '-B', 'gh-readonly-queue/main/pr-4', main);
      await repository.commit({ [`models/${names[1]}/features.sql`]: betterFeatures });
      await repository.commit({ 'README.md': 'parcels\n' });
      const ran = await runner.run({
        ...{ workflow: 'pull-request.yml', event: 'merge_group' },
        payload: { merge_group: { base_sha: main, head_sha: repository.git('rev-parse', 'HEAD') } },
      });
      expect(ran.jobs, ran.said).toEqual({ models: 'success', sample: 'success', result: 'success' });
      expect(ran.outputs['models.models']).toMatchObject({ count: '1', changed: '2' }); // files
    });

    it('a broken configuration is red, though nothing else is touched', async () => {
      const ran = await pullRequest(3, { [`models/${names[0]}/modelgate.yaml`]: 'model: [\n' });
      expect(ran.jobs, ran.said).toEqual({ models: 'failure', result: 'failure' });
      expect(ran.exitCode).toBe(1);
      expect(ran.said).toContain(`models/${names[0]}/modelgate.yaml cannot be read`);
    });

    it('[TRG-1] release.yml trains what a push touches, each for itself: one that fails or cannot be read stops no other', async () => {
      repository.git('checkout', '--quiet', '-B', 'main', main);
      await repository.commit({
        [`models/${names[0]}/features.sql`]: betterFeatures,
        [`models/${names[3]}/features.sql`]: betterFeatures,
        [`models/${names[1]}/features.sql`]: 'SELECT nothing FROM parcels\n',
        [`models/${names[2]}/modelgate.yaml`]: 'model: [\n',
      });
      const ran = await runner.run({ workflow: 'release.yml', event: 'push', payload: { before: main } });
      expect(ran.outputs['models.models'], ran.said).toMatchObject({ count: '3' });
      expect(ran.jobs, ran.said).toEqual({
        ...{ models: 'failure', train: 'failure', scan: 'failure', gate: 'success' },
      });
      const registry = await openRegistry();
      expect((await registry.models()).sort(), ran.said).toEqual([names[3], names[0]]);
      for (const name of [names[0], names[3]])
        expect(environmentOf(await registry.state(name), 'staging').version, ran.said).toBe(1);
    });

    it('[TRN-6] sweep.yml searches for each model that has settings, and one search that fails stops no other', async () => {
      repository.git('checkout', '--quiet', '-B', 'main', main);
      const setting = (params: string) => `extends: ../modelgate.yaml\ntrain: { params: ${params} }\n`;
      await repository.commit({
        [`models/${names[0]}/sweep/blind.yaml`]: setting('{ steps: 0 }'),
        [`models/${names[0]}/sweep/stiff.yaml`]: setting('{ ridge: 30 }'),
        [`models/${names[1]}/sweep/broken.yaml`]: setting('{ steps: many }'),
      });
      const inputs = { metric: 'auc', best: 'highest' };
      const ran = await runner.run({ workflow: 'sweep.yml', event: 'workflow_dispatch', inputs });
      expect(ran.jobs, ran.said).toEqual({
        ...{ plan: 'success', train: 'failure', choose: 'failure', scan: 'failure', gate: 'success' },
      });
      expect(ran.summary).toMatch(new RegExp(`### ${names[0]}[^#]+\\| stiff \\| 0\\.[6-9]`));
      const registry = await openRegistry();
      expect((await registry.models()).sort()).toEqual([names[3], names[0]]);
      const { versions } = await registry.state(names[0]);
      expect(versions, ran.said).toHaveLength(2);
      const { facts } = await registry.store.readManifest(versions[1]!.manifest, 'model');
      expect(facts.params).toMatchObject({ ridge: 30 });
    });

    it('monitor.yml warns of models that nothing serves, and is not red each night for them', async () => {
      const ran = await runner.run({ workflow: 'monitor.yml', event: 'schedule' });
      expect(ran.jobs, ran.said).toEqual({ models: 'success', monitor: 'success' });
      // two have nothing there, and two are not registered yet
      expect(ran.said.match(/warning: No version of it is in production yet/g)).toHaveLength(4);
    });

    it('[DEP-5] drill.yml drills every model, and warns of those that have nothing to go back to', async () => {
      const registry = await openRegistry();
      const { verdict } = (await registry.state(names[0])).versions[1]!;
      expect(verdict).toBe('pass');
      await promote(registry, {
        ...{ model: names[0], version: 2, environment: 'staging', environments: ['staging', 'production'] },
        ...{ actor: { name: 'olga', via: 'cli' }, op_id: null, reason: null, dry_run: false, override: null },
        expected_generation: null,
      });
      const ran = await runner.run({ workflow: 'drill.yml', event: 'schedule' });
      expect(ran.jobs, ran.said).toEqual({ models: 'success', drill: 'success' });
      expect(ran.summary).toContain(`Rollback drill of ${names[0]}: staging went from version 2 to 1`);
      expect(lastDrill(await registry.state(names[0]))).toMatchObject({ from: 2, to: 1 });
      expect(environmentOf(await registry.state(names[0]), 'staging').version).toBe(2);
      expect(ran.said.match(/warning: Staging has no version to go back to/g)).toHaveLength(3);
      const one = await runner.run({
        ...{ workflow: 'drill.yml', event: 'workflow_dispatch', inputs: { model: names[1] } },
      });
      expect(one.outputs['models.models'], one.said).toMatchObject({ count: '1' });
      expect(one.jobs).toEqual({ models: 'success', drill: 'success' });
    });
  },
);
