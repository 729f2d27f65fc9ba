import { glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../scripts/config-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';
import { parseYaml } from '../../src/yaml.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'config-'));
  for (const file of ['rows.csv', 'features.sql', 'train.py', 'requirements.lock', 'evaluation.parquet']) {
    await writeFile(path.join(folder, file), '');
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const valid = `schema: modelgate/1
model: prices
data:
  sources:
    rows: { file: rows.csv }
features: { sql: features.sql, key: id, label: price }
split: { by: hash }
train: { script: train.py, requirements: requirements.lock, task: regression }
evaluation: { id: first, file: evaluation.parquet, sha256: "${'0'.repeat(64)}" }
gate:
  metrics:
    - { metric: rmse, margin: 1% }
`;

async function load(text: string, name = 'modelgate.yaml') {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
  await writeFile(path.join(folder, name), text);
  return loadConfig(path.join(folder, name));
}

async function refusal(text: string): Promise<UserError> {
  const error = await load(text).then(
    () => new Error('was accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw error;
  return error;
}

describe('loadConfig', () => {
  it('gives the rules for commands their defaults, and refuses one for an environment that is not there', async () => {
    expect((await load(valid)).config.chatops).toMatchObject({ train: { role: 'maintain' }, lock_ttl: '8h' });
    const rule = 'chatops: { environments: { NAME: { promote: { role: admin } } } }\n';
    const { config } = await load(`${valid}${rule.replace('NAME', 'production')}`);
    expect(config.chatops.environments.production?.promote?.role).toBe('admin');
    const error = await refusal(`${valid}${rule.replace('NAME', 'prod')}`);
    expect(error.code).toBe('config_invalid');
    expect(error.message).toContain('there is no environment of this name; there are: staging, production');
  });

  it('reads a minimal configuration and makes its paths absolute', async () => {
    const { config, root } = await load(valid);
    expect(root).toBe(folder);
    expect(config.train.script).toBe(path.join(folder, 'train.py'));
    expect(config.environments.map(({ name }) => name)).toEqual(['staging', 'production']);
    expect(config.gate.alpha).toBe(0.05);
  });

  it('names file, line, column and the nearest key for an unknown one', async () => {
    const error = await refusal(valid.replace('label: price', 'lable: price'));
    expect(error.code).toBe('config_invalid');
    expect(error.where).toMatchObject({ file: path.join(folder, 'modelgate.yaml'), line: 6 });
    expect(error.message).toContain('features.lable: unknown key');
    expect(error.fix).toContain('Did you mean "label"?');
  });

  it('names line and column of a wrong type, and what was expected', async () => {
    const text = valid.replace('task: regression', 'task: regression, seed: lots');
    const error = await refusal(text);
    const column = text.split('\n')[7]!.indexOf('seed') + 1;
    expect(error.where).toMatchObject({ line: 8, column, key: 'train.seed' });
    expect(error.message).toContain('expected number');
  });

  it('names the place of a path that is not there', async () => {
    const error = await refusal(valid.replace('train.py', 'missing.py'));
    expect(error.code).toBe('config_missing');
    expect(error.message).toContain('missing.py');
    expect(error.where).toMatchObject({ line: 8, key: 'train.script' });
  });

  it('says where YAML itself is broken', async () => {
    const error = await refusal(`${valid}\nbad: [1, 2\n`);
    expect(error.where).toMatchObject({ file: path.join(folder, 'modelgate.yaml') });
    expect(error.message).toContain('Not valid YAML');
  });

  it('merges mappings of an extended file, and keeps each path relative to its own file', async () => {
    await load(valid);
    await writeFile(path.join(folder, 'other.sql'), '');
    const { config, root } = await load(
      'extends: ../modelgate.yaml\nfeatures: { sql: ../other.sql }\ntrain: { seed: 4 }\n',
      'candidates/other.yaml',
    );
    expect(root).toBe(folder);
    expect(config.features).toMatchObject({ sql: path.join(folder, 'other.sql'), key: 'id' });
    expect(config.train).toMatchObject({ seed: 4, task: 'regression' });
  });

  it('finds the place of a fault in the file that holds it', async () => {
    await load(valid);
    const error = await load(
      'extends: ../modelgate.yaml\ntrain: { seed: -1 }\n',
      'candidates/other.yaml',
    ).then(
      () => null,
      (thrown: unknown) => thrown as UserError,
    );
    expect(error?.where).toMatchObject({ file: path.join(folder, 'candidates/other.yaml'), line: 2 });
  });

  it('reads the gate policy from a file of its own', async () => {
    await writeFile(path.join(folder, 'gate.yaml'), 'alpha: 0.01\nmetrics: [{ metric: mae, margin: 2 }]\n');
    const text = `${valid.slice(0, valid.indexOf('gate:'))}gate: gate.yaml\n`;
    expect((await load(text)).config.gate).toMatchObject({ alpha: 0.01 });
  });

  it('refuses files that extend each other', async () => {
    await writeFile(path.join(folder, 'a.yaml'), 'extends: modelgate.yaml\n');
    expect((await refusal('extends: a.yaml\n')).message).toContain('circle');
  });

  it('refuses deep nesting and alias bombs before they cost time', async () => {
    expect((await refusal(`a: ${'['.repeat(500)}`)).message).toContain('nested');
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\n`;
    expect((await refusal(bomb)).code).toBe('config_invalid');
  });

  it('never crashes on a mutilated file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(valid.length),
        fc.nat(30),
        fc.string({ maxLength: 12 }),
        async (at, cut, insert) => {
          const error = await load(valid.slice(0, at) + insert + valid.slice(at + cut)).then(
            () => null,
            (thrown: unknown) => thrown,
          );
          if (error !== null) expect(error).toBeInstanceOf(UserError);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('agrees with its JSON Schema on the examples', async () => {
    const schema = JSON.parse(configSchema());
    const validate = new Ajv2020({ strict: false }).compile(schema);
    for await (const file of glob('examples/*/{.,candidates}/*.yaml', { exclude: ['**/gate.yaml'] })) {
      validate(parseYaml(await readFile(file, 'utf8'), file, 'config_invalid').value);
      expect({ file, errors: validate.errors }).toEqual({ file, errors: null });
    }
    validate({ ...schema, model: 'Not A Name' });
    expect(validate.errors).not.toBeNull();
  });

  it('publishes its JSON Schema', async () => {
    expect(await readFile('docs/schema/modelgate.schema.json', 'utf8')).toBe(configSchema());
  });
});
