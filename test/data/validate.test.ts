import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetFiles } from '../../src/data/snapshot.ts';
import { prepareSources } from '../../src/data/sources.ts';
import { check } from '../../src/stages/check.ts';
import { runStage } from '../../src/stages/define.ts';
import { ingest } from '../../src/stages/ingest.ts';
import { validate } from '../../src/stages/validate.ts';
import { keys } from '../../src/store/keys.ts';
import { flightsData, type TestContext, testContext } from './context.ts';

let test: TestContext;
let contract: string;
let january: string;
beforeAll(async () => {
  test = await testContext();
  contract = await test.code({
    'contract.yaml': await readFile('examples/flights/contracts/flights.yaml', 'utf8'),
  });
  january = await dataset('SELECT * FROM flights WHERE month = 1 AND day <= 15');
});
afterAll(() => test.close());

let batches = 0;
/** A dataset made of a query over the real flights. */
async function dataset(sql: string): Promise<string> {
  const engine = await test.engine();
  await engine.addFile('flights', path.join(flightsData, 'flights.parquet'));
  const file = path.join(test.folder, `batch-${batches++}.parquet`);
  await engine.writeParquet(sql, file);
  await engine.close();
  const sources = await prepareSources({
    sources: { flights: { file, time: 'time_hour' } },
    store: test.store,
  });
  const outcome = await runStage(ingest, { sources, model: 'flights-late' }, test.context);
  if (outcome.outputs.dataset === undefined) throw new Error(outcome.summary);
  return outcome.outputs.dataset;
}

async function judge(batch: string, as_of = '2013-01-16', baseline: string | null = january) {
  const input = { dataset: batch, contracts: { flights: contract }, as_of, baseline, model: 'flights-late' };
  return runStage(validate, input, test.context);
}

const batch = (change: string) => `SELECT ${change} FROM flights WHERE month = 1 AND day <= 15`;
const failed = (outcome: Awaited<ReturnType<typeof judge>>) =>
  (outcome.outputs.checks ?? []).filter((each) => each.verdict === 'fail');

