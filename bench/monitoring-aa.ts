/**
 * False alarms and power of the drift decision on real days: each split deals the days of one month of flights at
 * random to a reference and a current side, so nothing drifted; then shifts are planted into the current side.
 *
 * Run: node bench/monitoring-aa.ts [splits per month, default 4] [first seed, default 1]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openDuckDb } from '../src/data/duckdb.ts';
import type { SqlEngine } from '../src/data/engine.ts';
import { compareTables } from '../src/monitoring/compare.ts';
import type { DriftReport } from '../src/monitoring/drift-report.ts';
import { MonitoringPolicy } from '../src/monitoring/policy.ts';
import { openPair } from '../src/monitoring/tables.ts';
import { seededRandom, shuffle } from '../src/stats/random.ts';

const file = path.join(import.meta.dirname, '../examples/flights/data/flights.parquet');
const perMonth = Number(process.argv[2] ?? 4);
const firstSeed = Number(process.argv[3] ?? 1);
const policy = MonitoringPolicy.parse({});

/** Planted into the current side: a shift of the mean, and a carrier that takes three points of the rows more. */
const planted = {
  arr_delay: 'arr_delay + 10',
  air_time: 'air_time + 5',
  carrier: `CASE WHEN hash(flight, day, sched_dep_time) % 1000 < 36 THEN 'B6' ELSE carrier END`,
};

async function compare(
  engine: SqlEngine,
  sides: { reference: string; current: string },
): Promise<DriftReport> {
  const pair = await openPair(engine, { ...sides, time: 'at', unit: 'day', exclude: [] });
  return compareTables(engine, pair, {
    policy,
    importance: null,
    names: { reference: 'one half', current: 'other half' },
  });
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-bench-'));
const engine = await openDuckDb({ workDirectory: folder });
const tally = { splits: 0, any: 0, columns: new Map<string, number>(), found: new Map<string, number>() };
const add = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
const started = performance.now();
try {
  await engine.addFile('flights', file);
  // local days: rows of one operating day are alike
  await engine.execute(
    `CREATE TABLE f AS SELECT * EXCLUDE (year, month, day, time_hour, tailnum), month, day, CAST(make_date(year, month, day) AS TIMESTAMP) AS at FROM flights`,
  );
  for (let month = 1; month <= 12; month++) {
    for (let split = 0; split < perMonth; split++) {
      const days = Int32Array.from({ length: new Date(2013, month, 0).getDate() }, (_, i) => i + 1);
      shuffle(days, seededRandom(1000 * (firstSeed + split) + month));
      const half = days.length >> 1;
      const rows = (chosen: Int32Array, columns: string) =>
        `(SELECT ${columns} FROM f WHERE month = ${month} AND day IN (${[...chosen].join(', ')}))`;
      const hidden = '* EXCLUDE (month, day)';
      const reference = rows(days.subarray(0, half), hidden);
      const still = await compare(engine, { reference, current: rows(days.subarray(half), hidden) });
      tally.splits++;
      if (still.drifted.length > 0) tally.any++;
      for (const name of still.drifted) add(tally.columns, name);
      const shifts = Object.entries(planted).map(([name, sql]) => `${sql} AS ${name}`);
      const moved = await compare(engine, {
        reference,
        current: rows(days.subarray(half), `${hidden} REPLACE (${shifts.join(', ')})`),
      });
      for (const name of moved.drifted) add(tally.found, name);
    }
    process.stderr.write(
      `month ${month}: ${tally.splits} splits, ${Math.round((performance.now() - started) / 1000)} s\n`,
    );
  }
} finally {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
}

const rate = (count: number | undefined) => ((count ?? 0) / tally.splits).toFixed(3);
console.log(
  `alpha ${policy.alpha}, ${policy.permutations} permutations, floors ${JSON.stringify(policy.floor)}`,
);
console.log(`${tally.splits} splits without drift: any alarm ${rate(tally.any)}`);
for (const [name, count] of tally.columns) console.log(`  ${name} ${rate(count)}`);
console.log('planted and found:');
for (const name of Object.keys(planted)) console.log(`  ${name} ${rate(tally.found.get(name))}`);
