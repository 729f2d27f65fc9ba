import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addNumeric,
  Blocks,
  coarsen,
  mergeBlocks,
  type NumericPart,
  selectDays,
} from '../../src/data/blocks.ts';
import { computeBlocks } from '../../src/data/profile.ts';
import { summarize } from '../../src/data/summary.ts';
import { flightsData, type TestContext, testContext } from './context.ts';

const part = (values: number[]): NumericPart => {
  const bins = new Map<number, number>();
  for (const value of values) bins.set(Math.floor(value), (bins.get(Math.floor(value)) ?? 0) + 1);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.length === 0
    ? { nulls: 0, nonfinite: 0, min: null, max: null, mean: null, m2: null, bins: [] }
    : {
        nulls: 0,
        nonfinite: 0,
        min: Math.min(...values),
        max: Math.max(...values),
        mean,
        m2: values.reduce((sum, value) => sum + (value - mean) ** 2, 0),
        bins: [...bins].toSorted(([a], [b]) => a - b).flat(),
      };
};

const numbers = fc.array(
  fc.integer({ min: -1000, max: 1000 }).map((n) => n / 4),
  { maxLength: 30 },
);

describe('blocks', () => {
  it('are refused where their counts do not fit', () => {
    const category = (counts: number[], parts = 1) => ({
      ...{ name: 'c', type: 'string', physicalType: 'VARCHAR', distinct: 2, kind: 'category' },
      ...{ categories: ['a', 'b'], complete: true },
      parts: Array.from({ length: parts }, () => ({ nulls: 0, counts, other: 0 })),
    });
    const read = (column: unknown) =>
      Blocks.safeParse({
        ...{ schema: 'modelgate.blocks/1', time: null, rows: 9 },
        ...{ blocks: [{ day: null, rows: 9 }], columns: [column] },
      }).success;
    expect(read(category([0, 4, 1, 5]))).toBe(true);
    expect(read(category([]))).toBe(true);
    for (const wrong of [
      [0, -4],
      [1, 4, 0, 5],
      [0, 4, 0, 5],
      [0, 4, 2, 5],
      [-1, 4],
      [0, 4, 1],
    ])
      expect(read(category(wrong)), String(wrong)).toBe(false);
    expect(read(category([0, 9], 2))).toBe(false);
    expect(read({ ...category([0, 4]), categories: ['a', 2] })).toBe(false);
  });

  it('are refused where a part is none, and keep no member that is unknown', () => {
    const column = { name: 'c', type: 'number', physicalType: 'DOUBLE', distinct: 2 };
    const read = (kind: string, part: unknown) =>
      Blocks.safeParse({
        ...{ schema: 'modelgate.blocks/1', time: null, rows: 9, blocks: [{ day: null, rows: 9 }] },
        columns: [{ ...column, kind, ...(kind === 'numeric' ? { exponent: 0 } : {}), parts: [part] }],
      });
    const numeric = part([1, 1, 3]);
    const plain = { nulls: 1, min: 'a', max: null };
    expect(read('numeric', { ...numeric, more: 1 }).data?.columns[0]?.parts).toEqual([numeric]);
    expect(read('plain', { ...plain, more: 1 }).data?.columns[0]?.parts).toEqual([plain]);
    for (const wrong of [null, 7, [], {}, 'a']) {
      expect(read('numeric', wrong).success).toBe(false);
      expect(read('plain', wrong).success).toBe(false);
    }
    for (const change of [
      ...[
        { nulls: -1 },
        { nulls: 0.5 },
        { nulls: '1' },
        { nonfinite: null },
        { bins: {} },
        { bins: undefined },
      ],
      ...['min', 'max', 'mean', 'm2'].flatMap((name) => [
        { [name]: Infinity },
        { [name]: '1' },
        { [name]: undefined },
      ]),
    ])
      expect(read('numeric', { ...numeric, ...change }).success, JSON.stringify(change)).toBe(false);
    for (const change of [{ nulls: -1 }, { min: 1 }, { max: undefined }])
      expect(read('plain', { ...plain, ...change }).success).toBe(false);
  });

  it('add up to what all rows together give', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [sum, whole] = [addNumeric(part(a), part(b)), part([...a, ...b])];
        expect(sum.bins).toEqual(whole.bins);
        expect([sum.min, sum.max]).toEqual([whole.min, whole.max]);
        if (whole.mean !== null) {
          expect(sum.mean).toBeCloseTo(whole.mean, 8);
          expect(sum.m2).toBeCloseTo(whole.m2 as number, 5);
        }
      }),
    );
  });

  it('become coarser without losing or moving a row', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 5 }), (values, exponent) => {
        const column = {
          name: 'x',
          type: 'number',
          physicalType: 'DOUBLE',
          distinct: 0,
          kind: 'numeric',
          exponent: 0,
        } as const;
        const [coarse] = coarsen({ ...column, parts: [part(values)] }, exponent).parts;
        const width = 2 ** exponent;
        const expected = new Map<number, number>();
        for (const value of values)
          expected.set(Math.floor(value / width), (expected.get(Math.floor(value / width)) ?? 0) + 1);
        expect(coarse!.bins).toEqual([...expected].toSorted(([a], [b]) => a - b).flat());
      }),
    );
  });
});

