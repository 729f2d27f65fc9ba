import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginningOf } from '../../src/adoption/beginning.ts';
import { isThere, writeNew } from '../../src/adoption/new-files.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { RepositorySetup } from '../../src/github/repository-setup.ts';
import { check } from '../../src/stages/check.ts';
import { askFor } from '../../src/stages/commands/init-questions.ts';
import { runStage } from '../../src/stages/define.ts';
import { doctor } from '../../src/stages/doctor.ts';
import { init } from '../../src/stages/init.ts';
import { type TestContext, testContext } from '../data/context.ts';
import { guarded, setup } from './world.ts';

let world: TestContext;
let root: string;
beforeEach(async () => {
  world = await testContext();
  root = path.join(world.folder, 'repository');
  await mkdir(root);
});
afterEach(() => world.close());

const noWishes = { data: null, label: null, key: null, time: null, task: null, model: null, dry_run: false };
const run = (wishes: Partial<typeof noWishes> | Record<string, unknown> = {}) =>
  runStage(init, { ...noWishes, ...wishes, folder: root }, world.context);
const put = async (name: string, text: string | Buffer) => {
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeFile(path.join(root, name), text);
};
const text = (name: string) => readFile(path.join(root, name), 'utf8');
const everything = async () => (await readdir(root, { recursive: true })).sort();

/** 300 rows with what makes SQL, YAML and shells stumble in names and values. */
const rows = (header = 'id,"a""b; DROP TABLE x --","select",ünï,#,yes,late') =>
  [
    header,
    ...Array.from(
      { length: 300 },
      (_, i) =>
        `${i},${(i * 37) % 11},"v${i % 3}, ""x""",${i % 7},${['- a', 'b: c', "it's"][i % 3]},${i % 5},${i % 4 === 0}`,
    ),
    '',
  ].join('\n');

