import { describe, expect, it } from 'vitest';
import { leakageChecks } from '../../src/gate/checks/leakage.ts';
import { judgeEqualRows } from '../../src/gate/equal-rows.ts';
import { findLeakage } from '../../src/gate/leakage.ts';
import { LeakagePolicy } from '../../src/gate/policy-checks.ts';
import { runStage } from '../../src/stages/define.ts';
import { leakage } from '../../src/stages/leakage.ts';
import { openContext, openEngine, writeCsv } from './world.ts';

/** 300 rows of each table, written as SQL over their number `i`. */
const tables = (train: string, evaluation: string) => ({ train, evaluation });
async function look(
  cases: Record<string, ReturnType<typeof tables>>,
  key: string | null,
  each: (name: string, found: Awaited<ReturnType<typeof findLeakage>>) => void,
) {
  const engine = await openEngine();
  for (const [name, sides] of Object.entries(cases)) {
    for (const side of ['train', 'evaluation'] as const)
      await engine.execute(
        `CREATE OR REPLACE VIEW ${side} AS SELECT ${sides[side]} FROM (SELECT CAST(range AS BIGINT) AS i FROM range(300))`,
      );
    each(name, await findLeakage(engine, { train: 'train', evaluation: 'evaluation', key, time: null }));
  }
}

describe('equal values of other types', () => {
  const x = '(i * 7919 % 300) / 7.0 AS x';
  const other = '1000 + (i * 7919 % 300) / 7.0 AS x';
  it('[EVA-2] are the same keys', () =>
    look(
      {
        'integer and double': tables(`i AS id, ${x}`, `CAST(i AS DOUBLE) AS id, ${other}`),
        'integer and decimal': tables(`i AS id, ${x}`, `CAST(i AS DECIMAL(18, 2)) AS id, ${other}`),
        'integer and "1.0"': tables(`i AS id, ${x}`, `i || '.0' AS id, ${other}`),
        '"00001" and integer': tables(`format('{:05d}', i) AS id, ${x}`, `i AS id, ${other}`),
        'integer and " 1 "': tables(`i AS id, ${x}`, `' ' || i || ' ' AS id, ${other}`),
        'date and timestamp': tables(
          `DATE '2020-01-01' + CAST(i AS INTEGER) AS id, ${x}`,
          `TIMESTAMP '2020-01-01' + INTERVAL (i) DAY AS id, ${other}`,
        ),
        'text and date': tables(
          `CAST(DATE '2020-01-01' + CAST(i AS INTEGER) AS VARCHAR) AS id, ${x}`,
          `DATE '2020-01-01' + CAST(i AS INTEGER) AS id, ${other}`,
        ),
      },
      'id',
      (name, found) => expect(found, name).toMatchObject({ key: 300, exact: 0, key_missing: 0 }),
    ));

  it('[EVA-2] are the same rows', () =>
    look(
      {
        'boolean and 0/1': tables(`${x}, i % 2 = 0 AS q`, `${x}, CAST(i % 2 = 0 AS INTEGER) AS q`),
        'timestamp with and without zone': tables(
          `${x}, TIMESTAMP '2020-01-01' + INTERVAL (i) HOUR AS w`,
          `${x}, TIMESTAMPTZ '2020-01-01 00:00:00+00' + INTERVAL (i) HOUR AS w`,
        ),
        'NaN and null': tables(`${x}, CAST('nan' AS DOUBLE) AS z`, `${x}, CAST(NULL AS DOUBLE) AS z`),
        '−0 and 0': tables(`${x}, CAST('-0' AS DOUBLE) AS z`, `${x}, CAST(0 AS DOUBLE) AS z`),
        'float and double': tables(`CAST(i / 7.0 AS FLOAT) AS x`, `CAST(i / 7.0 AS DOUBLE) AS x`),
        'boolean and text': tables(
          `${x}, i % 2 = 0 AS q`,
          `${x}, CASE WHEN i % 2 = 0 THEN 'True' ELSE 'False' END AS q`,
        ),
      },
      null,
      (name, found) => expect(found, name).toMatchObject({ exact: 300, identical: 300, incomparable: [] }),
    ));

  it('whole numbers beyond 2^53 are compared exactly', () =>
    look(
      {
        integers: tables('i + 1152921504606846976 AS id', 'i + 1152921504606847276 AS id'),
        'integer and decimal': tables(
          'i + 1152921504606846976 AS id',
          'CAST(i + 1152921504606847276 AS DECIMAL(38, 0)) AS id',
        ),
      },
      null,
      (name, found) => expect(found, name).toMatchObject({ exact: 0, near: 0 }),
    ));

  it('what cannot be equal, or has no key, is never a clean answer', () =>
    look(
      {
        'date and number': tables(`DATE '2020-01-01' + CAST(i AS INTEGER) AS id, ${x}`, `i AS id, ${other}`),
        'words and number': tables(`'p' || i AS id, ${x}`, `i AS id, ${other}`),
        'no keys': tables(`i AS id, ${x}`, `CAST(NULL AS BIGINT) AS id, ${other}`),
        'one key missing in training': tables(
          `CASE WHEN i > 0 THEN i END AS id, ${x}`,
          `i + 1000 AS id, ${other}`,
        ),
      },
      'id',
      (name, found) => {
        expect(found.key, name).toBe(/number/.test(name) ? null : 0);
        if (found.key === null) expect(found.incomparable, name).toEqual(['id']);
        else expect(found.key_missing, name).toBe(/one/.test(name) ? 1 : 300);
        const checks = leakageChecks(found, LeakagePolicy.parse({}));
        expect(checks.find(({ id }) => id === 'leakage:key')?.verdict, name).toBe('inconclusive');
      },
    ));
});