describe('profile of real flights', () => {
  let test: TestContext;
  let blocks: Blocks;
  beforeAll(async () => {
    test = await testContext();
    const engine = await test.engine();
    await engine.addFile('flights', `${flightsData}/flights.parquet`);
    await engine.execute('CREATE VIEW winter AS SELECT * FROM flights WHERE month <= 2');
    blocks = await computeBlocks({ engine, view: 'winter', time: 'time_hour' });
  });
  afterAll(() => test.close());

  it('agrees with SQL over the rows', async () => {
    const engine = await test.engine();
    await engine.addFile('flights', `${flightsData}/flights.parquet`);
    const [row] = await engine.rows(
      'SELECT count(*) AS n, count(*) - count(arr_delay) AS nulls, avg(arr_delay) AS mean, stddev_samp(arr_delay) AS sd FROM flights WHERE month <= 2',
    );
    const delay = summarize(blocks).find((column) => column.name === 'arr_delay')!;
    expect(delay).toMatchObject({ rows: row!.n, nulls: row!.nulls });
    expect(delay.mean).toBeCloseTo(row!.mean as number, 9);
    expect(delay.sd).toBeCloseTo(row!.sd as number, 9);
    expect(delay.histogram.reduce((sum, [, , n]) => sum + n, 0)).toBe(
      (row!.n as number) - (row!.nulls as number),
    );
    const carrier = summarize(blocks).find((column) => column.name === 'carrier')!;
    expect(carrier.categories.reduce((sum, [, n]) => sum + n, 0)).toBe(row!.n);
    expect(blocks.columns.find((column) => column.name === 'tailnum')).toMatchObject({
      categories: [],
      complete: false,
    });
  });

  it('gives the same when two halves are merged, and passes its own schema', () => {
    const [january, february] = [
      selectDays(blocks, null, '2013-02-01'),
      selectDays(blocks, '2013-02-01', null),
    ];
    expect(january.blocks.length).toBe(31);
    expect(mergeBlocks(january, february)).toEqual(blocks);
    expect(Blocks.parse(JSON.parse(JSON.stringify(blocks)))).toEqual(blocks);
  });

  it('takes NaN, infinities, nulls and an empty table', async () => {
    const engine = await test.engine();
    await engine.execute(
      "CREATE TABLE odd AS SELECT * FROM (VALUES (1.0), (NULL), ('NaN'::DOUBLE), ('inf'::DOUBLE), (1e300), (-1e-300)) t(x)",
    );
    const odd = summarize(await computeBlocks({ engine, view: 'odd', time: null }))[0]!;
    expect(odd).toMatchObject({ rows: 6, nulls: 1, nonfinite: 3, min: -1e-300, max: 1 });
    await engine.execute('CREATE TABLE none AS SELECT * FROM odd WHERE false');
    expect(await computeBlocks({ engine, view: 'none', time: null })).toMatchObject({ rows: 0 });
  });

  it('refuses a time column that holds no times, with the value', async () => {
    const engine = await test.engine();
    await engine.execute(
      "CREATE TABLE timed AS SELECT * FROM (VALUES ('2013-01-01', 1), ('soon', 2)) t(text, n)",
    );
    for (const [time, says] of [
      ['text', '"soon"'],
      ['n', 'INTEGER'],
    ] as const)
      await expect(computeBlocks({ engine, view: 'timed', time })).rejects.toMatchObject({
        code: 'data_unreadable',
        message: expect.stringContaining(says),
      });
  });
});
