import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/stages/compare.ts';
import { runStage } from '../../src/stages/define.ts';
import { binaryRows, openContext, temporaryFolder, writeCsv } from './world.ts';

type Options = Partial<Parameters<typeof compare.run>[0]>;

const run = (file: string, options: Options = {}) =>
  runStage(
    compare,
    {
      file,
      label: 'label',
      champion: 'champion',
      candidate: 'candidate',
      metric: 'auc',
      threshold: 0.5,
      margin: 0.01,
      alpha: 0.05,
      cluster: null,
      weight: null,
      seed: 0,
      ...options,
    },
    openContext(),
  );

const columns = binaryRows({ rows: 1000, seed: 1 });

describe('compare', () => {
  it('has the fields of the command line contract', async () => {
    const { outputs, verdict, summary } = await run(writeCsv(columns), { metric: 'accuracy' });
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining([
        ...['metric', 'method', 'n', 'clusters', 'champion', 'candidate', 'diff', 'se', 'ci_low', 'ci_high'],
        ...[
          'confidence',
          'bound_low',
          'bound_high',
          'p_two_sided',
          'p_worse',
          'margin',
          'mde80',
          'rows_needed',
        ],
        ...['flips', 'mcnemar'],
      ]),
    );
    expect(outputs).toMatchObject({
      method: 'mcnemar_midp+tango',
      n: 1000,
      clusters: null,
      confidence: 0.95,
    });
    expect(Object.keys(outputs.mcnemar ?? {})).toEqual(['b', 'c', 'p_exact', 'p_midp', 'chi2', 'p_chi2']);
    expect(outputs.flips).toEqual({ b: outputs.mcnemar?.b, c: outputs.mcnemar?.c });
    expect(outputs.diff).toBeCloseTo((outputs.flips!.c - outputs.flips!.b) / 1000, 12);
    expect(['pass', 'fail', 'inconclusive']).toContain(verdict);
    expect(summary).toContain('accuracy');
  });

  it('turns the sign for losses, clusters, and takes a percentage as margin', async () => {
    const cluster = Array.from({ length: 1000 }, (_, i) => `day ${i % 50}`);
    const file = writeCsv({ ...columns, cluster });
    const { outputs } = await run(file, { metric: 'log_loss', cluster: 'cluster', margin: '5%' });
    expect(outputs).toMatchObject({ method: 'paired_t_cluster', clusters: 50 });
    expect(outputs.diff).toBeCloseTo((outputs.champion ?? 0) - (outputs.candidate ?? 0), 12);
    expect(outputs.margin).toBeCloseTo(0.05 * (outputs.champion ?? 0), 12);
  });

  it('fails what is worse and passes what is the same', async () => {
    const worse = await run(writeCsv(binaryRows({ rows: 2000, seed: 2, harm: 0.5 })));
    expect(worse).toMatchObject({ verdict: 'fail', reason_code: 'gate_failed' });
    const same = await run(writeCsv({ ...columns, candidate: columns.champion }));
    expect(same).toMatchObject({ verdict: 'pass', outputs: { diff: 0, p_two_sided: 1 } });
  });

  it('is undecided about one class', async () => {
    const { verdict, outputs } = await run(writeCsv({ ...columns, label: columns.label.map(() => 1) }));
    expect(verdict).toBe('inconclusive');
    expect(outputs).toMatchObject({ diff: null, undefined_because: 'one_class', n: 1000 });
  });

  it('names the nearest column', async () => {
    const { error } = await run(writeCsv(columns), { candidate: 'candidte' });
    expect(error).toMatchObject({ code: 'usage', where: '--candidate', fix: 'Did you mean "candidate"?' });
  });

  it.each([
    [
      'a missing score',
      { candidate: ['0.5', '', '0.2'] },
      'evaluation_unpaired',
      /1 of 3 rows, first in row 2/,
    ],
    ['a NaN score', { champion: ['0.5', '0.1', 'nan'] }, 'evaluation_unpaired', /first in row 3/],
    ['a missing label', { label: ['1', '', '0'] }, 'label_invalid', /first in row 2/],
    ['labels that are words', { label: ['yes', 'no', 'oh'] }, 'label_invalid', /not numbers, first in row 1/],
    ['three classes', { label: ['0', '1', '2'] }, 'label_invalid', /0 and 1/],
  ])('refuses %s', async (_, part, code, message) => {
    const table = {
      label: ['1', '0', '1'],
      champion: ['0.5', '0.1', '0.7'],
      candidate: ['0.5', '0.2', '0.7'],
    };
    const merged: Record<string, string[]> = { ...table, ...part };
    const file = path.join(temporaryFolder(), 'table.csv');
    const lines = [0, 1, 2].map(
      (i) => `${merged.label?.[i]},${merged.champion?.[i]},${merged.candidate?.[i]}`,
    );
    writeFileSync(file, `label,champion,candidate\n${lines.join('\n')}\n`);
    const { error } = await run(file);
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
  });

  it('refuses scores that are no probabilities where they must be, and takes them where only order counts', async () => {
    const table = { label: [1, 0, 1, 0], champion: [3, -1, 2, 0.5], candidate: [2, -1, 2, 1] };
    expect((await run(writeCsv(table), { metric: 'brier' })).error?.code).toBe('prediction_invalid');
    expect((await run(writeCsv(table))).outputs.champion).toBe(1);
  });

  it('refuses an empty table', async () => {
    const file = path.join(temporaryFolder(), 'table.csv');
    writeFileSync(file, 'label,champion,candidate\n');
    expect((await run(file)).error?.code).toBe('data_empty');
  });

  it('does not decide by losses whose spread no double holds', async () => {
    const table = { label: [1e300, 2e299, 3e300], champion: [2e300, 1, 2], candidate: [1, 3e300, 2e300] };
    const { verdict, outputs } = await run(writeCsv(table), { metric: 'mae' });
    expect(verdict).toBe('inconclusive');
    expect(outputs).toMatchObject({ se: null, undefined_because: 'not_finite' });
  });

  it('has a fix that fits the column where a value is missing', async () => {
    const file = path.join(temporaryFolder(), 'table.csv');
    writeFileSync(file, 'label,champion,candidate,day\n1,0.5,0.4,a\n0,0.2,0.3,\n');
    const { error } = await run(file, { cluster: 'day' });
    expect(error).toMatchObject({
      code: 'usage',
      where: '--cluster',
      fix: expect.stringContaining('cluster'),
    });
  });

  it('counts the rows of the file from 1, whichever column they miss a value in', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => i);
    const day = rows.map((i) => (i === 3 ? null : `day ${(i * 7) % 12}`));
    const weight = rows.map((i) => (i === 8 ? -1 : 1));
    const table = { ...binaryRows({ rows: 60, seed: 3 }), day, weight };
    const missing = await run(writeCsv(table), { cluster: 'day' });
    expect(missing.error?.message).toBe('Column "day" is missing in 1 of 60 rows, first in row 4.');
    const negative = await run(writeCsv(table), { weight: 'weight' });
    expect(negative.error?.message).toContain('first in row 9');
    const words = rows.map((i) => (i === 11 ? 'x' : '0.5'));
    const text = await run(writeCsv({ ...table, candidate: words }));
    expect(text.error?.message).toBe('Column "candidate" holds VARCHAR, not numbers, first in row 12.');
    const nothing = await run(writeCsv({ ...table, candidate: rows.map(() => null) }));
    expect(nothing.error).toMatchObject({
      code: 'evaluation_unpaired',
      message: expect.stringContaining('in 60 of 60 rows, first in row 1'),
    });
  });

  it.each(['accuracy', 'auc', 'f1', 'precision', 'recall', 'log_loss', 'brier'] as const)(
    '[EVA-4] %s of one model twice: passes on 20,000 rows, never on 5',
    async (metric) => {
      const twice = (rows: number) => {
        const label = Array.from({ length: rows }, (_, i) => i % 2);
        const champion = label.map((y, i) => (y + 0.3 + ((i * 7) % 10) / 20) / 2);
        return writeCsv({ label, champion, candidate: champion });
      };
      const few = await run(twice(5), { metric });
      expect(few.verdict).toBe('inconclusive');
      expect(few.outputs.mde80).toBeGreaterThan(0.1);
      expect((await run(twice(20_000), { metric })).verdict).toBe('pass');
    },
  );

  it('decides nothing on fewer than 10 clusters, and says so', async () => {
    const worse = binaryRows({ rows: 2000, seed: 2, harm: 0.5 });
    const clustered = (count: number) =>
      run(writeCsv({ ...worse, day: worse.label.map((_, i) => i % count) }), { cluster: 'day' });
    const few = await clustered(9);
    expect(few).toMatchObject({ verdict: 'inconclusive', outputs: { clusters: 9, few_clusters: true } });
    expect(few.summary).toContain('9 clusters are too few');
    expect(await clustered(10)).toMatchObject({ verdict: 'fail', outputs: { clusters: 10 } });
    expect((await clustered(10)).outputs.few_clusters).toBeUndefined();
    const same = writeCsv({
      ...columns,
      candidate: columns.champion,
      day: columns.label.map((_, i) => i % 3),
    });
    expect((await run(same, { cluster: 'day' })).verdict).toBe('inconclusive');
  });

  it('ranks queries, and asks for them', async () => {
    const query = columns.label.map((_, i) => i % 40);
    const label = columns.label.map((y, i) => Number(y) * (1 + (i % 3)));
    const file = writeCsv({ ...columns, label, query });
    const { outputs } = await run(file, { metric: 'ndcg', cluster: 'query' });
    expect(outputs).toMatchObject({ method: 'paired_t', clusters: 40, n: 1000, flips: null });
    const top = await run(file, { metric: 'ndcg', cluster: 'query', k: 3 });
    expect(top.outputs.champion).not.toBe(outputs.champion);
    expect((await run(file, { metric: 'ndcg' })).error).toMatchObject({ code: 'usage', where: '--cluster' });
  });

  it('compares calibration, with clusters by a seeded bootstrap', async () => {
    const file = writeCsv({ ...columns, day: columns.label.map((_, i) => i % 50) });
    const plain = await run(file, { metric: 'calibration_error' });
    expect(plain.outputs).toMatchObject({ method: 'influence', n: 1000 });
    const ask = (seed: number) => run(file, { metric: 'calibration_error', cluster: 'day', seed });
    const first = await ask(1);
    expect(first.outputs).toMatchObject({ method: 'bootstrap', clusters: 50 });
    expect((await ask(1)).outputs).toEqual(first.outputs);
    expect((await ask(2)).outputs.se).not.toBe(first.outputs.se);
  });

  it('is undecided where all weights are zero, and refuses negative ones', async () => {
    const weight = columns.label.map(() => 0);
    const none = await run(writeCsv({ ...columns, weight }), { weight: 'weight' });
    expect(none).toMatchObject({ verdict: 'inconclusive', outputs: { undefined_because: 'zero_weight' } });
    const negative = writeCsv({ ...columns, weight: weight.map((_, i) => i - 1) });
    expect((await run(negative, { weight: 'weight' })).error).toMatchObject({ where: '--weight' });
  });
});
