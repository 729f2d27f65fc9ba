import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import { defaultMonitoringPolicy } from '../../src/monitoring/policy.ts';
import { type ReplayColumn, replayColumns } from '../../src/monitoring/replay.ts';
import { openPair } from '../../src/monitoring/tables.ts';
import { seededRandom, shuffle } from '../../src/stats/random.ts';

export const flightsFile = path.join(import.meta.dirname, '../../examples/flights/data/flights.parquet');

/** The columns that are compared: all but the calendar's own. */
export const columns = [
  'dep_time',
  'sched_dep_time',
  'dep_delay',
  'arr_time',
  'sched_arr_time',
  'arr_delay',
  'carrier',
  'flight',
  'tailnum',
  'origin',
  'dest',
  'air_time',
  'distance',
  'hour',
  'minute',
];

/** Planted into the current side, one at a time: two shifts of the mean, and a carrier with three points more. */
export const planted = [
  { column: 'arr_delay', told: 'arr_delay +10 min', goal: 0.9, sql: 'arr_delay + 10' },
  {
    column: 'carrier',
    told: 'carrier +3 points',
    goal: 0.95,
    sql: `CASE WHEN hash(flight, day, sched_dep_time) % 1000 < 36 THEN 'B6' ELSE carrier END`,
  },
  { column: 'air_time', told: 'air_time +5 min', goal: 0.6, sql: 'air_time + 5' },
];

/** Days (from 1) of one month dealt to two sides. */
export interface Split {
  month: number;
  reference: number[];
  current: number[];
}

/** Every month's days dealt at random, `perMonth` times: nothing drifts between the two sides. */
export function dealDays(perMonth: number, seed: number): Split[] {
  const splits: Split[] = [];
  for (let deal = 0; deal < perMonth; deal++) {
    for (let month = 1; month <= 12; month++) {
      const days = Int32Array.from({ length: new Date(2013, month, 0).getDate() }, (_, i) => i + 1);
      shuffle(days, seededRandom(1000 * (seed + deal) + month));
      const half = days.length >> 1;
      splits.push({ month, reference: [...days.subarray(0, half)], current: [...days.subarray(half)] });
    }
  }
  return splits;
}

export interface Month {
  blocks: readonly string[];
  /** Counts as they are, and (as the current side) with everything planted. */
  columns: ReplayColumn[];
}

/** Reads a year of flights once: counts by day of each month; and writes both versions for the peers to read. */
export async function readMonths(folder: string): Promise<{ months: Month[]; files: [string, string] }> {
  const engine = await openDuckDb({ workDirectory: folder });
  try {
    await engine.addFile('flights', flightsFile);
    // local days: rows of one operating day are alike
    await engine.execute(
      `CREATE TABLE still AS SELECT ${columns.join(', ')}, month, day, CAST(make_date(year, month, day) AS TIMESTAMP) AS at FROM flights`,
    );
    const shifts = planted.map(({ column, sql }) => `${sql} AS ${column}`).join(', ');
    await engine.execute(`CREATE TABLE moved AS SELECT * REPLACE (${shifts}) FROM still`);
    const files: [string, string] = [path.join(folder, 'still.parquet'), path.join(folder, 'moved.parquet')];
    await engine.writeParquet('SELECT * EXCLUDE ("at") FROM still', files[0]);
    await engine.writeParquet('SELECT * EXCLUDE ("at") FROM moved', files[1]);
    const months: Month[] = [];
    for (let month = 1; month <= 12; month++) {
      const pair = await openPair(engine, {
        reference: `(SELECT * FROM still WHERE month = ${month})`,
        current: `(SELECT * FROM moved WHERE month = ${month})`,
        time: 'at',
        unit: 'day',
        columns,
        exclude: [],
      });
      months.push({
        blocks: pair.reference.blocks,
        columns: await replayColumns(engine, pair, defaultMonitoringPolicy()),
      });
    }
    return { months, files };
  } finally {
    await engine.close();
  }
}