describe('modelgate init', () => {
  it('makes a repository that its own loader takes, of names that are made to break it', async () => {
    await put('data/x y.csv', rows());
    const { verdict, outputs, error } = await run();
    expect(error).toBeUndefined();
    expect(verdict).toBe('pass');
    expect(outputs.chosen).toMatchObject({ data: 'data/x y.csv', label: 'late', key: 'id', time: null });
    const { config } = await loadConfig(path.join(root, 'modelgate.yaml'));
    expect(config).toMatchObject({ model: 'x-y-late', evaluation: { sha256: outputs.evaluation } });
    const contract = path.join(root, 'contracts/x-y.yaml');
    const checked = await runStage(
      check,
      { file: path.join(root, 'data/x y.csv'), contract, as_of: '2026-01-01' },
      world.context,
    );
    expect(checked).toMatchObject({ verdict: 'pass', reason_code: 'checks_passed' });
    expect(outputs.files?.every(({ action }) => action === 'written')).toBe(true);
    expect(await everything()).toEqual(
      expect.arrayContaining(outputs.files!.map(({ path: name }) => path.normalize(name))),
    );
  });

  it('predicts the text that says so, whatever stands in it', async () => {
    await put(
      'x.csv',
      rows()
        .replace(/,true$/gm, ",it's late")
        .replace(/,false$/gm, ',fine'),
    );
    expect((await run()).outputs.chosen).toMatchObject({ task: 'classification', label: 'late' });
    expect(await text('features/x-late.sql')).toContain(`"late" = 'it''s late' AS "late"`);
  });

  it('writes nothing with --dry-run, and says the same files', async () => {
    await put('x.csv', rows());
    const before = await everything();
    const dry = await run({ dry_run: true });
    expect(await everything()).toEqual(before);
    const wet = await run();
    const names = ({ outputs }: typeof dry) => outputs.files?.map(({ path: name }) => name);
    expect(names(wet)?.filter((name) => !name.startsWith('evaluation/'))).toEqual(names(dry));
  });

  it('leaves every file that is there as it is, and uses what fits', async () => {
    await put('x.csv', rows());
    const theirs = {
      'gate.yaml': 'metrics: [{ metric: auc, margin: 0.03 }]\n',
      'train/train.py': 'print("mine")\n',
      'train/requirements.lock': 'numpy\n',
      'features/x-late.sql': 'SELECT 1\n',
      'contracts/x.yaml': 'not: a contract\n',
      '.github/workflows/train.yml': 'name: mine\n',
      'modelgate.sample.yaml': 'mine: true\n',
      CODEOWNERS: '* @me\n',
      '.gitignore': 'venv',
    };
    for (const [name, content] of Object.entries(theirs)) await put(name, content);
    const { verdict, outputs } = await run();
    expect(verdict).toBe('pass');
    for (const [name, content] of Object.entries(theirs)) {
      expect(await text(name)).toBe(name === '.gitignore' ? 'venv\n.modelgate/\n' : content);
    }
    const action = Object.fromEntries(outputs.files!.map((file) => [file.path, file.action]));
    expect(action).toMatchObject({
      'gate.yaml': 'left',
      '.github/workflows/train.yml': 'left',
      'modelgate.sample.yaml': 'left',
      '.gitignore': 'extended',
      'contracts/x-2.yaml': 'written',
      'features/x-late-2.sql': 'written',
    });
    const { config } = await loadConfig(path.join(root, 'modelgate.yaml'));
    expect(config.gate.metrics[0]?.margin).toBe(0.03);
    expect(path.relative(root, config.train.script)).toBe('modelgate-train-2/train.py');
    expect(outputs.found).toContainEqual({
      file: 'train/train.py',
      note: expect.stringMatching(/not through/),
    });
  });

  it('says what stands in the way of workflows that call one that was there', async () => {
    await put('x.csv', rows());
    await put('.github/workflows/candidate.yml', 'name: Candidates for a job\non: push\njobs: {}\n');
    const told =
      /^candidate\.yml, which release\.yml, sweep\.yml and train\.yml call, cannot be called: .* another name/;
    const steps = async (wishes = {}) => (await run(wishes)).outputs.next?.filter((one) => told.test(one));
    expect(await steps({ dry_run: true })).toHaveLength(1);
    expect(await steps()).toHaveLength(1);
    // beside a configuration as well
    expect(await steps()).toHaveLength(1);
    await rm(path.join(root, '.github/workflows/candidate.yml'));
    expect(await steps()).toHaveLength(0);
  });

  it('changes nothing at the second call', async () => {
    await put('x.csv', rows());
    await run();
    const config = await text('modelgate.yaml');
    const again = await run();
    expect(again).toMatchObject({ verdict: 'pass', reason_code: 'nothing_to_do', outputs: { chosen: null } });
    expect(await text('modelgate.yaml')).toBe(config);
  });

  it('takes a training script that uses the module modelgate, with the parameters of params.yaml', async () => {
    await put('x.csv', rows());
    await put('src/fit.py', 'import modelgate as mg\nmg.save(None, None, {})\n');
    await put('params.yaml', 'train: { depth: 3, fast: true }\n');
    await put('dvc.yaml', 'stages: {}\n');
    await put('uv.lock', '');
    const { outputs } = await run();
    const { config } = await loadConfig(path.join(root, 'modelgate.yaml'));
    expect(path.relative(root, config.train.script)).toBe('src/fit.py');
    expect(config.train.params).toEqual({ depth: 3, fast: true });
    expect(outputs.found?.map(({ file }) => file)).toEqual([
      'src/fit.py',
      'dvc.yaml',
      'params.yaml',
      'uv.lock',
    ]);
  });

  it('follows no link, opens no pipe, and takes no name that is a pattern', async () => {
    await put('sub/[a]*.csv', rows());
    await put('sub/a\nb.csv', rows());
    await symlink('/etc/passwd', path.join(root, 'passwd.csv'));
    execFileSync('mkfifo', [
      path.join(root, 'pipe.csv'),
      path.join(root, 'requirements.txt'),
      path.join(root, 'x.py'),
    ]);
    const { verdict, error } = await run();
    expect({ verdict, code: error?.code }).toEqual({ verdict: 'error', code: 'data_unavailable' });
    expect(error?.message).toMatch(/Not taken for its name: sub\/\[a\]\*\.csv, sub\/a\\nb\.csv/);
    expect(await everything()).not.toContain('modelgate.yaml');
  });

  it('writes through no link of a folder, and leaves nothing where it cannot write', async () => {
    await put('x.csv', rows());
    await mkdir(path.join(world.folder, 'outside'));
    await symlink(path.join(world.folder, 'outside'), path.join(root, 'contracts'));
    const before = await everything();
    expect(await run()).toMatchObject({ verdict: 'error', error: { code: 'usage' } });
    expect(await everything()).toEqual(before);
    expect(await readdir(path.join(world.folder, 'outside'))).toEqual([]);
  });

  it.each([
    ['no data', {}, 'data_unavailable'],
    ['an empty file', { 'x.csv': '' }, 'data_unavailable'],
    ['few rows', { 'x.csv': 'a,late\n1,true\n2,false\n' }, 'data_empty'],
    ['semicolons', { 'x.csv': rows().replaceAll(',', ';') }, 'data_unreadable'],
    ['no CSV at all', { 'x.csv': Buffer.from([0, 1, 2, 255, 254, 0, 10]) }, 'data_unreadable'],
    ['no Parquet at all', { 'x.parquet': 'PAR1' }, 'data_unreadable'],
    [
      'nothing to predict',
      { 'x.csv': `a,b\n${Array.from({ length: 200 }, (_, i) => `t${i},u${i}`).join('\n')}\n` },
      'usage',
    ],
  ])('refuses %s and writes nothing', async (_, files: Record<string, string | Buffer>, code) => {
    for (const [name, content] of Object.entries(files)) await put(name, content);
    const before = await everything();
    const { verdict, error } = await run();
    expect({ verdict, code: error?.code }).toEqual({ verdict: 'error', code });
    expect(await everything()).toEqual(before);
  });

  it('takes the default branch of git for the workflows, and writes none deeper in a repository', async () => {
    execFileSync('git', ['init', '--quiet', '--initial-branch', 'trunk', root]);
    await put('x.csv', rows());
    await run();
    expect(await text('.github/workflows/release.yml')).toContain('branches: ["trunk"]');
    // what publishes is copied by a person
    expect(await isThere(path.join(root, '.github/workflows/status-page.yml'))).toBe(false);
    root = path.join(root, 'inside');
    await put('x.csv', rows());
    const { outputs } = await run();
    expect(outputs.files?.some(({ path: name }) => name.startsWith('.github'))).toBe(false);
  });

  it('asks for data, label and time, and takes an empty line for its guess', async () => {
    await put('x.csv', rows());
    await put(
      'bigger.csv',
      rows('key,a,b,c,d,e,flag')
        .replace(/^/gm, ' ')
        .replace(/^ (?=\d|k)/gm, ''),
    );
    const input = new PassThrough();
    const output = new PassThrough();
    let asked = '';
    output.setEncoding('utf8').on('data', (chunk: string) => {
      asked += chunk;
      if (/\] $/.test(chunk)) input.write(chunk.includes('has the rows') ? 'x.csv\n' : '\n');
    });
    const given = { ...noWishes, folder: root };
    expect(await askFor(given, world.context, { input, output })).toMatchObject({
      ...{ data: 'x.csv', label: 'late', time: 'none', dry_run: false },
    });
    expect(asked).toMatch(/Which one has the rows[\s\S]*to be predicted\? \[late\][\s\S]*\[none\]/);
    asked = '';
    await askFor({ ...given, data: 'x.csv', label: 'yes', time: 'none' }, world.context, { input, output });
    expect(asked).not.toContain('?');
  });

  it('is found well by the doctor, as far as files go', async () => {
    await put('x.csv', rows());
    await run();
    const file = path.join(root, 'modelgate.yaml');
    const examine = async (github: RepositorySetup | null = null) => {
      const { verdict, outputs } = await runStage(
        doctor({ setup: github, config: () => loadConfig(file) }),
        { folder: root },
        world.context,
      );
      return {
        verdict,
        ...outputs,
        of: Object.fromEntries(outputs.checks!.map((one) => [one.check, one.verdict])),
      };
    };
    const first = await examine();
    expect(first).toMatchObject({ verdict: 'pass', level: 0 });
    expect(first.of).toMatchObject({
      ...{
        config: 'ok',
        data: 'ok',
        contract: 'ok',
        evaluation_set: 'ok',
        requirements: 'ok',
        store: 'ok',
        gate: 'ok',
      },
      ...{ workflows_pipeline: 'ok', workflows_delivery: 'ok', version: 'missing', rollback: 'missing' },
      ...{ drill: 'missing', owners: 'warn', monitoring: 'missing' },
    });

    // what the workflows enter, and what fits a model that the app judges
    expect((await examine(setup())).of).toMatchObject({ environments: 'missing', required_check: 'warn' });
    const environments = ['candidates', 'chatops', 'staging', 'production', 'monitor'].map(guarded);
    const required = [{ name: 'modelgate/gate (x-late)', app: 7 }];
    const github = { environments: async () => environments, requiredChecks: async () => required };
    expect((await examine(setup(github))).of).toMatchObject({ environments: 'ok', required_check: 'ok' });

    // a workflow that was there under a name that others call
    const candidate = await text('.github/workflows/candidate.yml');
    await put('.github/workflows/candidate.yml', 'on: push\njobs: {}\n');
    expect(await examine()).toMatchObject({ verdict: 'fail', of: { workflows_pipeline: 'missing' } });
    await put('.github/workflows/candidate.yml', candidate);

    // what production needs
    await writeFile(path.join(root, 'evaluation/x-late-1.parquet'), 'other');
    await writeFile(path.join(root, '.github/workflows/train.yml'), 'name: mine\n');
    await writeFile(path.join(root, 'x.csv'), 'version https://git-lfs.github.com/spec/v1\n');
    const broken = await examine();
    expect(broken).toMatchObject({
      verdict: 'fail',
      of: { data: 'missing', evaluation_set: 'missing', workflows_pipeline: 'warn' },
    });
    await writeFile(file, 'schema: modelgate/1\nmodl: x\n');
    expect(await examine()).toMatchObject({
      verdict: 'fail',
      level: 0,
      of: { config: 'missing', store: 'ok' },
    });
  });
});

