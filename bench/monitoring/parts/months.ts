/**
 * Real drift: each month of flights against the one before, by the decision that `modelgate drift` takes, beside a check in
 * plain SQL that shares no code with it: what changed most among the columns that were flagged and among those that were not.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { table } from '../../../src/cli/terminal.ts';
import { openDuckDb } from '../../../src/data/duckdb.ts';
import type { SqlEngine } from '../../../src/data/engine.ts';
import { compareTables } from '../../../src/monitoring/compare.ts';
import type { DriftColumn } from '../../../src/monitoring/drift-report.ts';
import { detectable, pValue, readable, withUnit } from '../../../src/monitoring/format.ts';
import { MonitoringPolicy } from '../../../src/monitoring/policy.ts';
import { openPair } from '../../../src/monitoring/tables.ts';
import { columns, flightsFile } from '../flights.ts';
import { type PlainChange, plainChange } from '../months.ts';

interface Judged {
  month: number;
  column: DriftColumn;
  plain: PlainChange;
}

/** The effect by SQL is on percentiles: it may differ from the exact one by this part, or by this size. */
const tolerance = { part: 0.1, size: 0.02 };

export async function run(): Promise<boolean> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-bench-'));
  const engine = await openDuckDb({ workDirectory: folder });
  try {
    await engine.addFile('flights', flightsFile);
    await engine.execute(
      `CREATE TABLE year AS SELECT ${columns.join(', ')}, month, day, CAST(make_date(year, month, day) AS TIMESTAMP) AS at FROM flights`,
    );
    const judged: Judged[] = [];
    for (let month = 2; month <= 12; month++) judged.push(...(await compareMonth(engine, month)));
    const flagged = judged.filter(({ column }) => column.verdict === 'drift');
    for (let month = 2; month <= 12; month++) {
      console.log(`\nmonth ${month} against ${month - 1}`);
      for (const { column } of flagged.filter((one) => one.month === month))
        console.log(`  ${column.summary} (q ${pValue(column.q_value)}, since ${column.since})`);
    }
    console.log('\nLargest changes that were not flagged, by Welch t of the days:');
    print(byT(judged.filter(({ column }) => column.verdict !== 'drift')).slice(0, 12));
    console.log('\nSmallest changes that were flagged, by Welch t of the days:');
    print(byT(flagged).slice(-12));
    const apart = judged.filter(({ column, plain }) => !agree(column, plain));
    console.log(
      `\n${flagged.length} of ${judged.length} flagged; effects that plain SQL does not confirm: ${apart.length}`,
    );
    print(apart);
    return apart.length === 0;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compareMonth(engine: SqlEngine, month: number): Promise<Judged[]> {
  const pair = await openPair(engine, {
    reference: `(SELECT * FROM year WHERE month = ${month - 1})`,
    current: `(SELECT * FROM year WHERE month = ${month})`,
    ...{ time: 'at', unit: 'day', columns, exclude: [] },
  });
  const report = await compareTables(engine, pair, {
    policy: MonitoringPolicy.parse({ columns }),
    importance: null,
    names: { reference: `month ${month - 1}`, current: `month ${month}` },
  });
  const rows = `(SELECT *, month = ${month} AS later FROM year WHERE month IN (${month - 1}, ${month}))`;
  const judged: Judged[] = [];
  for (const column of report.columns) {
    judged.push({ month, column, plain: await plainChange(engine, rows, column.name) });
  }
  return judged;
}

function agree({ aspects }: DriftColumn, plain: PlainChange): boolean {
  const told = aspects.find(({ aspect }) => aspect === 'distribution')?.effect ?? 0;
  return Math.abs(told - plain.effect) <= Math.max(tolerance.size, tolerance.part * told);
}

function byT(some: readonly Judged[]): Judged[] {
  return some.toSorted((a, b) => Math.abs(b.plain.t) - Math.abs(a.plain.t));
}

function print(some: readonly Judged[]): void {
  if (some.length === 0) return;
  console.log(
    table(
      ['month', 'column', 'effect', 'counts from', 'by SQL', 'before → after', 'days t', 'q', 'would find'],
      some.map(({ month, column, plain }) => [
        String(month),
        column.name,
        withUnit(column.effect, column.effect_unit),
        withUnit(column.effect_threshold, column.effect_unit),
        readable(plain.effect),
        `${plain.level === null ? '' : `${plain.level} `}${readable(plain.before)} → ${readable(plain.after)}`,
        plain.t.toFixed(1),
        pValue(column.q_value),
        detectable(column.smallest_detectable),
      ]),
    ),
  );
}
