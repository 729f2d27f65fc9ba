import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { choose } from '../../src/adoption/choose.ts';
import { configText, gateText, type Paths, sampleText } from '../../src/adoption/config-text.ts';
import { contractText } from '../../src/adoption/contract-text.ts';
import { repositoryOf } from '../../src/adoption/git.ts';
import type { Measured } from '../../src/adoption/measure.ts';
import { slug } from '../../src/adoption/names.ts';
import { forBranch } from '../../src/adoption/workflow-files.ts';
import { scalar } from '../../src/adoption/yaml-text.ts';
import { Config } from '../../src/config/schema.ts';
import { parseContract } from '../../src/data/contract.ts';
import { personalColumns } from '../../src/data/personal.ts';
import { GatePolicy } from '../../src/gate/policy.ts';
import { Name } from '../../src/names.ts';
import { column, flag, noWishes, number, table, timestamp } from './world.ts';

const paths: Paths = {
  data: 'data/rows.csv',
  contract: 'contracts/rows.yaml',
  sql: 'features/m.sql',
  script: 'train/train.py',
  requirements: 'train/requirements.lock',
  evaluation: 'evaluation/m-1.parquet',
  gate: 'gate.yaml',
};

function contractOf(measured: Measured, sampled = false) {
  const choices = choose(measured, noWishes);
  return contractText({ source: 'rows', file: 'data/rows.csv', measured, choices, sampled });
}

describe('text that another reader takes for what it is', () => {
  it('whatever a value holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.double({ noNaN: true }), fc.boolean()),
        (value) => {
          // YAML has no lone surrogates and no negative zero
          fc.pre(typeof value !== 'string' || value.isWellFormed());
          fc.pre(!Object.is(value, -0) && (typeof value !== 'number' || Number.isFinite(value)));
          expect(parse(`a: [${scalar(value)}, 1]\nb: ${scalar(value)} # c\n`)).toEqual({
            a: [value, 1],
            b: value,
          });
        },
      ),
      { seed: 8, numRuns: 500 },
    );
  });

  it.each([
    'yes',
    'No',
    'null',
    '~',
    '1',
    '1e3',
    '0x10',
    '2025-01-01',
    'a: b',
    'a #b',
    '- a',
    '*a',
    '',
    ' a',
    '&x',
  ])('such as %j', (value) => expect(parse(`k: ${scalar(value)}`)).toEqual({ k: value }));
});

const names = fc.uniqueArray(
  fc.oneof(
    fc.string({ minLength: 1, maxLength: 128 }),
    fc.constantFrom('yes', 'a: b', '#', "it's", '"', 'a\nb', '{{', '- x'),
  ),
  { minLength: 1, maxLength: 8, selector: (name) => name.toLowerCase() },
);