it('the doctor asks for the check that fits as many models as git tracks', async () => {
  await put('x.csv', rows());
  await run();
  const required = async (...names: string[]) => {
    const github = setup({ requiredChecks: async () => names.map((name) => ({ name, app: null })) });
    const file = path.join(root, 'modelgate.yaml');
    const patient = doctor({ setup: github, config: () => loadConfig(file) });
    const { outputs } = await runStage(patient, { folder: root }, world.context);
    return outputs.checks?.find(({ check: name }) => name === 'required_check')?.verdict;
  };
  execFileSync('git', ['init', '--quiet', root]);
  expect([await required('modelgate/gate (x-late)'), await required('sample run')]).toEqual(['warn', 'warn']);
  await put('models/other/modelgate.yaml', 'extends: ../../modelgate.yaml\nmodel: other\n');
  execFileSync('git', ['-C', root, 'add', '--all']);
  expect([await required('sample run'), await required()]).toEqual(['ok', 'missing']);
});

describe('the beginning of a large file', () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `${i},"two\nlines, ""${i}"""\n`).join('');

  it.each(['x.csv', 'x.csv.gz'])('is whole records of %s', async (name) => {
    const body = `id,text\n${lines}`;
    await put(name, name.endsWith('.gz') ? gzipSync(body) : body);
    const looked = await beginningOf(path.join(root, name), { folder: root, limit: 100, take: 5000 });
    expect(looked.sampled).toBe(true);
    const taken = await readFile(looked.file, 'utf8');
    expect(body.startsWith(taken)).toBe(true);
    expect(taken.length).toBeGreaterThan(4900);
    expect(taken).toMatch(/"\n$/);
  });

  it('is the file itself where it is small', async () => {
    await put('x.csv', lines);
    const file = path.join(root, 'x.csv');
    expect(await beginningOf(file, { folder: root })).toEqual({ file, sampled: false });
  });
});

