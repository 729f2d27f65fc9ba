import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { timeExpression } from './block-times.ts';
import type { LabelledPredictions } from './concept-signals.ts';
import type { LabelSource } from './policy.ts';

/** The input types of a model's signature. */
export type InputType = 'string' | 'float32' | 'float64' | 'int64' | 'bool';
export interface ModelInput {
  name: string;
  type: InputType;
}

/** The column with the event time in the relations made here; no feature can be called so. */
export const eventTime = 'modelgate event time';

/**
 * A relation with a model's inputs as the model sees them, and their event time: training rows and served
 * predictions become comparable. Numbers are single precision on both sides, an empty text is null (that is how
 * a missing text is served). Columns that the source lacks are left out.
 */
export async function declareInputs(
  engine: SqlEngine,
  options: {
    view: string;
    source: string;
    inputs: readonly ModelInput[];
    /** The source's column of each input, where it has another name. */
    columns?: ReadonlyMap<string, string> | undefined;
    time: string | null;
    /** Further columns of the source, by the name that they get; no feature can be called so. */
    carry?: Readonly<Record<string, string>>;
    /** The source has no rows and so no columns of the inputs: they are declared all the same. */
    empty?: boolean;
  },
): Promise<void> {
  const available = await engine.describe(`SELECT * FROM ${identifier(options.source)}`);
  const selected = options.inputs.flatMap(({ name, type }) => {
    const column = options.columns?.get(name) ?? name;
    const there = available.some((candidate) => candidate.name === column);
    if (!there && options.empty !== true) return [];
    return [`${asServed(there ? identifier(column) : 'NULL', type)} AS ${identifier(name)}`];
  });
  const carried = Object.entries(options.carry ?? {}).map(
    ([name, column]) => `${identifier(column)} AS ${identifier(name)}`,
  );
  const time = options.time === null ? 'CAST(NULL AS TIMESTAMP)' : timeExpression(available, options.time);
  await engine.execute(
    `CREATE OR REPLACE TEMP VIEW ${identifier(options.view)} AS
     SELECT ${[...selected, ...carried, `${time} AS ${identifier(eventTime)}`].join(', ')} FROM ${identifier(options.source)}`,
  );
}

/** Inputs of which only a keyed hash is in the log (personal ones): they cannot be compared with training rows. */
export async function hashedInputs(
  engine: SqlEngine,
  options: {
    view: string;
    features: readonly { name: string; column: string; physicalType: string }[];
  },
): Promise<string[]> {
  const texts = options.features.filter(({ physicalType }) => physicalType === 'VARCHAR');
  if (texts.length === 0) return [];
  const [row] = await engine.rows(
    `SELECT ${texts.map(({ column }, i) => `bool_and(starts_with(${identifier(column)}, 'hmac:')) AS "${i}"`).join(', ')}
     FROM ${identifier(options.view)}`,
  );
  return texts.filter((_, i) => row?.[String(i)] === true).map(({ name }) => name);
}

/**
 * An input in the type that the deployed model takes. What is none of it is null, as in a window in which an earlier
 * version took texts: one such request is no reason to judge nothing.
 */
function asServed(column: string, type: InputType): string {
  switch (type) {
    case 'string':
      return `NULLIF(CAST(${column} AS VARCHAR), '')`;
    case 'bool':
      return `TRY_CAST(${column} AS BOOLEAN)`;
    case 'int64':
      return `TRY_CAST(${column} AS BIGINT)`;
    default:
      return `CAST(TRY_CAST(${column} AS FLOAT) AS DOUBLE)`;
  }
}

/** Names of a model's answers where they stand beside its inputs; no feature can be called so. */
export const answerColumns = { value: 'modelgate prediction', class: 'modelgate class' } as const;

/**
 * SQL that selects an answer as `answerColumns`: its value, and for classification (a threshold is given: the
 * probability from which the class is positive) the predicted class.
 */
export function selectAnswer(column: string, threshold: number | null): string {
  const value = `CAST(${identifier(column)} AS DOUBLE)`;
  const predicted = `${value} >= ${threshold} AS ${identifier(answerColumns.class)}`;
  return `${value} AS ${identifier(answerColumns.value)}${threshold === null ? '' : `, ${predicted}`}`;
}

