import type { SqlEngine } from '../../src/data/engine.ts';
import { computeBlocks } from '../../src/data/profile.ts';
import { blockSide } from '../../src/monitoring/block-side.ts';
import { compareTables } from '../../src/monitoring/compare.ts';
import { compareBlocks } from '../../src/monitoring/compare-blocks.ts';
import type { DriftReport } from '../../src/monitoring/drift-report.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { segmentsBy } from '../../src/monitoring/segments.ts';
import { openPair, type TablePair } from '../../src/monitoring/tables.ts';
import { bench } from './context.ts';

const names = { reference: 'before', current: 'after' };

/**
 * Two tables (SQL, with days in `moment`) compared from rows, and from profiles of single days added up. Segments by
 * other columns are read from rows both times, as a check of what was served does.
 */
export async function compareBothWays(
  tables: { reference: string; current: string },
  change: object = {},
): Promise<{
  rows: DriftReport;
  blocks: DriftReport;
  pair: TablePair;
  policy: MonitoringPolicy;
  engine: SqlEngine;
}> {
  const { engine } = await bench();
  const policy = MonitoringPolicy.parse({
    permutations: 499,
    // measured only where it is asked for; no p is below 0
    classical: { cramer_von_mises: 0 },
    ...change,
  });
  await engine.execute(`CREATE VIEW reference AS ${tables.reference}`);
  await engine.execute(`CREATE VIEW current AS ${tables.current}`);
  const pair = await openPair(engine, {
    ...{ reference: 'reference', current: 'current', time: 'moment', unit: 'day', exclude: [] },
    columns: policy.columns,
  });
  const rows = await compareTables(engine, pair, { policy, importance: null, names });
  const reference = await computeBlocks({ engine, view: 'reference', time: 'moment' });
  const days = await engine.rows('SELECT DISTINCT CAST(moment AS VARCHAR) AS day FROM current ORDER BY 1');
  const current = [];
  for (const { day } of days) {
    await engine.execute(
      `CREATE OR REPLACE VIEW one AS SELECT * EXCLUDE (moment) FROM current WHERE moment = DATE '${day}'`,
    );
    current.push({ blocks: await computeBlocks({ engine, view: 'one', time: null }), day: String(day) });
  }
  const blocks = await compareBlocks(
    {
      reference: blockSide([{ blocks: reference }], 'day'),
      current: blockSide(current, 'day'),
      columns: pair.columns.map(({ name, kind }) => ({ name, stored: name, kind })),
      leftOut: [],
      schema: { missing: [], unexpected: [], changed: [] },
      timed: true,
    },
    { policy, importance: null, names, dimensions: (question) => segmentsBy(engine, pair, question) },
  );
  return { rows, blocks, pair, policy, engine };
}