describe('writing new files', () => {
  it('takes back what it had written when a later one fails', async () => {
    const files = ['a/b/one.txt', 'two.txt', 'taken/three.txt'].map((name) => ({
      path: name,
      what: '',
      content: { text: name },
    }));
    await put('taken', 'a file');
    await expect(writeNew(root, { files, lines: [], dryRun: false })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(await everything()).toEqual(['taken']);
  });

  it('takes a link that leads nowhere for a file', async () => {
    await symlink('nowhere', path.join(root, 'one.txt'));
    const files = [{ path: 'one.txt', what: '', content: { text: 'x' } }];
    expect(await writeNew(root, { files, lines: [], dryRun: false })).toMatchObject([{ action: 'left' }]);
    expect((await lstat(path.join(root, 'one.txt'))).isSymbolicLink()).toBe(true);
  });

  it('keeps lines in order and line ends', async () => {
    await put('.gitignore', 'a\r\nb');
    await chmod(path.join(root, '.gitignore'), 0o644);
    const lines = [{ path: '.gitignore', what: '', lines: ['a', 'c'] }];
    await writeNew(root, { files: [], lines, dryRun: false });
    expect(await text('.gitignore')).toBe('a\r\nb\nc\n');
    expect(await writeNew(root, { files: [], lines, dryRun: false })).toMatchObject([{ action: 'left' }]);
  });
});
