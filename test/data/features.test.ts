import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertNoSkew, featureSkew } from '../../src/data/compare.ts';
import { computeFeatures } from '../../src/data/features.ts';
import { prepareSources } from '../../src/data/sources.ts';
import { runStage } from '../../src/stages/define.ts';
import { features } from '../../src/stages/features.ts';
import { ingest } from '../../src/stages/ingest.ts';
import { flightsData, type TestContext, testContext } from './context.ts';

let test: TestContext;
let dataset: string;
const window = { from: '2013-01-01', until: '2013-01-15' };
const sources = {
  flights: { file: path.join(flightsData, 'flights.parquet'), time: 'time_hour' },
  weather: { file: path.join(flightsData, 'weather.parquet'), time: 'time_hour' },
  airports: { file: path.join(flightsData, 'airports.parquet') },
};
const scheduled = 'CAST(time_hour AS TIMESTAMP) + to_minutes(minute)';
const known = {
  flights: {
    known: [
      { columns: ['dep_time', 'dep_delay'], at: `${scheduled} + to_minutes(CAST(dep_delay AS BIGINT))` },
      {
        columns: ['arr_time', 'arr_delay', 'air_time'],
        at: `${scheduled} + to_minutes(CAST(dep_delay + air_time AS BIGINT)) + INTERVAL 4 HOUR`,
      },
    ],
    known_at: null,
  },
  weather: { known: [], known_at: 'CAST(time_hour AS TIMESTAMP)' },
  airports: { known: [], known_at: null },
};
const definition = {
  key: 'flight_id',
  time: 'predict_at',
  label: 'late',
  keep: ['day'],
  joins: [{ from: 'flights.dest', to: 'airports.faa' }],
};

const sqlFile = (name: string) => readFile(`examples/flights/features/${name}.sql`, 'utf8');

beforeAll(async () => {
  test = await testContext();
  const prepared = await prepareSources({ sources, window, store: test.store });
  const outcome = await runStage(ingest, { sources: prepared, model: 'flights-late' }, test.context);
  dataset = outcome.outputs.dataset!;
});
afterAll(() => test.close());

async function run(sql: string, changes: Partial<typeof definition> = {}) {
  return runStage(
    features,
    {
      dataset,
      code: await test.code({ 'features.sql': sql }),
      definition: { ...definition, ...changes },
      known,
      time_from: window.from,
      time_until: window.until,
    },
    test.context,
  );
}

/** base.sql with another column, or with a piece of it changed. */
async function changed(from: string, to: string): Promise<string> {
  const sql = await sqlFile('base');
  expect(sql).toContain(from);
  return sql.replaceAll(from, to);
}

