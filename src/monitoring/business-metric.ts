import { identifier, type SqlEngine } from '../data/engine.ts';
import { boundOf, estimateCandidate, type SingleEstimate } from '../gate/metrics.ts';
import { checkExpression, runPolicySql } from '../gate/policy-sql.ts';
import { logColumns, sqlTypes } from '../serving/log-schema.ts';
import { tQuantile } from '../stats/distributions.ts';
import { encodeClusters, influenceError } from '../stats/influence.ts';
import { isUndefined } from '../stats/undefined.ts';

import { readable, signed } from './format.ts';
import type { LabelSource, MonitoringPolicy } from './policy.ts';
import { hasLabel, type ModelInput } from './served.ts';
import { plainSignal, type Signal } from './signal.ts';

export interface BusinessOptions {
  policy: MonitoringPolicy;
  /** View of the served predictions. */
  view: string;
  /** The inputs of the deployed model: those that no row of the view has are null in it. */
  inputs: readonly ModelInput[];
  /** View of the labels with their columns; null without. */
  labels: { view: string; source: LabelSource } | null;
}

const where = 'monitoring.business.sql';
const rowsView = 'business_rows';
const columns = { version: 'modelgate version', day: 'modelgate day' } as const;
const own = ['key', 'label', 'prediction'];

/** Values of one version's rows, where the expression gives one. */
interface Group {
  version: number;
  rows: number;
  values: Float64Array;
  days: (string | null)[];
}

/**
 * The business metric by version: the mean of an SQL expression over a served row, with an interval clustered by
 * day, against the version before where both served in the window. Days that both served are paired. `logged` where a
 * version is worse than the one before beyond chance. Throws `config_invalid` for SQL that does not run.
 */
export async function businessSignals(engine: SqlEngine, options: BusinessOptions): Promise<Signal[]> {
  const { business } = options.policy;
  if (business === undefined) return [];
  await declareRows(engine, options);
  await checkExpression(engine, { expression: business.sql, where, type: 'number', rows });
  const groups = await readGroups(engine, business.sql);
  return groups.map((group, i) => signalOf(group, groups[i - 1] ?? null, options.policy));
}

const rows = { view: rowsView, fix: 'It may use key, label, prediction and the inputs of the model.' };

async function declareRows(
  engine: SqlEngine,
  { view, inputs: declared, labels }: BusinessOptions,
): Promise<void> {
  const taken = [...Object.keys(logColumns), ...own];
  const isFree = (name: string) => !taken.includes(name.toLowerCase());
  const logged = (await engine.describe(`SELECT * FROM ${identifier(view)}`))
    .map(({ name }) => name)
    .filter(isFree);
  const there = new Set(logged.map((name) => name.toLowerCase()));
  const inputs = [
    ...logged.map((name) => `last.${identifier(name)}, `),
    // a window without a prediction, or none of this version yet: the SQL is as right as ever
    ...declared
      .filter(({ name }) => isFree(name) && !there.has(name.toLowerCase()))
      .map(({ name, type }) => `CAST(NULL AS ${sqlTypes[type]}) AS ${identifier(name)}, `),
  ];
  const truth =
    labels === null
      ? 'SELECT CAST(NULL AS VARCHAR) AS k, CAST(NULL AS DOUBLE) AS y WHERE FALSE'
      : `SELECT CAST(${identifier(labels.source.key)} AS VARCHAR) AS k, max(CAST(${identifier(labels.source.label)} AS DOUBLE)) AS y
         FROM ${identifier(labels.view)} WHERE ${hasLabel(labels.source)} GROUP BY 1`;
  // as for the metrics, a key that was predicted twice counts by its last prediction
  await engine.execute(
    `CREATE OR REPLACE TEMP VIEW ${rowsView} AS
     WITH truth AS (${truth}), last AS (
       SELECT * FROM ${identifier(view)} WHERE output IS NOT NULL
       QUALIFY row_key IS NULL OR row_number() OVER (PARTITION BY version, row_key ORDER BY arrived_at DESC, prediction_id) = 1
     )
     SELECT row_key AS key, truth.y AS label, output AS prediction, ${inputs.join('')}
       version AS ${identifier(columns.version)}, CAST(CAST(event_time AS DATE) AS VARCHAR) AS ${identifier(columns.day)}
     FROM last LEFT JOIN truth ON truth.k = last.row_key`,
  );
}