describe('rows under fresh keys', () => {
  it('[EVA-2] are equal rows, and fail by default', () =>
    look({ all: tables('i AS id, i / 3.0 AS x', 'i + 5000 AS id, i / 3.0 AS x') }, 'id', (_, found) => {
      expect(found).toMatchObject({ exact: 300, identical: 0, repeated: 0, key: 0, near: 0 });
      const checks = leakageChecks(found, LeakagePolicy.parse({}));
      expect(checks.find(({ id }) => id === 'leakage:exact')).toMatchObject({
        effect: 'blocks',
        verdict: 'fail',
      });
    }));

  it('are nature where training rows repeat one another as often', () =>
    look({ few: tables('i AS id, i % 40 AS x', 'i + 5000 AS id, i % 40 AS x') }, 'id', (_, found) => {
      expect(found).toMatchObject({ exact: 300, identical: 0, repeated: 300 });
      const checks = leakageChecks(found, LeakagePolicy.parse({}));
      expect(checks.find(({ id }) => id === 'leakage:exact')).toMatchObject({
        verdict: 'pass',
        reason: expect.stringContaining('as often as training rows repeat one another it would be 300'),
      });
    }));

  it('are judged against the coverage of the training rows', () => {
    const judge = (exact: number, repeated: number, identical = 0) =>
      judgeEqualRows({ exact, identical, rows: 1000, repeated, train_rows: 10_000 });
    expect(judge(0, 0)).toBe('pass');
    expect(judge(1, 0)).toBe('fail');
    expect(judge(1, 9000, 1)).toBe('fail');
    expect(judge(100, 1000)).toBe('pass');
    expect(judge(150, 1000)).toBe('inconclusive');
    expect(judge(200, 1000)).toBe('fail');
    expect(judge(1000, 5000)).toBe('fail');
    expect(judge(1000, 9990)).toBe('pass');
  });
});

describe('the command without a key', () => {
  const run = (train: Record<string, unknown[]>, evaluation: Record<string, unknown[]>) =>
    runStage(
      leakage,
      {
        train: writeCsv(train),
        evaluation: writeCsv(evaluation),
        key: null,
        time: null,
        threshold: 0.9,
        seed: 0,
      },
      openContext(),
    );
  const ids = (from: number) => Array.from({ length: 200 }, (_, i) => from + i);
  const sizes = ids(0).map((i) => i / 7);

  it('says when rows are equal but for what tells them apart', async () => {
    const { verdict, summary, outputs } = await run(
      { id: ids(0), size: sizes },
      { id: ids(900), size: sizes },
    );
    expect(outputs).toMatchObject({ exact: 0, near: 0, but_for: { columns: ['id'], rows: 200 } });
    expect(verdict).toBe('inconclusive');
    expect(summary).toContain('200 rows are equal but for "id": name the row\'s id with --key.');
    const clean = await run({ id: ids(0), size: sizes }, { id: ids(900), size: sizes.map((x) => x + 100) });
    expect(clean).toMatchObject({ verdict: 'pass', outputs: { but_for: null } });
  });
});

it('one near row is found behind 4,000 that are like it, and too many to look at never pass', async () => {
  const engine = await openEngine();
  const columns = (value: (c: number) => string) =>
    Array.from({ length: 12 }, (_, c) => `${value(c)} AS c${c}`).join(', ');
  await engine.execute(
    `CREATE VIEW train AS SELECT ${columns((c) => (c === 3 ? "'V '" : "'v'"))} UNION ALL SELECT ${columns(
      (c) =>
        `CASE WHEN range % 12 = ${c} OR (range // 12 + 1 + range) % 12 = ${c} THEN 'u' || range ELSE 'v' END`,
    )} FROM range(4000)`,
  );
  await engine.execute(`CREATE VIEW evaluation AS SELECT ${columns(() => "'v'")}`);
  const found = await findLeakage(engine, {
    train: 'train',
    evaluation: 'evaluation',
    key: null,
    time: null,
  });
  expect(found).toMatchObject({ exact: 0, near: 1, near_limited: 0 });
  const near = (action: string, count: number) =>
    leakageChecks({ ...found, near: count, near_limited: 1 }, LeakagePolicy.parse({ near: action })).find(
      ({ id }) => id === 'leakage:near',
    );
  expect(near('fail', 0)).toMatchObject({ verdict: 'inconclusive', effect: 'blocks' });
  expect(near('warn', 0)).toMatchObject({ verdict: 'inconclusive', effect: 'warns' });
  expect(near('fail', 1)).toMatchObject({ verdict: 'fail' });
});
