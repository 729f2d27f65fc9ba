import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/stages/compare.ts';
import { runStage } from '../../src/stages/define.ts';
import { openContext, temporaryFolder, writeCsv } from './world.ts';

type Options = Partial<Parameters<typeof compare.run>[0]>;

const run = (file: string, options: Options = {}) =>
  runStage(
    compare,
    { file, label: 'label', champion: 'champion', candidate: 'candidate', metric: 'macro_f1', ...options },
    openContext(),
  );

interface Figures {
  champion: number;
  candidate: number;
}

const fixture = (name: string) => new URL(`../fixtures/gate/${name}`, import.meta.url);
/** Made by test/fixtures/gate/classes.py with scikit-learn. */
const reference = JSON.parse(readFileSync(fixture('classes.json'), 'utf8')) as {
  rows: number;
  classes: number;
  flips: { b: number; c: number };
  metrics: Record<string, Figures & { bootstrap_se: number; weighted: Figures }>;
};
const texts = fileURLToPath(fixture('classes.csv'));
const roles = ['label', 'champion', 'candidate'] as const;

/** The fixture's columns; no name in it holds a quote. */
function columnsOf(): Record<(typeof roles)[number], string[]> {
  const rows = readFileSync(texts, 'utf8').trim().split('\n').slice(1);
  const cells = rows.map((row) =>
    [...row.matchAll(/("[^"]*"|[^,]+)/g)].map(([cell]) => cell.replaceAll('"', '')),
  );
  const column = (index: number) => cells.map((row) => row[index] as string);
  return { label: column(0), champion: column(1), candidate: column(2) };
}

/** The same rows with whole numbers in place of names. */
function writeCodes(codes: Record<string, number>): string {
  const columns = columnsOf();
  return writeCsv(
    Object.fromEntries(roles.map((role) => [role, columns[role].map((name) => codes[name] as number)])),
  );
}

describe('[EVA-4] compare with several classes', () => {
  it.each(['accuracy', 'balanced_accuracy', 'macro_f1'] as const)(
    '%s is that of scikit-learn',
    async (metric) => {
      const wanted = reference.metrics[metric];
      if (wanted === undefined) throw new Error(`no reference for ${metric}`);
      const codes = { bird: 3, cat: 0, 'Zürich, 1': -7, dog: 12, 'none of them': 1 };
      for (const file of [texts, writeCodes(codes)]) {
        const { outputs, error } = await run(file, { metric });
        expect(error).toBeUndefined();
        expect(outputs.champion).toBeCloseTo(wanted.champion, 12);
        expect(outputs.candidate).toBeCloseTo(wanted.candidate, 12);
        expect(outputs.diff).toBeCloseTo(wanted.candidate - wanted.champion, 12);
        // a resample also draws how many rows the rare class has
        expect((outputs.se ?? 0) / wanted.bootstrap_se).toBeGreaterThan(0.92);
        expect((outputs.se ?? 0) / wanted.bootstrap_se).toBeLessThan(1.06);
        expect(outputs).toMatchObject({
          n: reference.rows,
          classes: reference.classes,
          flips: reference.flips,
        });
        expect(outputs.threshold).toBeUndefined();
      }
      const { outputs } = await run(texts, { metric, weight: 'weight' });
      expect(outputs.champion).toBeCloseTo(wanted.weighted.champion, 12);
      expect(outputs.candidate).toBeCloseTo(wanted.weighted.candidate, 12);
    },
  );

  it('takes classes of two names, whole numbers of doubles, and classes that only a model names', async () => {
    const label = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 'up' : 'down'));
    const named = await run(writeCsv({ label, champion: label, candidate: label }), { metric: 'accuracy' });
    expect(named.outputs).toMatchObject({ champion: 1, candidate: 1, classes: 2, flips: { b: 0, c: 0 } });
    const codes = label.map((_, i) => i % 3);
    const doubles = codes.map((code) => `${code}.0`);
    const table = `label,champion,candidate\n${doubles.map((one) => `${one},${one},${one}`).join('\n')}\n`;
    const file = path.join(temporaryFolder(), 'doubles.csv');
    writeFileSync(file, table);
    expect((await run(file)).outputs).toMatchObject({ champion: 1, classes: 3 });
    // labels of 0 and 1 alone, and a model that also says 2: no score to cut at the threshold
    const binary = codes.map((code) => Number(code > 0));
    const beyond = await run(writeCsv({ label: binary, champion: codes, candidate: binary }), {
      metric: 'accuracy',
    });
    expect(beyond.outputs).toMatchObject({ classes: 3, candidate: 1 });
    expect(beyond.outputs.champion).toBeCloseTo(2 / 3, 2);
  });

  it('leaves scores of 0/1 labels as they were', async () => {
    const label = Array.from({ length: 100 }, (_, i) => i % 2);
    const scores = label.map((y, i) => y * 2 + (i % 5) - 2.5);
    const { outputs } = await run(writeCsv({ label, champion: scores, candidate: scores }));
    expect(outputs).toMatchObject({ threshold: 0.5 });
    expect(outputs.classes).toBeUndefined();
  });

  it('is undecided about one class', async () => {
    const label = Array.from({ length: 20 }, () => 'cat');
    const { verdict, outputs } = await run(writeCsv({ label, champion: label, candidate: label }));
    expect(verdict).toBe('inconclusive');
    expect(outputs).toMatchObject({ undefined_because: 'one_class', classes: 1 });
  });

  const three = ['cat', 'dog', 'bird'];
  it.each([
    [
      'scores beside classes',
      { label: three, champion: [0.1, 0.5, 0.9], candidate: three },
      'label_invalid',
      'Column "label" holds VARCHAR, not numbers, first in row 1',
    ],
    [
      'scores beside class codes',
      { label: [0, 1, 2], champion: [0, 1, 2], candidate: [0, 0.25, 1] },
      'prediction_invalid',
      'Column "candidate" holds 0.25 in row 2, which is no class',
    ],
    [
      'labels of a regression',
      { label: [0.5, 1.25, 2], champion: [0, 1, 2], candidate: [0, 1, 2] },
      'label_invalid',
      'Column "label" holds 0.5 in row 1, which is no class',
    ],
    [
      'classes in other words',
      { label: three, champion: three, candidate: ['Cat', 'Dog', 'Bird'] },
      'prediction_invalid',
      'No class in column "candidate" occurs in column "label"',
    ],
    [
      'a missing class',
      { label: three, champion: three, candidate: ['cat', null, 'bird'] },
      'evaluation_unpaired',
      'in 1 of 3 rows, first in row 2',
    ],
    [
      'names of rows',
      { label: Array.from({ length: 1001 }, (_, i) => `row ${i}`), champion: [], candidate: [] },
      'label_invalid',
      'more than 1000 classes',
    ],
  ])('refuses %s', async (_, columns, code, message) => {
    const { label } = columns;
    const filled = roles.map((role) => [role, columns[role].length === 0 ? label : columns[role]]);
    const { error } = await run(writeCsv(Object.fromEntries(filled)));
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(message);
  });

  it('says which metrics take classes where another was asked for', async () => {
    const { error } = await run(writeCodes({ bird: 3, cat: 0, 'Zürich, 1': 7, dog: 12, 'none of them': 1 }), {
      metric: 'f1',
    });
    expect(error).toMatchObject({
      code: 'label_invalid',
      fix: expect.stringContaining('accuracy, balanced_accuracy or macro_f1'),
    });
  });
});