describe('validate', () => {
  it('passes real flights', async () => {
    const outcome = await judge(january, '2013-01-16', null);
    expect(outcome).toMatchObject({
      verdict: 'pass',
      reason_code: 'checks_passed',
      outputs: { quarantine: null },
    });
    expect(outcome.outputs.counts!.pass).toBeGreaterThan(40);
  });

  it('[ING-1] names the old and the new name of a renamed column', async () => {
    const renamed = await dataset(batch('* RENAME (arr_delay AS delay_minutes)'));
    for (const baseline of [january, null]) {
      const outcome = await judge(renamed, '2013-01-16', baseline);
      expect(outcome).toMatchObject({
        verdict: 'fail',
        reason_code: 'contract_failed',
        failure_class: 'data',
      });
      expect(outcome.summary).toContain('arr_delay → delay_minutes');
    }
    const alike = failed(await judge(renamed))[0]!;
    expect(alike.message).toContain('distributed alike (100 %)');
    expect(alike.line).toBeGreaterThan(1);
  });

  it('[ING-1] pairs two renamed columns by their values', async () => {
    const outcome = await judge(await dataset(batch('* RENAME (arr_delay AS c1, dep_delay AS c2)')));
    const told = failed(outcome)
      .map((each) => each.message)
      .join(' ');
    expect(told).toContain('arr_delay → c1');
    expect(told).toContain('dep_delay → c2');
  });

  it('[ING-2] fails when integers became text, and does not convert them', async () => {
    const outcome = await judge(await dataset(batch('* REPLACE (CAST(distance AS VARCHAR) AS distance)')));
    expect(failed(outcome)).toMatchObject([
      { column: 'distance', rule: 'type', observed: 'string, VARCHAR', expected: 'integer' },
    ]);
  });

  it('[ING-4] fails as stale, by the as_of of the run', async () => {
    const outcome = await judge(january, '2013-01-20');
    expect(failed(outcome)).toMatchObject([{ rule: 'freshness', column: 'time_hour' }]);
    expect(outcome.summary).toMatch(/stale.*2 d/);
  });

  it('[ING-6] fails with the expected range and the number of rows', async () => {
    const outcome = await judge(await dataset('SELECT * FROM flights WHERE month = 1 AND day = 15'));
    expect(failed(outcome)).toMatchObject([{ rule: 'rowCount', expected: '10000 to 400000' }]);
    expect(outcome.summary).toMatch(/There are \d+ rows; expected 10000 to 400000/);
  });

  it('[VAL-2] fails with the rate of nulls and its limit', async () => {
    const outcome = await judge(
      await dataset(batch('* REPLACE (CASE WHEN minute > 20 THEN arr_delay END AS arr_delay)')),
    );
    expect(failed(outcome)).toMatchObject([
      { column: 'arr_delay', rule: 'nullValues', expected: 'less than 10 %' },
    ]);
    expect(failed(outcome)[0]!.message).toMatch(/arr_delay: \d+\.\d\d % .*expected: less than 10 %/);
  });

  it('[VAL-3] lists new categories, and those beyond the cardinality bounds', async () => {
    const outcome = await judge(
      await dataset(
        batch(
          "* REPLACE (CASE WHEN carrier = 'UA' THEN 'U2' ELSE carrier END AS carrier, CASE WHEN dest = 'BOS' THEN concat('B', chr(CAST(65 + minute % 26 AS INTEGER)), chr(CAST(65 + flight % 26 AS INTEGER))) ELSE dest END AS dest)",
        ),
      ),
    );
    const [carrier, dest] = failed(outcome);
    expect(carrier).toMatchObject({ column: 'carrier', rule: 'invalidValues' });
    expect(carrier!.message).toContain('New: U2');
    expect(dest).toMatchObject({ column: 'dest', rule: 'distinctValues', expected: '70 to 130' });
    expect(dest!.message).toMatch(/New: B[A-Z]{2}, /);
  });

  it('[VAL-5] fails when rows are there twice', async () => {
    const twice = await dataset(`${batch('*')} UNION ALL SELECT * FROM flights WHERE month = 1 AND day = 3`);
    const [check] = failed(await judge(twice));
    expect(check).toMatchObject({ rule: 'duplicateValues', expected: '0' });
    expect(check!.rows).toBeGreaterThan(800);
  });

  it('[VAL-1] compares range and distribution with an accepted batch', async () => {
    const far = await judge(await dataset(batch('* REPLACE (distance * 20 AS distance)')));
    expect(failed(far)).toMatchObject([{ column: 'distance', rule: 'range' }]);
    const moved = await judge(await dataset(batch('* REPLACE (distance + 90 AS distance)')));
    const warned = moved.outputs.checks!.filter((each) => each.verdict === 'warn');
    expect(warned).toMatchObject([{ column: 'distance', rule: 'distribution', expected: 'less than 0.2' }]);
    expect(moved.verdict).toBe('pass'); // the contract makes it a warning
  });

  it('[ING-9] keeps a rejected batch in quarantine, where no stage reads', async () => {
    const bad = await dataset(batch('* RENAME (arr_delay AS x9)'));
    const outcome = await judge(bad);
    const id = outcome.outputs.quarantine!;
    const { storage } = test.store;
    const kept = await storage.read(keys.quarantine('flights-late', id, 'checks.json'));
    expect(JSON.parse(kept!.toString('utf8'))).toMatchObject({ dataset: bad, sources: ['flights'] });
    expect(await storage.size(keys.quarantine('flights-late', id, 'flights.parquet'))).toBeGreaterThan(
      100_000,
    );
    // its id is not a dataset: no stage can be given it
    await expect(datasetFiles(test.store, id)).rejects.toMatchObject({ code: 'object_missing' });
  });

  it('says which rule cannot be computed', async () => {
    const text = (await readFile('examples/flights/contracts/flights.yaml', 'utf8')).replace(
      "'[A-Z]{3}'",
      "'[A-Z'",
    );
    const code = await test.code({ 'contract.yaml': text });
    const outcome = await runStage(
      validate,
      { dataset: january, contracts: { flights: code }, as_of: '2013-01-16', baseline: null, model: 'm' },
      test.context,
    );
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'contract_invalid' });
  });
});

describe('check', () => {
  it('checks a file without a store', async () => {
    const file = path.join(flightsData, 'weather.parquet');
    const outcome = await runStage(
      check,
      { file, contract: 'examples/flights/contracts/weather.yaml', as_of: '2013-12-31' },
      test.context,
    );
    expect(outcome).toMatchObject({ verdict: 'pass', outputs: { rows: 26115 } });
    const stale = await runStage(
      check,
      { file, contract: 'examples/flights/contracts/weather.yaml', as_of: '2014-02-01' },
      test.context,
    );
    expect(stale).toMatchObject({ verdict: 'fail', reason_code: 'contract_failed' });
    expect(await runStage(check, { file, contract: 'none.yaml' }, test.context)).toMatchObject({
      reason_code: 'config_missing',
    });
  });
});
