import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { type Clusters, encodeClusters } from '../stats/influence.ts';
import { suggest } from '../suggest.ts';
import type { GatePolicy, MetricPolicy } from './policy.ts';

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

/** Row values of a business metric: its SQL evaluated with either model's prediction. */
export interface RowLosses {
  champion: Float64Array | null;
  candidate: Float64Array;
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
  /** By metric, for those with a `row_loss`. */
  losses: Map<string, RowLosses>;
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

/** Reads what a policy needs of an evaluation. Rows come in the order of their key, so that sums repeat. */
export async function readScores(engine: SqlEngine, view: string, policy: GatePolicy): Promise<Scores> {
  const { kept, hasChampion, hasCluster } = await declareViews(engine, view);
  const by = policy.slices?.by ?? [];
  for (const column of by) requireKept(column, kept, 'slices.by');
  for (const slice of policy.slices?.critical ?? [])
    for (const column of Object.keys(slice.where)) requireKept(column, kept, 'slices.critical');
  const sliced = [
    ...new Set([...by, ...(policy.slices?.critical ?? []).flatMap((slice) => Object.keys(slice.where))]),
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
  const losses = new Map<string, RowLosses>();
  for (const metric of policy.metrics) {
    if (metric.row_loss !== undefined)
      losses.set(metric.metric, await rowLosses(engine, { metric, hasChampion }));
  }
  return {
    rows: label.length,
    label,
    candidate: vector('candidate'),
    champion: hasChampion ? vector('champion') : null,
    clusters: hasCluster ? encodeClusters(vector('cluster')) : null,
    slices,
    losses,
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

async function rowLosses(
  engine: SqlEngine,
  { metric, hasChampion }: { metric: MetricPolicy; hasChampion: boolean },
): Promise<RowLosses> {
  const expression = metric.row_loss as string;
  const where = `gate.metrics.${metric.metric}.row_loss`;
  await checkExpression(engine, { expression, where, type: 'number' });
  const read = async (view: string): Promise<Float64Array> => {
    const sql = `SELECT CAST((\n${expression}\n) AS DOUBLE) AS loss FROM ${view} ORDER BY key`;
    const values = (await runPolicySql(() => engine.columns(sql), where))[0]?.values;
    if (!(values instanceof Float64Array)) throw new Error('the engine gave no numbers for row_loss');
    return values;
  };
  return {
    candidate: await read('candidate_rows'),
    champion: hasChampion ? await read('champion_rows') : null,
  };
}

/** Whether a policy's SQL is one expression of the wanted type over the candidate's rows. */
export async function checkExpression(
  engine: SqlEngine,
  { expression, where, type }: { expression: string; where: string; type: 'number' | 'boolean' },
): Promise<void> {
  const columns = await runPolicySql(
    () => engine.describe(`SELECT (\n${expression}\n) AS value FROM candidate_rows`),
    where,
  );
  const found = columns[0]?.type ?? 'nothing';
  const right = type === 'boolean' ? found === 'boolean' : ['number', 'integer', 'boolean'].includes(found);
  if (columns.length === 1 && right) return;
  throw new UserError({
    code: 'config_invalid',
    message: `The SQL gives ${columns.length === 1 ? `a ${found}` : `${columns.length} columns`}, but one ${type} a row is needed.`,
    where,
    fix:
      type === 'boolean'
        ? 'Write a condition, e.g. prediction >= 0.'
        : 'Write a number, e.g. CASE WHEN label = 1 AND prediction < 0.5 THEN 100 ELSE 0 END.',
  });
}

/** Runs SQL that a policy brought along: what the engine objects to is the policy's mistake. */
export async function runPolicySql<T>(run: () => Promise<T>, where: string): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError({
      code: 'config_invalid',
      message: `The SQL does not run: ${(said ?? '').slice(0, 300)}`,
      where,
      fix: 'It may use key, label, prediction and the columns in features.keep.',
      cause: error,
    });
  }
}
