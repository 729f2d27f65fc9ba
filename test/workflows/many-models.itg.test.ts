import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { Outcome } from '../../src/outcome.ts';
import { Registry } from '../../src/registry/registry.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { openStorage } from '../../src/store/open.ts';
import { Store } from '../../src/store/store.ts';
import { root } from '../actions/job.ts';
import { betterFeatures, modelFiles } from '../bot/story/model-repository.ts';
import { openRepository } from '../repository/world.ts';
import { ActRunner } from './act/runner.ts';
import { putScanner } from './act/scanner.ts';
import { localRepositories } from './act/stand-ins.ts';
import { workflows } from './templates.ts';
import { missing } from './tools.ts';

const skipped = missing('act');
const names = ['late-north', 'late-south', 'late-west'] as const;

/** Three models that extend one base; each has feature SQL and a sample of its own. */
async function threeModels(): Promise<Record<string, string | Buffer>> {
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
  const templates = ['pull-request.yml', 'release.yml'].map((file) => [
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
      main = await repository.commit(await threeModels());
      const home = await mkdtemp(path.join(os.tmpdir(), 'act-'));
      resources.defer(() => rm(home, { recursive: true, force: true, maxRetries: 3 }));
      store = path.join(home, 'store');
      const programs = path.join(home, 'programs');
      await mkdir(store);
      await putScanner(programs);
      runner = resources.use(
        await ActRunner.open({
          ...{ home: path.join(home, 'act'), repository: repository.folder },
          programs,
          localRepositories: await localRepositories(
            path.join(home, 'actions'),
            ['pull-request.yml', 'release.yml'].map(
              (file) => workflows.find((one) => one.file === file)!.text,
            ),
          ),
          variables: {
            ...{ MODELGATE_STORE: store, MODELGATE_REGION: 'us-east-1', MODELGATE_ROLE: 'a role' },
          },
          environment: { ACT_ORIGIN: repository.folder, MODELGATE_NATIVE: root },
        }),
      );
    });
    afterAll(() => resources.disposeAsync());

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
      expect(ran.outputs['models.models']).toMatchObject({ count: '1', total: '3', changed: '1' });
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

    it('a broken configuration is red, though nothing else is touched', async () => {
      const ran = await pullRequest(3, { [`models/${names[0]}/modelgate.yaml`]: 'model: [\n' });
      expect(ran.jobs, ran.said).toEqual({ models: 'failure', result: 'failure' });
      expect(ran.exitCode).toBe(1);
      expect(ran.said).toContain(`models/${names[0]}/modelgate.yaml cannot be read`);
    });

    it('[TRG-1] release.yml trains what a push touches, and one that fails or cannot be read stops no other', async () => {
      repository.git('checkout', '--quiet', '-B', 'main', main);
      await repository.commit({
        [`models/${names[0]}/features.sql`]: betterFeatures,
        [`models/${names[1]}/features.sql`]: 'SELECT nothing FROM parcels\n',
        [`models/${names[2]}/modelgate.yaml`]: 'model: [\n',
      });
      const ran = await runner.run({ workflow: 'release.yml', event: 'push', payload: { before: main } });
      expect(ran.outputs['models.models'], ran.said).toMatchObject({ count: '2' });
      expect(ran.jobs, ran.said).toEqual({
        ...{ models: 'failure', train: 'failure', scan: 'failure', staging: 'failure' },
      });
      const registry = new Registry({
        store: new Store(await openStorage(store)),
        now: () => new Date(),
        logger: silentLogger,
      });
      expect(await registry.models()).toEqual([names[0]]);
      expect(environmentOf(await registry.state(names[0]), 'staging').version, ran.said).toBe(1);
    });
  },
);
