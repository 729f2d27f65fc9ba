import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { runStage, type StageContext } from '../../src/stages/define.ts';
import { models } from '../../src/stages/models.ts';
import { base, configOf, manyModels, nameOf, openRepository } from './world.ts';

const count = 200;
/** The stage reads git and files, and nothing of a store. */
const context = { logger: silentLogger, signal: new AbortController().signal } as StageContext;

type Repository = Awaited<ReturnType<typeof openRepository>>;
interface Options {
  changed_since?: string;
  config_files?: string[];
  model?: string;
  batch?: { number: number; of: number };
}

function run({ folder }: Pick<Repository, 'folder'>, options: Options = {}) {
  const given = { changed_since: null, config_files: ['**/modelgate.yaml'], model: null, ...options };
  return runStage(models, { folder, batch: { number: 1, of: 1 }, ...given }, context);
}

describe('a repository of 200 models', { timeout: 60_000 }, () => {
  let repository: Repository;
  let main: string;
  beforeAll(async () => {
    repository = await openRepository();
    main = await repository.commit(manyModels(count));
  });
  afterAll(() => repository?.[Symbol.asyncDispose]());

  /** The models that a change on a branch of its own touches. */
  async function touchedBy(files: Readonly<Record<string, string | null>>): Promise<string[] | undefined> {
    repository.git('checkout', '--quiet', '--detach', main);
    await repository.commit(files);
    const { verdict, outputs, summary } = await run(repository, { changed_since: main });
    expect(verdict, summary).toBe('pass');
    return outputs.matrix?.include.map(({ model }) => model);
  }

  it('lists them with what they depend on, ready for a matrix', async () => {
    const { verdict, summary, outputs } = await run(repository);
    expect({ verdict, count: outputs.count, total: outputs.total }).toEqual({
      verdict: 'pass',
      count,
      total: count,
    });
    expect(summary).toContain('200 models: model-000, ');
    expect(outputs.matrix?.include[7]).toEqual({
      ...{ model: nameOf(7), config: configOf(7), sample: 'models/model-007/modelgate.sample.yaml' },
      suffix: '-model-007',
    });
    expect(outputs.models?.[150]?.depends).toEqual([
      ...['base-b.yaml', 'base.yaml', 'contract.yaml', 'evaluation.parquet', 'gate.yaml'],
      ...['models/model-150/*.py', configOf(150), 'models/model-150/train.py', 'rows.csv'],
      ...['shared/features.sql', 'shared/geo/**', 'shared/requirements.lock'],
    ]);
  });

  it('[TRN-11] a pull request that touches the script of one trains one', async () => {
    expect(await touchedBy({ 'models/model-042/train.py': 'seed = 1\n' })).toEqual(['model-042']);
    expect(await touchedBy({ 'models/model-042/new/helper.py': '' })).toEqual(['model-042']);
    expect(
      await touchedBy({ 'models/model-042/modelgate.sample.yaml': 'extends: ./modelgate.yaml\n' }),
    ).toEqual(['model-042']);
  });

  it('nothing is touched by what no model names', async () => {
    expect(await touchedBy({ 'README.md': '# Models\n', 'shared/unused.py': '' })).toEqual([]);
  });

  it('shared code touches those that name it', async () => {
    const expected = Array.from({ length: count / 10 }, (_, n) => nameOf(10 * n));
    expect(await touchedBy({ 'shared/geo/distance.py': 'earth = 6371\n' })).toEqual(expected);
  });

  it('a base touches all that extend it, the gate policy and shared SQL all that name them', async () => {
    const half = Array.from({ length: count / 2 }, (_, n) => nameOf(count / 2 + n));
    expect(await touchedBy({ 'base-b.yaml': 'extends: base.yaml\nstore: s3://b/p\n' })).toEqual(half);
    expect(await touchedBy({ 'base.yaml': `${base}store: s3://b/p\n` })).toHaveLength(count);
    expect(await touchedBy({ 'shared/features.sql': 'SELECT 1\n' })).toHaveLength(count);
  });

  it('a rename counts on both sides, and a removal counts', async () => {
    repository.git('checkout', '--quiet', '--detach', main);
    await repository.move('models/model-003/train.py', 'models/model-005/extra.py');
    await repository.commit({});
    const { outputs } = await run(repository, { changed_since: main });
    expect(outputs.models?.map(({ model }) => model)).toEqual(['model-003', 'model-005']);
    expect(await touchedBy({ 'models/model-009/train.py': null })).toEqual(['model-009']);
  });

  it('file names that try to break out are only names', async () => {
    const hostile = [
      'models/model-001/a\n::set-output name=matrix::{}\n.py',
      'models/model-002/$(touch x)`id`"\'.py',
      'models/model-004/ -rf --\t\u202e.py',
    ];
    const touched = await touchedBy(Object.fromEntries(hostile.map((name) => [name, ''])));
    expect(touched).toEqual(['model-001', 'model-002', 'model-004']);
  });

  it('goes by the last common commit: what the default branch gained meanwhile is not touched', async () => {
    repository.git('checkout', '--quiet', '--detach', main);
    await repository.commit({ 'models/model-020/train.py': 'seed = 2\n' });
    repository.git('branch', '--force', 'newer');
    repository.git('checkout', '--quiet', '--detach', main);
    await repository.commit({ 'models/model-021/train.py': 'seed = 2\n' });
    const { outputs } = await run(repository, { changed_since: 'newer' });
    expect(outputs.models?.map(({ model }) => model)).toEqual(['model-021']);
  });

  it('says no to a commit that is not there, and to a reference that is an option', async () => {
    for (const ref of ['0123456789012345678901234567890123456789', '--output=x', 'HEAD^^^^^^^^']) {
      const { verdict, error } = await run(repository, { changed_since: ref });
      expect([ref, verdict, error?.code]).toEqual([ref, 'error', 'usage']);
      expect(error?.fix).toContain('fetch-depth');
    }
  });

  it('parts hold every model once', async () => {
    const parts = await Promise.all([1, 2, 3].map((number) => run(repository, { batch: { number, of: 3 } })));
    expect(parts.map(({ outputs }) => outputs.count)).toEqual([67, 66, 67]);
    const names = parts.flatMap(({ outputs }) => outputs.models?.map(({ model }) => model));
    expect(new Set(names).size).toBe(count);
  });

  it('one model is chosen by its name; a mistyped one is told', async () => {
    const { outputs } = await run(repository, { model: 'model-100' });
    expect(outputs.matrix?.include.map(({ config }) => config)).toEqual([configOf(100)]);
    expect((await run(repository, { model: 'model-1oo' })).error?.fix).toContain('Did you mean model-1');
  });

  it('one that cannot be read stops no other, and is never green', async () => {
    repository.git('checkout', '--quiet', '--detach', main);
    await repository.commit({ [configOf(13)]: 'extends: ../../base.yaml\nmodel: 13 13\n' });
    const outcome = await run(repository, { changed_since: main });
    expect(outcome).toMatchObject({ verdict: 'fail', reason_code: 'config_invalid' });
    expect(outcome.summary).toContain(configOf(13));
    expect(outcome.outputs).toMatchObject({ total: count - 1, matrix: { include: [] } });
    expect(outcome.outputs.broken).toMatchObject([{ config: configOf(13), code: 'config_invalid' }]);
  });

  it('two that claim one model are an error that names both', async () => {
    repository.git('checkout', '--quiet', '--detach', main);
    await repository.commit({ 'copies/x/modelgate.yaml': `extends: ../../base.yaml\nmodel: ${nameOf(7)}\n` });
    const { verdict, error } = await run(repository);
    expect(verdict).toBe('error');
    expect(error?.message).toContain(`model-007: copies/x/modelgate.yaml and ${configOf(7)}`);
  });
});

