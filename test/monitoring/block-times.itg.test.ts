import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readColumns } from '../../src/monitoring/read-columns.ts';
import { openPair } from '../../src/monitoring/tables.ts';
import { type TestContext, testContext } from '../data/context.ts';

let test: TestContext;
beforeAll(async () => {
  test = await testContext();
});
afterAll(() => test.close());

describe('blocks by time', () => {
  it.each([
    ['days in a row', 'day', ['2026-02-27', '2026-02-28', '2026-03-01'], [0, 1, 2]],
    ['days with a gap', 'day', ['2026-02-27', '2026-03-01', '2026-03-02'], [0, 1, 2]],
    ['weeks in a row', 'week', ['2025-12-31', '2026-01-05', '2026-01-13'], [0, 1, 2]],
    ['weeks with a gap', 'week', ['2025-12-31', '2026-01-13'], [0, 1]],
    ['days beyond four digits', 'day', ['9999-12-31', '10000-01-01'], [0, 1]],
    ['days before and without a date', 'day', ['1969-12-31', '1970-01-01', null], [0, 1, null]],
  ] as const)('%s', async (_, unit, days, expected) => {
    const engine = await test.engine();
    const rows = days.map((day, i) => `(${i}, ${day === null ? 'NULL' : `TIMESTAMP '${day} 23:59:59'`})`);
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE rows AS SELECT * FROM (VALUES ${rows.join(', ')}) t(i, "at")`,
    );
    const pair = await openPair(engine, {
      reference: 'rows',
      current: 'rows',
      time: 'at',
      unit,
      exclude: [],
    });
    const found = await engine.rows(
      `SELECT ${pair.block} AS block FROM ${pair.reference.relation} ORDER BY i`,
    );
    expect(found.map(({ block }) => block)).toEqual(expected);
    expect(pair.reference.blocks).toHaveLength(expected.filter((block) => block !== null).length);
  });

  it.each(['k', 'n', 'i'])('are found by a time column that is called %s, with a gap', async (time) => {
    const engine = await test.engine();
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE rows AS SELECT DATE '2026-01-01' + CAST(2 * (i % 3) AS INTEGER) AS ${time} FROM range(9) t(i)`,
    );
    const pair = await openPair(engine, {
      ...{ reference: 'rows', current: 'rows', time, unit: 'day', exclude: [] },
    });
    const found = await engine.rows(
      `SELECT DISTINCT ${time} AS day, ${pair.block} AS block FROM ${pair.current.relation} ORDER BY 2`,
    );
    expect(found.map(({ block }) => block)).toEqual([0, 1, 2]);
    expect(pair.current.blocks).toEqual(found.map(({ day }) => String(day).slice(0, 10)));
  });

  it.each([
    ['counted', 1],
    ['joined', 2],
  ])('are %s alike for all columns', async (_, days) => {
    const engine = await test.engine();
    const columns = Array.from({ length: 10 }, (_, k) => `${k} + 0.5 + i AS x${k}`);
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE rows AS SELECT ${columns.join(', ')},
         CASE WHEN i % 7 = 0 THEN NULL ELSE DATE '2026-01-01' + CAST(${days} * (i % 3) AS INTEGER) END AS "at"
       FROM range(5000) t(i)`,
    );
    const pair = await openPair(engine, {
      ...{ reference: 'rows', current: 'rows', time: 'at', unit: 'day', exclude: [] },
    });
    expect(pair.reference.ordered).toBe(days === 1);
    let read = 0;
    for await (const data of readColumns(engine, pair)) {
      if (data.kind !== 'numeric') throw new TypeError(`${data.name} is a number`);
      const { sample, block } = data.current;
      expect(Array.from(block)).toEqual(Array.from(sample.values, (x) => (x - 0.5 - read) % 3));
      read++;
    }
    expect(read).toBe(10);
  });

  it('count the levels of each of many columns as its own, nulls and shared levels included', async () => {
    const engine = await test.engine();
    const rows = 600;
    const level = (k: number, i: number) => ((i + k) % 5 === 0 ? null : `level ${i % (k + 2)}`);
    const columns = Array.from(
      { length: 10 },
      (_, k) =>
        `CASE WHEN (i + ${k}) % 5 = 0 THEN NULL ELSE 'level ' || CAST(i % ${k + 2} AS INTEGER) END AS c${k}`,
    );
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE rows AS
       SELECT ${columns.join(', ')}, DATE '2026-01-01' + CAST(i % 3 AS INTEGER) AS "at" FROM range(${rows}) t(i)`,
    );
    const pair = await openPair(engine, {
      ...{ reference: 'rows', current: '(SELECT * FROM rows LIMIT 400)', time: 'at' },
      ...{ unit: 'day', exclude: [] },
    });
    let read = 0;
    for await (const data of readColumns(engine, pair)) {
      if (data.kind !== 'categorical') throw new TypeError(`${data.name} is a text`);
      const k = Number(data.name.slice(1));
      for (const [side, n] of [
        [data.reference, rows],
        [data.current, 400],
      ] as const) {
        const byBlock = new Float64Array(3 * data.levels.length);
        const nulls = new Float64Array(3);
        for (let i = 0; i < n; i++) {
          const at = level(k, i);
          if (at === null) nulls[i % 3]!++;
          else byBlock[(i % 3) * data.levels.length + data.levels.indexOf(at)]!++;
        }
        expect(side.byBlock).toEqual(byBlock);
        expect(side.nullsByBlock).toEqual(nulls);
      }
      read++;
    }
    expect(read).toBe(10);
  });

  it('leaves rows without a time out of the values, and counts nulls by block', async () => {
    const engine = await test.engine();
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE rows AS
       SELECT * FROM (VALUES (1.5::DOUBLE, DATE '2026-01-01'), (NULL, DATE '2026-01-01'), (7.5, NULL), ('inf', DATE '2026-01-02'),
         (2.5, DATE '2026-01-02')) t(x, "at")`,
    );
    const pair = await openPair(engine, {
      ...{ reference: 'rows', current: '(SELECT * FROM rows WHERE "at" IS NOT NULL)', time: 'at' },
      ...{ unit: 'day', exclude: [] },
    });
    expect(pair.reference.rowsWithoutTime).toBe(1);
    for await (const data of readColumns(engine, pair)) {
      if (data.kind !== 'numeric') throw new TypeError('x is a number');
      for (const side of [data.reference, data.current]) {
        expect([...side.sample.sorted()]).toEqual([1.5, 2.5]);
        expect([...side.nullsByBlock]).toEqual([1, 1]);
      }
    }
  });
});
