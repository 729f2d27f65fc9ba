import { identifier, type SqlEngine } from '../data/engine.ts';
import { enoughAssignments } from '../stats/block-strata.ts';
import { mmd } from '../stats/mmd.ts';
import { isUndefined } from '../stats/undefined.ts';
import type { JointDrift } from './drift-report.ts';
import { type JointColumn, jointPoints } from './joint-points.ts';
import type { MonitoringPolicy } from './policy.ts';
import { decidable } from './significance.ts';
import type { Side, TablePair } from './tables.ts';
import { weekdayStrata } from './weekdays.ts';

/** Rows read of each side, spread over its blocks, and columns looked at. */
const sampledRows = 20_000;
const mostColumns = 60;
/** A little under the limit, which then cuts off almost never. */
const target = sampledRows - 4 * Math.sqrt(sampledRows);
/** Without times rows are put into so many groups a side by chance, which are exchanged instead of single rows. */
const groups = 100;

/**
 * Whether rows differ in how their columns go together, from a seeded sample of both tables (src/stats/mmd.ts). It
 * sees what each column by itself may not show, and cannot say which columns it was.
 */
export async function jointDrift(
  engine: SqlEngine,
  pair: TablePair,
  policy: MonitoringPolicy,
): Promise<JointDrift> {
  const open: JointDrift = {
    ...{ statistic: null, p_block: null, assignments: 0, rows_reference: 0, rows_current: 0 },
    verdict: 'not_decidable',
  };
  if (!decidable(pair, policy) || pair.columns.length < 2) return open;
  // blocks of both sides of one size: small ones scatter more, and would look moved (src/stats/block-thinning.ts)
  const perBlock = Math.min(
    ...[pair.reference, pair.current].map((side) => Math.min(side.rows, target) / blocksOf(side, pair)),
  );
  const sides = [
    await sample(engine, { pair, side: pair.reference, perBlock, seed: policy.seed }),
    await sample(engine, { pair, side: pair.current, perBlock, seed: policy.seed + 1 }),
  ] as const;
  const [before, now] = [sides[0].block.length, sides[1].block.length];
  const told = { ...open, rows_reference: before, rows_current: now };
  if (Math.min(before, now) < policy.minimum_rows) return { ...told, verdict: 'too_few_rows' };
  const columns = sides[0].columns.map((column, i) => join(column, sides[1].columns[i] as JointColumn));
  const [referenceBlocks, currentBlocks] = [blocksOf(pair.reference, pair), blocksOf(pair.current, pair)];
  const strata = weekdayStrata(pair, policy);
  const result = mmd({
    ...jointPoints(columns, before + now),
    block: Int32Array.from([...sides[0].block, ...sides[1].block.map((block) => referenceBlocks + block)]),
    ...{ referenceBlocks, currentBlocks, permutations: policy.permutations, seed: policy.seed },
    ...(strata === null || !enoughAssignments(strata, referenceBlocks) ? {} : { strata }),
  });
  if (isUndefined(result)) return told;
  return {
    ...told,
    statistic: result.statistic,
    p_block: result.p,
    assignments: result.assignments,
    verdict: result.p <= policy.alpha ? 'drift' : 'ok',
  };
}

const blocksOf = (side: Side, pair: TablePair): number => (pair.timed ? side.blocks.length : groups);

interface Sample {
  block: number[];
  columns: JointColumn[];
}

/** A part of the rows by their place and the seed. */
async function sample(
  engine: SqlEngine,
  { pair, side, perBlock, seed }: { pair: TablePair; side: Side; perBlock: number; seed: number },
): Promise<Sample> {
  const chosen = pair.columns.slice(0, mostColumns);
  const values = chosen.map(({ name, kind }, i) =>
    kind === 'numeric'
      ? `CAST(${identifier(name)} AS DOUBLE) AS "c${i}"`
      : `CAST(${identifier(name)} AS VARCHAR) AS "c${i}"`,
  );
  const share = Math.min(1, (perBlock * blocksOf(side, pair)) / Math.max(1, side.rows));
  const chance = 'CAST(hash(place, ?) % 1000003 AS DOUBLE) / 1000003';
  const rows = await engine.rows(
    `SELECT * EXCLUDE (place), CAST(hash(place, ? + 7) % ${groups} AS INTEGER) AS "group" FROM (
       SELECT ${identifier(pair.block)} AS "block", ${values.join(', ')}, row_number() OVER () AS place
       FROM ${side.relation} WHERE ${identifier(pair.block)} IS NOT NULL)
     WHERE ${chance} < ? LIMIT ${sampledRows}`,
    [seed, seed, share],
  );
  return {
    block: rows.map((row) => Number(pair.timed ? row.block : row.group)),
    columns: chosen.map(({ kind }, i) =>
      kind === 'numeric'
        ? { kind, values: Float64Array.from(rows, (row) => finite(row[`c${i}`])) }
        : { kind, values: rows.map((row) => (row[`c${i}`] === null ? null : String(row[`c${i}`]))) },
    ),
  };
}

function finite(value: unknown): number {
  const number = value === null ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : Number.NaN;
}

function join(a: JointColumn, b: JointColumn): JointColumn {
  if (a.kind === 'numeric' && b.kind === 'numeric')
    return { kind: 'numeric', values: Float64Array.from([...a.values, ...b.values]) };
  return { kind: 'categorical', values: [...a.values, ...b.values] as (string | null)[] };
}
