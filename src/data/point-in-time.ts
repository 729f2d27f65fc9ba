import { UserError } from '../errors.ts';
import { type Comparison, compareFeatures, type FeatureDifference } from './compare.ts';
import type { FeatureColumn, FeatureDefinition, Known } from './definition.ts';
import { identifier, type SqlEngine } from './engine.ts';
import { makeTable, rawView, statement } from './features.ts';
import { asTimestamp, instant, sqlTimestamp } from './time.ts';

const hour = 3_600_000;

export interface PointInTimeRequest {
  engine: SqlEngine;
  /** The table that `computeFeatures` made, in the same session. */
  table: string;
  columns: readonly FeatureColumn[];
  sql: string;
  definition: FeatureDefinition;
  sources: readonly string[];
  known: Record<string, Known>;
  /** How many moments are looked at, spread over the whole time. */
  cuts?: number;
  seed?: number;
}

export interface PointInTimeReport {
  /** The moments, ISO 8601 in UTC. */
  cuts: string[];
  /** Rows whose features were compared. */
  rows: number;
}

/**
 * Whether features hold only what was known: for several moments T the sources are shown as they were known
 * at T, the SQL is run again, and the features of rows predicted in (T − 1 h, T] must come out the same. A
 * difference means that a value from after T was used. Throws `feature_leak` with feature, size and row.
 */
export async function checkPointInTime(request: PointInTimeRequest): Promise<PointInTimeReport | null> {
  const { engine, definition } = request;
  const { time } = definition;
  if (time === undefined) return null;
  const cuts = await chooseCuts(request, time);
  const report: PointInTimeReport = { cuts, rows: 0 };
  try {
    for (const cut of cuts) {
      const compared = await compareAt(request, time, cut);
      const lost = compared.only_left + compared.only_right;
      if (lost > 0) throw rowsLeak(lost, compared, cut);
      const [worst] = compared.differences;
      if (worst !== undefined) throw featureLeak(worst, compared, cut);
      report.rows += compared.rows;
    }
  } finally {
    for (const source of request.sources) {
      await engine.execute(
        `CREATE OR REPLACE VIEW ${identifier(source)} AS SELECT * FROM ${identifier(rawView(source))}`,
      );
    }
  }
  return report;
}

/** Prediction times of seeded rows, one from each equal part of the rows in time. */
async function chooseCuts(request: PointInTimeRequest, time: string): Promise<string[]> {
  const key = `CAST(${identifier(request.definition.key)} AS VARCHAR)`;
  const rows = await request.engine.rows(
    `SELECT part, arg_min(moment, (pick, moment)) AS moment FROM (
       SELECT ${identifier(time)} AS moment, md5(concat($1, ${key})) AS pick,
              ntile(${request.cuts ?? 3}) OVER (ORDER BY ${identifier(time)}, ${key}) AS part
       FROM ${identifier(request.table)}
     ) GROUP BY part ORDER BY part`,
    [`${request.seed ?? 0} `],
  );
  return rows.map((row) => String(row.moment));
}

async function compareAt(request: PointInTimeRequest, time: string, cut: string): Promise<Comparison> {
  const { engine, definition, columns } = request;
  for (const source of request.sources) await showAsKnown(request, source, cut);
  const end = instant(cut);
  // (T − 1 h, T] in whole milliseconds
  const [from, until] = [end - hour + 1, end + 1].map((at) => new Date(at).toISOString()) as [string, string];
  const bounds = `${identifier(time)} >= TIMESTAMP '${sqlTimestamp(from)}' AND ${identifier(time)} < TIMESTAMP '${sqlTimestamp(until)}'`;
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE "as used" AS SELECT * FROM ${identifier(request.table)} WHERE ${bounds}`,
  );
  await makeTable({
    engine,
    sql: statement(request.sql),
    columns,
    definition,
    table: 'as known',
    from,
    until,
  });
  return compareFeatures({
    engine,
    left: 'as used',
    right: 'as known',
    key: definition.key,
    features: columns.filter((column) => column.role === 'feature'),
    // sums may be added in another order when rows are missing
    tolerance: 1e-9,
  });
}

/** Shows a source as known at a moment: later rows are gone, later values are null. */
async function showAsKnown(request: PointInTimeRequest, source: string, cut: string): Promise<void> {
  const { engine } = request;
  const raw = identifier(rawView(source));
  const { known, known_at } = request.known[source] ?? { known: [], known_at: null };
  const moment = `TIMESTAMP '${sqlTimestamp(cut)}'`;
  const replaced: string[] = [];
  for (const { columns, at } of known) {
    const when = await knownExpression(engine, raw, at, source);
    for (const column of columns) {
      const name = identifier(column);
      replaced.push(`CASE WHEN ${when} <= ${moment} THEN ${name} END AS ${name}`);
    }
  }
  const rows =
    known_at === null ? '' : ` WHERE ${await knownExpression(engine, raw, known_at, source)} <= ${moment}`;
  const values = replaced.length === 0 ? '*' : `* REPLACE (${replaced.join(', ')})`;
  await engine
    .execute(`CREATE OR REPLACE VIEW ${identifier(source)} AS SELECT ${values} FROM ${raw}${rows}`)
    .catch((error: unknown) => {
      throw knownInvalid(source, error);
    });
}

async function knownExpression(
  engine: SqlEngine,
  raw: string,
  expression: string,
  source: string,
): Promise<string> {
  const query = `SELECT (${expression}\n) AS known FROM ${raw}`;
  const wrong = await engine.checkSelect(query);
  if (wrong !== null) throw knownInvalid(source, wrong);
  const [column] = await engine.describe(query).catch((error: unknown) => {
    throw knownInvalid(source, error);
  });
  return asTimestamp(`(${expression}\n)`, column?.physicalType ?? 'VARCHAR');
}

function knownInvalid(source: string, cause: unknown): UserError {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new UserError({
    code: 'config_invalid',
    message: `When ${source} is known cannot be computed: ${why.slice(0, 300)}`,
    where: { key: `data.sources.${source}.known` },
    fix: "Give a SQL expression over the source's columns that is a time.",
    cause,
  });
}

function featureLeak(worst: FeatureDifference, compared: Comparison, cut: string): UserError {
  const size = worst.largest === null ? '' : `, by up to ${worst.largest}`;
  const others = compared.differences.slice(1).map(({ feature }) => feature);
  return new UserError({
    code: 'feature_leak',
    message: `The feature ${worst.feature} uses values from after the moment of prediction: with what was known at ${cut}, ${worst.differing} of ${compared.rows} rows differ${size}; row ${String(worst.key)} has ${String(worst.left)}, known was ${String(worst.right)}.${others.length === 0 ? '' : ` Also: ${others.slice(0, 10).join(', ')}.`}`,
    where: `features.sql, column ${worst.feature}`,
    fix: 'Take only rows and values that were known before the prediction time (an event counts from when it was known), or mend `known` of the source when it says too late a time.',
  });
}

function rowsLeak(lost: number, compared: Comparison, cut: string): UserError {
  return new UserError({
    code: 'feature_leak',
    message: `Which rows there are depends on values from after the moment of prediction: with what was known at ${cut}, ${lost} of ${compared.rows + lost} rows come or go.`,
    where: 'features.sql',
    fix: 'Leave out conditions on later values: rows whose label is null are dropped and counted by this stage itself.',
  });
}
