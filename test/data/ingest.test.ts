import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWithRetry } from '../../src/data/retry.ts';
import { prepareSources } from '../../src/data/sources.ts';
import { runStage } from '../../src/stages/define.ts';
import { ingest } from '../../src/stages/ingest.ts';
import { flightsData, type TestContext, testContext } from './context.ts';

let test: TestContext;
beforeAll(async () => {
  test = await testContext();
});
afterAll(() => test.close());

const january = { from: '2013-01-01', until: '2013-02-01' };

async function take(file: string, time: string | undefined, window?: { from?: string; until?: string }) {
  const sources = await prepareSources({
    sources: { rows: { file, ...(time === undefined ? {} : { time }) } },
    window,
    store: test.store,
  });
  return runStage(ingest, { model: 'm', sources }, test.context);
}

async function dataDigest(snapshot: string): Promise<string> {
  return test.store.file(await test.store.readManifest(snapshot, 'snapshot'), 'data.parquet').sha256;
}

describe('ingest', () => {
  it('[ING-11] makes one snapshot of the same rows, whatever their order, file or run', async () => {
    const weather = path.join(flightsData, 'weather.parquet');
    const first = await take(weather, 'time_hour', january);
    expect(first).toMatchObject({ verdict: 'pass', outputs: { rows: { rows: 2211 } } });
    const again = await take(weather, 'time_hour', january);
    expect(again).toMatchObject({ cached: true, outputs: first.outputs });
    // the stage itself, without its cache, and rows in another order and file
    const engine = await test.engine();
    await engine.addFile('w', weather);
    const other = path.join(test.folder, 'other.parquet');
    await engine.writeParquet('SELECT * FROM w ORDER BY hash(time_hour, origin)', other);
    const third = await take(other, 'time_hour', january);
    expect(third.cached).toBe(false);
    expect(third.outputs.snapshots).toEqual(first.outputs.snapshots);
    expect(third.outputs.dataset).toBe(first.outputs.dataset);
  });

  it('[ING-11] takes the same file once when a pattern finds it twice', async () => {
    const file = await test.parquet('part-1.parquet', 'SELECT range AS x FROM range(5)');
    await copyFile(file, path.join(test.folder, 'part-2.parquet'));
    expect((await take(path.join(test.folder, 'part-*.parquet'), undefined)).outputs.rows).toEqual({
      rows: 5,
    });
  });

  it('[ING-10] names a snapshot by the hash of its content', async () => {
    const one = await take(await test.parquet('a.parquet', 'SELECT 1 AS x'), undefined);
    const two = await take(await test.parquet('b.parquet', 'SELECT 2 AS x'), undefined);
    const [a, b] = [one, two].map((outcome) => outcome.outputs.snapshots!.rows!);
    expect(await dataDigest(a!)).toMatch(/^[0-9a-f]{64}$/);
    expect(await dataDigest(a!)).not.toBe(await dataDigest(b!));
  });

  it('[ING-2] keeps types as they are', async () => {
    const file = await test.parquet(
      'types.parquet',
      "SELECT '1' AS a, 1::SMALLINT AS b, 1.5::FLOAT AS c, DATE '2013-01-01' AS d",
    );
    const outcome = await take(file, 'd');
    const manifest = await test.store.readManifest(outcome.outputs.snapshots!.rows!, 'snapshot');
    expect(manifest.facts.columns).toEqual([
      { name: 'a', type: 'string', physicalType: 'VARCHAR' },
      { name: 'b', type: 'integer', physicalType: 'SMALLINT' },
      { name: 'c', type: 'number', physicalType: 'FLOAT' },
      { name: 'd', type: 'date', physicalType: 'DATE' },
    ]);
  });

  it('says that a window is empty, and where the rows lie', async () => {
    const file = path.join(flightsData, 'weather.parquet');
    const outcome = await take(file, 'time_hour', { from: '2015-01-01', until: '2015-02-01' });
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'data_empty', failure_class: 'data' });
    expect(outcome.summary).toContain('2015-01-01');
    expect(outcome.summary).toContain('2013-12-30');
    const none = await test.parquet('none.parquet', 'SELECT 1 AS x WHERE false');
    expect(await take(none, undefined)).toMatchObject({ reason_code: 'data_empty' });
  });

  it('[ING-1] names the columns that are there when the time column is gone', async () => {
    const file = await test.parquet(
      'renamed.parquet',
      "SELECT TIMESTAMP '2013-01-01' AS happened_at, 1 AS x",
    );
    const outcome = await take(file, 'time_hour');
    expect(outcome.summary).toContain('time_hour');
    expect(outcome.summary).toContain('happened_at');
  });

  it('refuses times that are none', async () => {
    const file = await test.parquet('times.parquet', "SELECT 'tomorrow' AS t");
    expect(await take(file, 't', january)).toMatchObject({ reason_code: 'data_unreadable' });
  });

  it('tells a damaged file from a good one, wherever the damage is, and never as our fault', async () => {
    const good = await readFile(
      await test.parquet('good.parquet', 'SELECT range AS x, md5(range::VARCHAR) AS y FROM range(3000)'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: good.length - 1 }),
        fc.integer({ min: 1, max: 60 }),
        async (at, length) => {
          const bytes = Buffer.from(good);
          bytes.fill(0xa7, at, Math.min(at + length, good.length));
          const file = path.join(test.folder, 'damaged.parquet');
          await writeFile(file, bytes);
          const reason = await take(file, undefined).then(
            (outcome) => outcome.reason_code,
            (error) => error.code,
          );
          expect(['data_unreadable', 'done']).toContain(reason);
        },
      ),
      { numRuns: 25, seed: 7 },
    );
  });

  it('[ING-7] says that a source is not there', async () => {
    await expect(take(path.join(test.folder, 'missing.parquet'), undefined)).rejects.toMatchObject({
      code: 'data_unavailable',
      failureClass: 'data',
    });
    await expect(take(path.join(test.folder, 'missing-*.parquet'), undefined)).rejects.toMatchObject({
      code: 'data_unavailable',
    });
  });

  it('[ING-7] reads a flaky source again, with back-off, and gives up in the end', async () => {
    const flaky = (failures: number) => {
      let calls = 0;
      return async () => {
        if (calls++ < failures) throw Object.assign(new Error('no'), { code: 'EIO' });
        return calls;
      };
    };
    expect(await readWithRetry('x', flaky(2), { delay: 1 })).toBe(3);
    const started = performance.now();
    await expect(readWithRetry('x', flaky(9), { attempts: 3, delay: 20 })).rejects.toMatchObject({
      code: 'data_unavailable',
      message: expect.stringContaining('3 times'),
    });
    expect(performance.now() - started).toBeGreaterThan(55);
  });
});