async function readGroups(engine: SqlEngine, sql: string): Promise<Group[]> {
  const [versions, days, values] = await runPolicySql(
    () =>
      engine.columns(
        `SELECT CAST(${identifier(columns.version)} AS DOUBLE) AS version, ${identifier(columns.day)} AS day, CAST((\n${sql}\n) AS DOUBLE) AS value
         FROM ${rowsView}`,
      ),
    where,
    rows.fix,
  );
  const of = (versions?.values ?? new Float64Array()) as Float64Array;
  const value = (values?.values ?? new Float64Array()) as Float64Array;
  const day = (days?.values ?? []) as (string | null)[];
  return [...new Set(of)]
    .sort((a, b) => a - b)
    .map((version) => {
      const mine = [...of.keys()].filter((i) => of[i] === version);
      const valued = mine.filter((i) => Number.isFinite(value[i]));
      return {
        version,
        rows: mine.length,
        values: Float64Array.from(valued, (i) => value[i] as number),
        days: valued.map((i) => day[i] ?? null),
      };
    });
}

function signalOf(group: Group, before: Group | null, policy: MonitoringPolicy): Signal {
  const { name = '', higher_is_better: higher = true } = policy.business ?? {};
  const base = {
    ...plainSignal,
    signal: 'business_metric' as const,
    name: `${name} of version ${group.version}`,
    version: group.version,
  };
  const n = group.values.length;
  const mean = n < policy.minimum_rows ? null : meanOf(group);
  if (mean === null) {
    const summary = `not enough data: ${n} of ${group.rows} predictions have a value, ${policy.minimum_rows} are needed`;
    return { ...base, verdict: 'not_enough_data', summary };
  }
  const interval = {
    low: boundOf(mean, 'low', policy.alpha / 2),
    high: boundOf(mean, 'high', policy.alpha / 2),
  };
  const told = `${name} of version ${group.version} is ${readable(mean.value)} (${readable(interval.low)} to ${readable(interval.high)}) over ${n} predictions`;
  const common = { ...base, value: mean.value, interval };
  const change =
    before === null || before.values.length < policy.minimum_rows ? null : changeOf(before, group, policy);
  if (change === null) return { ...common, verdict: 'ok', summary: told };
  const worse = higher ? change.high < 0 : change.low > 0;
  const summary = `${told}, ${signed(change.value)} (${signed(change.low)} to ${signed(change.high)}) against version ${before?.version}${worse ? ', which is worse' : ''}`;
  return { ...common, verdict: worse ? 'logged' : 'ok', summary };
}

function meanOf({ values, days }: Group): SingleEstimate | null {
  const clusters = encodeClusters(days);
  const estimate = estimateCandidate(
    { metric: 'business_metric' },
    {
      label: values,
      candidate: values,
      champion: null,
      clusters: clusters.count > 1 ? clusters : null,
      losses: { candidate: values, champion: null },
    },
  );
  return isUndefined(estimate) ? null : estimate;
}

/** The change of the mean with its two-sided interval, by influence values that days of both versions share. */
function changeOf(before: Group, after: Group, policy: MonitoringPolicy) {
  const mean = ({ values }: Group) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const psi = ({ values }: Group, centre: number, sign: number) =>
    values.map((value) => (sign * (value - centre)) / values.length);
  const [first, second] = [mean(before), mean(after)];
  const days = encodeClusters([...before.days, ...after.days]);
  const error = influenceError(
    Float64Array.from([...psi(before, first, -1), ...psi(after, second, 1)]),
    days.count > 1 ? days : null,
  );
  if (isUndefined(error)) return null;
  const half = tQuantile(1 - policy.alpha / 2, error.df) * error.se;
  const value = second - first;
  return { value, low: value - half, high: value + half };
}