/** SQL for the day of the rows of an evaluation set, if its cluster column holds days; else null. */
export async function clusterDay(engine: SqlEngine, view: string): Promise<string | null> {
  const columns = await engine.describe(`SELECT * FROM ${identifier(view)}`);
  if (!columns.some(({ name }) => name === 'cluster')) return null;
  const day = `TRY_CAST(CAST("cluster" AS VARCHAR) AS DATE)`;
  const [row] = await engine.rows(
    `SELECT CAST(count(*) AS DOUBLE) AS n, CAST(count(${day}) AS DOUBLE) AS days FROM ${identifier(view)}`,
  );
  return Number(row?.n) > 0 && row?.n === row?.days ? day : null;
}

/**
 * Served predictions joined to labels that came late, by row key, one group a version. `labels` is a declared view
 * of the label file. Throws `config_invalid` where the file lacks its columns or labels are no numbers.
 */
export async function readLabelled(
  engine: SqlEngine,
  options: { predictions: string; labels: string; source: LabelSource },
): Promise<LabelledPredictions[]> {
  const { source } = options;
  const columns = await engine.describe(`SELECT * FROM ${identifier(options.labels)}`);
  for (const name of [source.key, source.label]) requireLabelColumn(columns, name, source.file);
  await requireNumbers(engine, options);
  const versions = await engine.rows(
    `SELECT version, CAST(count(*) AS DOUBLE) AS n FROM ${identifier(options.predictions)} GROUP BY 1 ORDER BY 1`,
  );
  const groups: LabelledPredictions[] = [];
  for (const row of versions) {
    const version = Number(row.version);
    // a key that was predicted twice counts by its last prediction; a label that came twice by any of equal ones
    const [label, prediction, block, keys] = await engine.columns(
      `WITH truth AS (
         SELECT CAST(${identifier(source.key)} AS VARCHAR) AS k, CAST(max(CAST(${identifier(source.label)} AS DOUBLE)) AS DOUBLE) AS y
         FROM ${identifier(options.labels)} WHERE ${hasLabel(source)} GROUP BY 1
       ), served AS (
         SELECT row_key AS k, arg_max(output, arrived_at) AS p, max(event_time) AS t
         FROM ${identifier(options.predictions)} WHERE version = ${version} AND output IS NOT NULL GROUP BY 1
       )
       SELECT y, p, CAST(CAST(t AS DATE) AS VARCHAR) AS b, k FROM served JOIN truth USING (k) ORDER BY t, k`,
    );
    groups.push({
      version,
      label: (label?.values ?? new Float64Array()) as Float64Array,
      prediction: (prediction?.values ?? new Float64Array()) as Float64Array,
      block: (block?.values ?? []) as (string | null)[],
      keys: (keys?.values ?? []) as string[],
      predictions: Number(row.n),
    });
  }
  return groups;
}

/** SQL for whether a row's label has come: Parquet files of dataframes hold NaN where none has. */
export function hasLabel({ label }: LabelSource): string {
  return `isfinite(CAST(${identifier(label)} AS DOUBLE))`;
}

async function requireNumbers(
  engine: SqlEngine,
  { labels, source }: { labels: string; source: LabelSource },
): Promise<void> {
  const label = identifier(source.label);
  const [wrong] = await engine.rows(
    `SELECT text FROM (SELECT CAST(${label} AS VARCHAR) AS text, typeof(${label}) AS type FROM ${identifier(labels)})
     WHERE text IS NOT NULL AND type <> 'BOOLEAN' AND TRY_CAST(text AS DOUBLE) IS NULL LIMIT 1`,
  );
  if (wrong === undefined) return;
  throw new UserError({
    code: 'config_invalid',
    message: `The labels in ${JSON.stringify(source.label)} are no numbers: ${JSON.stringify(String(wrong.text).slice(0, 80))}.`,
    where: source.file,
    fix: 'Give numbers, or true and false (1 and 0), as labels.',
  });
}

function requireLabelColumn(columns: readonly Column[], name: string, file: string): void {
  if (columns.some((column) => column.name === name)) return;
  throw new UserError({
    code: 'config_invalid',
    message: `The label file has no column ${JSON.stringify(name)}.`,
    where: file,
    fix: `Set monitoring.labels to columns of the file: ${columns
      .slice(0, 30)
      .map((column) => column.name)
      .join(', ')}.`,
  });
}