describe('features of the flights example', () => {
  it.each(['base', 'with-weather', 'no-schedule'])(
    '[FEA-6] %s.sql knows nothing of the future',
    async (name) => {
      const outcome = await run(await sqlFile(name));
      expect(outcome.error).toBeUndefined();
      expect(outcome.outputs.rows).toBeGreaterThan(11_000);
      const { facts } = await test.store.readManifest(outcome.outputs.features!, 'features');
      expect(facts.point_in_time).toMatchObject({ rows: expect.any(Number) });
      expect((facts.point_in_time as { rows: number }).rows).toBeGreaterThan(50);
      const columns = facts.columns as { name: string; role: string }[];
      expect(columns.slice(0, 4)).toMatchObject([
        { name: 'flight_id', role: 'key' },
        { name: 'predict_at', role: 'time' },
        { name: 'late', role: 'label', type: 'integer' },
        { name: 'day', role: 'keep' },
      ]);
      const engine = await test.engine();
      await engine.addFile('f', await test.store.manifestFile(outcome.outputs.features!, 'features.parquet'));
      expect((await engine.describe('SELECT * FROM f')).map((column) => column.name)).toEqual(
        columns.map((column) => column.name),
      );
      expect(await engine.rows('SELECT DISTINCT late FROM f ORDER BY 1')).toEqual([{ late: 0 }, { late: 1 }]);
    },
  );

  it('[FEA-6] refuses dep_delay: it is not known an hour before departure', async () => {
    const outcome = await run(
      await changed('carrier, origin, dest, distance,', 'carrier, origin, dest, distance, dep_delay,'),
    );
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'feature_leak', failure_class: 'data' });
    expect(outcome.summary).toContain('The feature dep_delay');
    expect(outcome.summary).toMatch(/by up to|known was null/);
  });

  it('[FEA-6] refuses a window that ends after the prediction, by name and size', async () => {
    const outcome = await run(
      await changed(
        'PARTITION BY origin ORDER BY moment RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW',
        'PARTITION BY origin ORDER BY moment RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND INTERVAL 6 HOUR FOLLOWING',
      ),
    );
    expect(outcome.reason_code).toBe('feature_leak');
    expect(outcome.summary).toMatch(/origin_(delay|late)_7d.*by up to [\d.]+/);
  });

  it('[FEA-6] refuses weather that was observed later', async () => {
    const sql = (await sqlFile('with-weather')).replace('seen.moment >=', 'seen.moment + INTERVAL 1 HOUR >=');
    expect((await run(sql)).reason_code).toBe('feature_leak');
  });

  it('[FEA-6] refuses a choice of rows that depends on the outcome', async () => {
    const outcome = await run(await changed('WHERE asked', 'WHERE asked AND dep_delay IS NOT NULL'));
    expect(outcome.reason_code).toBe('feature_leak');
    expect(outcome.summary).toContain('Which rows there are');
  });

  it('says what a join loses', async () => {
    const outcome = await run(await sqlFile('base'));
    const { facts } = await test.store.readManifest(outcome.outputs.features!, 'features');
    const [join] = facts.joins as { rows: number; matched: number; lost: number; examples: unknown[] }[];
    expect(join!.rows).toBe(join!.matched + join!.lost);
    expect(join!.lost).toBeGreaterThan(0);
    expect(join!.examples.map((example) => (example as unknown[])[0])).toContain('SJU');
    expect(outcome.summary).toContain(`loses ${join!.lost} of ${join!.rows} rows`);
  });

  it('counts and leaves out rows without a label', async () => {
    const outcome = await run(await sqlFile('base'));
    const engine = await test.engine();
    await engine.addFile('flights', sources.flights.file);
    const [row] = await engine.rows(
      `SELECT count(*) AS n FROM flights WHERE arr_delay IS NULL AND CAST(time_hour AS TIMESTAMP) >= '2013-01-01'
       AND ${scheduled} - INTERVAL 1 HOUR < '2013-01-15' AND CAST(time_hour AS TIMESTAMP) < '2013-01-15'`,
    );
    expect(outcome.summary).toContain(`${String(row!.n)} rows without a label`);
  });

  it.each([
    ['one class only', 'arr_delay > 15 AS late', 'true AS late', 'label_invalid', 'is 1 in all'],
    [
      'no label at all',
      'arr_delay > 15 AS late',
      'CAST(NULL AS BOOLEAN) AS late',
      'label_invalid',
      'have no label',
    ],
    ['a label of text', 'arr_delay > 15 AS late', "'yes' AS late", 'label_invalid', 'VARCHAR'],
    [
      'NaN as label',
      'arr_delay > 15 AS late',
      "CASE WHEN minute = 5 THEN 'NaN'::DOUBLE ELSE 1 END AS late",
      'label_invalid',
      'NaN',
    ],
    [
      'a feature without values',
      'distance,',
      'CAST(NULL AS DOUBLE) AS distance,',
      'feature_sql_failed',
      'distance has no value',
    ],
    [
      'infinite values',
      'distance,',
      "CAST('inf' AS DOUBLE) AS distance,",
      'feature_sql_failed',
      'distance is infinite',
    ],
    ['a time as feature', 'distance,', 'scheduled_at AS distance,', 'feature_sql_failed', 'TIMESTAMP'],
    [
      'a key that is not unique',
      "concat_ws('-', date, carrier, flight, origin, sched_dep_time)",
      'carrier',
      'feature_sql_failed',
      'not unique',
    ],
    ['a missing column', 'AS predict_at', 'AS predicted_at', 'feature_sql_failed', 'no column predict_at'],
    ['an unknown column', 'distance,', 'distanse,', 'feature_sql_failed', 'distanse'],
  ])('refuses %s', async (_what, from, to, code, told) => {
    const sql = await sqlFile('base');
    expect(sql).toContain(from);
    const outcome = await run(sql.replace(from, to));
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: code });
    expect(outcome.summary).toContain(told);
  });

  it.each([
    'SELECT 1; DROP VIEW flights',
    'DROP TABLE x',
    "COPY flights TO '/tmp/x.csv'",
    "SELECT * FROM read_text('/etc/hostname')",
  ])('refuses SQL that is not one SELECT over the sources: %s', async (sql) => {
    expect(await run(sql)).toMatchObject({ reason_code: 'feature_sql_failed' });
  });

  it('names the line of the SQL that is wrong', async () => {
    const outcome = await run('SELECT *\nFROM flights\nWHERE nonsense > 1');
    expect(outcome.error).toMatchObject({ where: 'features.sql:3' });
  });

  it('gives the same bytes in every run', async () => {
    const outcome = await run(await sqlFile('base'));
    const again = await run(`${await sqlFile('base')}\n-- a comment`);
    const digests = await Promise.all(
      [outcome, again].map(
        async ({ outputs }) =>
          test.store.file(await test.store.readManifest(outputs.features!), 'features.parquet').sha256,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
  });
});

describe('[FEA-1] skew between served and recomputed features', () => {
  it('names feature, size and row, and is silent without any', async () => {
    const engine = await test.engine();
    const files = { flights: sources.flights.file, airports: sources.airports.file };
    const sql =
      'SELECT concat(flight, carrier, origin, time_hour) AS k, hour > 12 AS late, distance / 3 AS third, carrier FROM flights WHERE month = 1 AND day = 1';
    const table = await computeFeatures({
      engine,
      sources: files,
      sql,
      definition: { key: 'k', label: 'late', keep: [], joins: [] },
    });
    await engine.execute('CREATE TABLE served AS SELECT * FROM features');
    const compare = () =>
      featureSkew({
        engine,
        logged: 'served',
        recomputed: table.table,
        key: 'k',
        features: table.columns.filter((column) => column.role === 'feature'),
      });
    const same = await compare();
    expect(same).toMatchObject({ rows: table.rows, differences: [], only_left: 0, only_right: 0 });
    assertNoSkew(same);
    // a server that computes in 32 bits, and one row that it got quite wrong
    await engine.execute('UPDATE served SET third = CAST(third AS FLOAT)');
    await engine.execute('UPDATE served SET third = third + 7 WHERE k = (SELECT max(k) FROM served)');
    const skewed = await compare();
    expect(skewed.differences[0]).toMatchObject({ feature: 'third' });
    expect(skewed.differences[0]!.largest).toBeCloseTo(7, 3);
    expect(() => assertNoSkew(skewed)).toThrow(/third: \d+ of \d+ rows, by up to 6\.99/);
  });
});
