import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { type Clusters, encodeClusters } from '../stats/influence.ts';
import { suggest } from '../suggest.ts';
import type { AggregateSamples } from './aggregate-metric.ts';
import { readOwnMetrics } from './own-metrics.ts';
import type { GatePolicy } from './policy.ts';

/** Slices with more values than this are refused: such a column names rows, not parts of the data. */
const maximumValues = 10_000;

/** A column whose values cut the rows into slices. */
export interface SliceColumn {
  column: string;
  /** Value of each code; null for missing values. */
  values: (string | null)[];
  /** Code of each row, in [0, values.length). */
  codes: Int32Array;
}

/** Row values of a metric of the policy's own: its SQL evaluated with either model's prediction. */
export interface RowLosses {
  champion: Float64Array | null;
  candidate: Float64Array;
  /** Of a ratio of sums; the values above are then its numerators. */
  denominators?: { champion: Float64Array | null; candidate: Float64Array };
}

/** The paired predictions of one evaluation, by columns; every array has `rows` entries in one order. */
export interface Scores {
  rows: number;
  /** 0/1 for classification, else the target. */
  label: Float64Array;
  candidate: Float64Array;
  champion: Float64Array | null;
  clusters: Clusters | null;
  slices: SliceColumn[];
  /** By metric, for those with SQL over the row. */
  losses: Map<string, RowLosses>;
  /** By metric, for those with an SQL aggregate. */
  aggregates?: Map<string, AggregateSamples>;
}

/** Columns of predictions.parquet with a meaning of their own; every other one is a kept column. */
const reserved = new Set(['candidate', 'champion', 'cluster']);

/**
 * Declares the views over which a policy's SQL runs: `candidate_rows` and `champion_rows`, each with key,
 * label, prediction and the kept columns. Gives the kept columns and whether there is a champion.
 */
export async function declareViews(
  engine: SqlEngine,
  view: string,
): Promise<{ columns: Column[]; kept: string[]; hasChampion: boolean; hasCluster: boolean }> {
  const columns = await engine.describe(`SELECT * FROM ${identifier(view)}`);
  const names = columns.map((column) => column.name);
  refuseShadows(names);
  const carried = names.filter((name) => !reserved.has(name)).map(identifier);
  const hasChampion = names.includes('champion');
  for (const model of hasChampion ? ['candidate', 'champion'] : ['candidate']) {
    await engine.execute(
      `CREATE VIEW ${identifier(`${model}_rows`)} AS SELECT ${carried.join(', ')}, ${identifier(model)} AS prediction FROM ${identifier(view)}`,
    );
  }
  const kept = names.filter((name) => !reserved.has(name) && name !== 'key' && name !== 'label');
  return { columns, kept, hasChampion, hasCluster: names.includes('cluster') };
}

/** A column of the data must not stand where a policy's SQL means ours; SQL knows names in any case. */
function refuseShadows(names: readonly string[]): void {
  const own = ['key', 'label', ...reserved];
  const shadow = names.find(
    (name) => !own.includes(name) && [...own, 'prediction'].includes(name.toLowerCase()),
  );
  if (shadow === undefined) return;
  throw new UserError({
    code: 'config_invalid',
    message: `The evaluation keeps a column ${JSON.stringify(shadow)}, and the gate has one of that name with a meaning of its own.`,
    where: { key: 'features.keep' },
    fix: 'Give the column another name in the feature SQL, and run the evaluation again.',
  });
}

/** Reads what a policy needs of an evaluation. Rows come in the order of their key, so that sums repeat. */
export async function readScores(engine: SqlEngine, view: string, policy: GatePolicy): Promise<Scores> {
  const { kept, hasChampion, hasCluster } = await declareViews(engine, view);
  const by = policy.slices?.by ?? [];
  for (const column of by) requireKept(column, kept, 'slices.by');
  for (const slice of policy.slices?.critical ?? [])
    for (const column of Object.keys(slice.where)) requireKept(column, kept, 'slices.critical');
  const groups = policy.fairness?.group ?? [];
  for (const column of groups) requireKept(column, kept, 'fairness.group');
  const sliced = [
    ...new Set([
      ...groups,
      ...by,
      ...(policy.slices?.critical ?? []).flatMap((slice) => Object.keys(slice.where)),
    ]),
  ];
  const parts = [
    'CAST(label AS DOUBLE) AS label',
    'CAST(candidate AS DOUBLE) AS candidate',
    ...(hasChampion ? ['CAST(champion AS DOUBLE) AS champion'] : []),
    ...(hasCluster ? ['dense_rank() OVER (ORDER BY cluster) - 1 AS cluster'] : []),
    ...sliced.map(
      (column, index) => `dense_rank() OVER (ORDER BY ${identifier(column)}) - 1 AS slice_${index}`,
    ),
  ];
  const vectors = await engine.columns(`SELECT ${parts.join(', ')} FROM ${identifier(view)} ORDER BY key`);
  const vector = (name: string): Float64Array => {
    const found = vectors.find((one) => one.name === name)?.values;
    if (!(found instanceof Float64Array)) throw new Error(`the engine gave no numbers for ${name}`);
    return found;
  };
  const label = vector('label');
  const slices: SliceColumn[] = [];
  for (const [index, column] of sliced.entries()) {
    const values = await sliceValues(engine, { view, column });
    slices.push({ column, values, codes: Int32Array.from(vector(`slice_${index}`)) });
  }
  const own = await readOwnMetrics(engine, { metrics: policy.metrics, view, hasChampion, hasCluster });
  return {
    rows: label.length,
    label,
    candidate: vector('candidate'),
    champion: hasChampion ? vector('champion') : null,
    clusters: hasCluster ? encodeClusters(vector('cluster')) : null,
    slices,
    ...own,
  };
}

function requireKept(column: string, kept: readonly string[], key: string): void {
  if (kept.includes(column)) return;
  const near = suggest(column, kept);
  throw new UserError({
    code: 'config_invalid',
    message: `The evaluation has no column ${JSON.stringify(column)} to cut slices by.`,
    where: { key: `gate.${key}` },
    fix:
      near === null
        ? `Add it to features.keep, or use one of: ${kept.slice(0, 20).join(', ') || 'none is kept'}.`
        : `Did you mean ${JSON.stringify(near)}? Otherwise add it to features.keep.`,
  });
}

async function sliceValues(
  engine: SqlEngine,
  { view, column }: { view: string; column: string },
): Promise<(string | null)[]> {
  const name = identifier(column);
  // the order of dense_rank: ascending, nulls last
  const rows = await engine.rows(
    `SELECT CAST(${name} AS VARCHAR) AS value FROM (SELECT DISTINCT ${name} FROM ${identifier(view)}) ORDER BY ${name} LIMIT ${maximumValues + 1}`,
  );
  if (rows.length > maximumValues) {
    throw new UserError({
      code: 'config_invalid',
      message: `Column ${JSON.stringify(column)} has more than ${maximumValues} values: it cannot cut slices.`,
      where: { key: 'gate.slices.by' },
      fix: 'Choose a column with few values, or make one from it in the feature SQL (a range, a region, a group).',
    });
  }
  return rows.map((row) => (row.value === null ? null : String(row.value)));
}