describe('the texts that init writes', () => {
  it('are valid whatever the columns are called', () => {
    fc.assert(
      fc.property(names, fc.boolean(), (given, timed) => {
        const others = given.filter((name) => !['size', 'late', 'at'].includes(name.toLowerCase()));
        const measured = table(
          ...others.map((name, at) =>
            at % 2 === 0
              ? number(name)
              : column(name, {
                  distinct: 2,
                  values: [
                    [name, 600],
                    ['b', 400],
                  ],
                }),
          ),
          ...(timed ? [timestamp('at')] : []),
          number('size'),
          flag('late'),
        );
        const choices = choose(measured, noWishes);
        const contract = parseContract(contractOf(measured), 'c.yaml');
        expect(contract.table.properties.map(({ name }) => name)).toEqual(
          measured.columns.map(({ name }) => name),
        );
        const request = {
          model: 'm',
          source: 'rows',
          paths,
          choices,
          grouped: !timed,
          params: { max_iter: 10 },
        };
        const gate = parse(gateText({ choices, slices: [], repeated: true })) as unknown;
        const config = Config.parse({
          ...(parse(configText({ ...request, sha256: 'a'.repeat(64) })) as object),
          gate,
        });
        expect(config.features).toMatchObject({ label: choices.label.column.name });
        expect(config.data.sources.rows?.time).toBe(choices.time?.column);
        expect(parse(sampleText({ choices }))).toMatchObject({ extends: 'modelgate.yaml' });
      }),
      { seed: 8, numRuns: 200 },
    );
  });

  it('have a gate policy for each task', () => {
    const policy = (measured: Measured) =>
      GatePolicy.parse(
        parse(gateText({ choices: choose(measured, noWishes), slices: ['colour'], repeated: false })),
      );
    expect(policy(table(number('size'), flag('late')))).toMatchObject({
      metrics: [{ metric: 'auc' }, { metric: 'log_loss' }],
      floors: [{ metric: 'auc', min: 0.55 }],
    });
    expect(policy(table(number('size'), number('amount', { sd: 123.456 })))).toMatchObject({
      metrics: [{ metric: 'rmse' }, { metric: 'mae' }],
      floors: [{ metric: 'rmse', max: 123.5 }],
      slices: { by: ['colour'] },
    });
  });

  it('keep the windows of training and evaluation apart', () => {
    const choices = choose(table(timestamp('at'), number('size'), flag('late')), noWishes);
    const text = configText({
      model: 'm',
      source: 'rows',
      paths,
      choices,
      grouped: false,
      params: {},
      sha256: null,
    });
    expect(parse(text)).toMatchObject({
      data: { window: { from: '2025-01-01', until: '2025-03-22' } },
      evaluation: { window: { from: '2025-03-22', until: '2025-04-11' }, cluster: 'event_day' },
      split: { by: 'time' },
    });
    expect(parse(sampleText({ choices }))).toMatchObject({ data: { window: { from: '2025-02-20' } } });
  });

  it('have a contract with room around what was seen, and with none of the personal values', () => {
    const colours: [string, number][] = [
      ['red', 600],
      ['blue', 400],
    ];
    const text = contractOf(
      table(
        column('order_id', { distinct: 1000 }),
        number('size', { min: -3, max: 12, nulls: 100, null_rate: 0.1 }),
        number('odd', { nonfinite: 2 }),
        column('colour', { distinct: 2, values: colours }),
        column('surname', {
          distinct: 2,
          values: [
            ['Miller', 999],
            ['Smith', 1],
          ],
          personal: true,
        }),
        flag('late'),
      ),
    );
    const contract = parseContract(text, 'c.yaml');
    const of = (name: string) => contract.table.properties.find((one) => one.name === name)!;
    expect(of('order_id')).toMatchObject({ unique: true, required: true });
    expect(of('size')).toMatchObject({
      required: false,
      logicalTypeOptions: { minimum: -11, maximum: 20 },
      quality: [{ metric: 'nullValues', mustBeLessThan: 17 }],
    });
    expect(of('odd').logicalTypeOptions).toBeUndefined();
    expect(of('colour').quality).toMatchObject([{ arguments: { validValues: ['blue', 'red'] }, mustBe: 0 }]);
    expect(personalColumns(contract)).toEqual(['surname']);
    expect(text).not.toMatch(/Miller|Smith/);
  });

  it('have a contract that only warns of what a part of the rows has shown', () => {
    const measured = table(
      column('order_id', { distinct: 1000 }),
      column('colour', {
        distinct: 2,
        values: [
          ['red', 600],
          ['blue', 400],
        ],
      }),
      flag('late'),
    );
    const [key, colour] = parseContract(contractOf(measured, true), 'c.yaml').table.properties;
    expect(key?.unique).toBe(false);
    expect(colour?.quality).toMatchObject([{ severity: 'warning' }]);
  });

  it('stay within what a contract may have, for thousands of columns', () => {
    const many = Array.from({ length: 1999 }, (_, at) => number(`measured value number ${at}`));
    const contract = parseContract(contractOf(table(...many, flag('late'))), 'c.yaml');
    expect(contract.table.properties.at(-1)?.name).toBe('late');
  });
});

describe('names', () => {
  it('of models and sources are names whatever they are made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(Name.safeParse(slug(text, 'data')).success).toBe(true);
      }),
      { seed: 8, numRuns: 300 },
    );
    expect(slug('Ünïcode Daten (2025)', 'x')).toBe('u-ni-code-daten-2025');
  });

  it.each([
    ['https://github.com/acme/flights.git', 'acme', 'flights'],
    ['git@github.com:acme/flights.v2', 'acme', 'flights.v2'],
    ['ssh://git@github.example.com/acme/flights.git', 'acme', 'flights'],
  ])('of repositories: %s', (url, owner, repo) => expect(repositoryOf(url)).toEqual({ owner, repo }));
  it.each(['/srv/git/flights.git', 'https://github.com/acme', '', null, 'https://x/a b/c'])('not %s', (url) =>
    expect(repositoryOf(url)).toBe(null),
  );

  it('of default branches stand where the template says main', () => {
    expect(forBranch('on:\n  push:\n    branches: [main]\n', 'trunk')).toBe(
      'on:\n  push:\n    branches: ["trunk"]\n',
    );
  });
});
