/**
 * How often the comparison of all columns together (`monitoring.joint`) alarms where nothing drifts, and what it finds
 * of a change that no column shows: each month's days dealt to two sides; planted, a share of the current rows exchange
 * their arr_delay with other rows of the same day.
 *
 *   npm run bench:monitoring -- joint [--splits 4] [--seed 1]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { openDuckDb } from '../../../src/data/duckdb.ts';
import type { SqlEngine } from '../../../src/data/engine.ts';
import { jointDrift } from '../../../src/monitoring/joint.ts';
import { MonitoringPolicy } from '../../../src/monitoring/policy.ts';
import { openPair } from '../../../src/monitoring/tables.ts';
import { columns, dealDays, flightsFile, type Split } from '../flights.ts';

const exchanged = [0, 0.1, 0.25, 0.5];

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { splits: { type: 'string', default: '4' }, seed: { type: 'string', default: '1' } },
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-bench-'));
  const engine = await openDuckDb({ workDirectory: folder });
  try {
    await engine.addFile('flights', flightsFile);
    await engine.execute(
      `CREATE TABLE year AS SELECT ${columns.join(', ')}, month, day, CAST(make_date(year, month, day) AS TIMESTAMP) AS at FROM flights`,
    );
    const splits = dealDays(Number(values.splits), Number(values.seed));
    const started = process.cpuUsage();
    console.log('alarms where a share of the current rows exchanged their arr_delay within the day:');
    for (const share of exchanged) {
      await plant(engine, share);
      let found = 0;
      for (const split of splits) if (await alarms(engine, split)) found++;
      console.log(`  ${100 * share} %: ${found} of ${splits.length}`);
    }
    const { user, system } = process.cpuUsage(started);
    const each = (user + system) / 1e6 / (splits.length * exchanged.length);
    console.log(`${each.toFixed(2)} CPU s a comparison`);
    return true;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rows chosen by hash get the arr_delay of the next chosen row of their day, in an order by hash. */
async function plant(engine: SqlEngine, share: number): Promise<void> {
  await engine.execute(
    `CREATE OR REPLACE TABLE mixed AS SELECT * EXCLUDE (place, chosen) REPLACE (
       CASE WHEN chosen THEN coalesce(
         lead(arr_delay) OVER (PARTITION BY "at", chosen ORDER BY hash(place, 5)),
         first_value(arr_delay) OVER (PARTITION BY "at", chosen ORDER BY hash(place, 5))) ELSE arr_delay END AS arr_delay)
     FROM (SELECT *, hash(place, 9) % 1000 < ${1000 * share} AND arr_delay IS NOT NULL AS chosen
           FROM (SELECT *, row_number() OVER () AS place FROM year))`,
  );
}

async function alarms(engine: SqlEngine, { month, reference, current }: Split): Promise<boolean> {
  const days = (name: string, days: number[]) =>
    `(SELECT * FROM ${name} WHERE month = ${month} AND day IN (${days.join(', ')}))`;
  const pair = await openPair(engine, {
    reference: days('year', reference),
    current: days('mixed', current),
    time: 'at',
    unit: 'day',
    columns,
    exclude: [],
  });
  const joint = await jointDrift(engine, pair, MonitoringPolicy.parse({ joint: true }));
  return joint.verdict === 'drift';
}