describe('other repositories', () => {
  it('one model at the root is touched by any change; its sample is no model', async () => {
    await using repository = await openRepository();
    const first = await repository.commit({
      'modelgate.yaml': `${base}model: prices\n`,
      'gate.yaml': 'metrics: [{ metric: rmse, margin: 1% }]\n',
      'modelgate.sample.yaml': 'extends: modelgate.yaml\n',
    });
    await repository.commit({ 'README.md': 'prices\n' });
    const { outputs } = await run(repository, { changed_since: first });
    expect(outputs.matrix).toEqual({
      include: [{ model: 'prices', config: 'modelgate.yaml', sample: 'modelgate.sample.yaml', suffix: '' }],
    });
  });

  it('a change reaches a model over links, a submodule, and what its sample names', async () => {
    await using repository = await openRepository();
    const files = manyModels(5);
    files[`models/${nameOf(3)}/modelgate.sample.yaml`] =
      'extends: modelgate.yaml\ndata: { sources: { rows: { file: ../../samples/rows.csv } } }\n';
    files[configOf(4)] += "paths: ['../../vendor/lib/geo.py']\n";
    const set = async (commit: string, extra: Record<string, string | null> = {}) => {
      await repository.commit(extra);
      repository.git('update-index', '--add', '--cacheinfo', `160000,${commit.repeat(40)},vendor/lib`);
      repository.git('commit', '--quiet', '--allow-empty', '--message', 'Submodule');
      return repository.git('rev-parse', 'HEAD');
    };
    await repository.commit({ ...files, 'shared/common.py': '', 'samples/rows.csv': 'a\n' });
    await symlink('../../shared/common.py', path.join(repository.folder, `models/${nameOf(1)}/common.py`));
    await symlink('../../shared', path.join(repository.folder, `models/${nameOf(2)}/shared`));
    const gitmodules = '[submodule "vendor/lib"]\n\tpath = vendor/lib\n\turl = ../lib\n\tignore = all\n';
    const touched = async (since: string) =>
      (await run(repository, { changed_since: since })).outputs.models?.map(({ model }) => model);
    const first = await set('1', { '.gitmodules': gitmodules });
    const second = await set('1', { 'shared/common.py': 'earth = 6371\n' });
    expect(await touched(first)).toEqual([nameOf(1), nameOf(2)]);
    const third = await set('1', { 'samples/rows.csv': 'a\n1\n' });
    expect(await touched(second)).toEqual([nameOf(3)]);
    await set('2');
    expect(await touched(third)).toEqual([nameOf(4)]);
  });

  it('teams that name their files otherwise list them', async () => {
    await using repository = await openRepository();
    const one = (model: string) =>
      `${base.replace('gate: gate.yaml', 'gate: { metrics: [{ metric: rmse, margin: 1% }] }')}model: ${model}\n`;
    await repository.commit({
      'conf/a.yaml': one('a'),
      'conf/a.sample.yaml': 'extends: a.yaml\n',
      'legacy/b.yaml': one('b'),
      'legacy/notes.yaml': 'x: 1\n',
    });
    const { outputs } = await run(repository, { config_files: ['conf/*.yaml', 'legacy/b.yaml'] });
    expect(outputs.models?.map(({ model }) => model)).toEqual(['a', 'b']);
    expect((await run(repository)).error?.code).toBe('config_missing');
  });

  it('a link and a name that workflows cannot take are refused, and hide no other model', async () => {
    await using repository = await openRepository();
    await symlink('/etc/hostname', path.join(repository.folder, 'modelgate.yaml'));
    await repository.commit({
      ...manyModels(2),
      '$(id)/modelgate.yaml': '',
      'a\n::error::b/modelgate.yaml': '',
    });
    const { verdict, outputs } = await run(repository);
    expect(verdict).toBe('fail');
    expect(outputs.count).toBe(2);
    expect(outputs.broken?.map(({ message }) => message.slice(0, 40))).toEqual([
      ...Array(2).fill('The path of the configuration is too lon'),
      'The configuration is a symbolic link.',
    ]);
  });

  it('more than GitHub takes in one matrix are never cut silently', async () => {
    await using repository = await openRepository();
    await repository.commit(manyModels(260));
    const whole = await run(repository);
    expect(whole).toMatchObject({
      verdict: 'fail',
      reason_code: 'too_many_models',
      outputs: { matrix: null, count: 260 },
    });
    expect(whole.summary).toContain('--batch 1/2 to --batch 2/2');
    const half = await run(repository, { batch: { number: 2, of: 2 } });
    expect(half).toMatchObject({ verdict: 'pass', outputs: { count: 130, total: 260 } });
  });
});
