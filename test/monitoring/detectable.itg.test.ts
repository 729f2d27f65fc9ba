import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import { compareTables } from '../../src/monitoring/compare.ts';
import type { DriftReport } from '../../src/monitoring/drift-report.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { replayColumns } from '../../src/monitoring/replay.ts';
import { selfTest } from '../../src/monitoring/self-test.ts';
import { openPair } from '../../src/monitoring/tables.ts';

const flights = path.resolve('examples/flights/data/flights.parquet');
const columns = ['dep_delay', 'arr_delay', 'carrier', 'dest', 'air_time'];
const policy = MonitoringPolicy.parse({ columns, permutations: 999 });

let folder: string;
let engine: SqlEngine;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-detectable-'));
  engine = await openDuckDb({ workDirectory: folder });
  await engine.addFile('flights', flights);
  await engine.execute(
    `CREATE TABLE month AS SELECT ${columns.join(', ')}, day, CAST(make_date(year, month, day) AS TIMESTAMP) AS at FROM flights WHERE month = 12`,
  );
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (reference: string, current: string) =>
  openPair(engine, { reference, current, time: 'at', unit: 'day', columns, exclude: [] });

async function compare(current: string, change: Record<string, unknown> = {}): Promise<DriftReport> {
  const pair = await open('(SELECT * FROM month WHERE day % 2 = 1)', current);
  const options = { importance: null, names: { reference: 'odd days', current: 'even days' } };
  return compareTables(engine, pair, {
    ...options,
    policy: MonitoringPolicy.parse({ ...policy, ...change }),
  });
}

const even = '(SELECT * FROM month WHERE day % 2 = 0)';

describe('the smallest shift that a check would have found', () => {
  it('agrees with the shift that the self-test finds by planting, within a quarter', async () => {
    const report = await compare(even);
    const pair = await open('(SELECT * FROM month)', '(SELECT * FROM month WHERE false)');
    const { smallest } = selfTest({
      columns: await replayColumns(engine, pair, policy),
      ...{ blocks: pair.reference.blocks, length: 15, policy, deals: 1, powerDeals: 20 },
    });
    const ratios = report.columns.map(({ name, smallest_detectable: told }) => {
      const simulated = smallest.find((one) => one.name === name);
      expect(told?.unit).toBe(simulated?.unit);
      return [name, (told?.value ?? 0) / (simulated?.value ?? 1)] as const;
    });
    expect(ratios.map(([name]) => name).sort()).toEqual([...columns].sort());
    for (const [name, ratio] of ratios) {
      expect(ratio, name).toBeGreaterThan(0.75);
      expect(ratio, name).toBeLessThan(1.33);
    }
  });

  it("is told in the column's own unit, and never under its floor", async () => {
    const shift = 60;
    const { columns: told } = await compare(even, {
      floors: { arr_delay: { shift }, carrier: { points: 20 } },
    });
    const of = (name: string) => told.find((one) => one.name === name)?.smallest_detectable;
    expect(of('arr_delay')?.shift).toBeGreaterThan(0.9 * shift);
    expect(of('carrier')?.value).toBeGreaterThan(0.9 * 20);
    expect(of('carrier')?.shift).toBeNull();
  });

  it('is not told where nothing can be decided', async () => {
    const { columns: told } = await compare('(SELECT * FROM month WHERE day IN (2, 4, 6))');
    for (const { smallest_detectable, verdict } of told)
      expect({ smallest_detectable, verdict }).toEqual({
        smallest_detectable: null,
        verdict: 'not_decidable',
      });
  });
});
