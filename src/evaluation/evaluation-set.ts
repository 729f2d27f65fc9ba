import { identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';

/** Column that orders rows as the set does, in the set's and the joined view. */
export const setPosition = 'modelgate_position';

/** Columns of predictions.parquet, and of the views that a policy's SQL sees, with a meaning of their own. */
const reservedColumns: readonly string[] = [
  ...['key', 'label', 'candidate', 'champion', 'cluster', 'prediction'],
  setPosition,
];

/** Whether a column of the data would stand in the place of one of ours; SQL knows names in any case. */
export const isReserved = (name: string): boolean => reservedColumns.includes(name.toLowerCase());

export interface SetColumns {
  key: string;
  label: string;
  cluster?: string | undefined;
}

/**
 * Declares `view` over the rows of an evaluation set, in the order of their keys: `modelgate_position` (from 0), `key`
 * (VARCHAR), `label` (DOUBLE), `cluster` if there is one, and every other column of the set under its own name, unless the
 * name is reserved.
 * Throws `evaluation_set_changed` for a set without its columns, `evaluation_unpaired` for a key that stands
 * twice, `data_empty`, `label_invalid`.
 *
 * @param file view of the set's file
 * @returns number of rows, of positive labels, and the names of the other columns
 */
export async function declareSet(request: {
  engine: SqlEngine;
  file: string;
  view: string;
  columns: SetColumns;
  task: 'classification' | 'regression';
}): Promise<{ rows: number; positive: number; others: string[] }> {
  const { engine, file, view, columns } = request;
  const names = (await engine.describe(`SELECT * FROM ${identifier(file)}`)).map(({ name }) => name);
  for (const [role, name] of Object.entries(columns)) {
    if (name === undefined || names.includes(name)) continue;
    throw new UserError({
      code: 'evaluation_set_changed',
      message: `The evaluation set has no column ${JSON.stringify(name)} (its ${role}); it has ${names.slice(0, 20).join(', ')}.`,
      where: { key: 'evaluation.file' },
      fix: 'Make the set with the key and the label that the features have, and give it a new id.',
    });
  }
  const { key, label, cluster } = columns;
  const others = names.filter((name) => name !== key && name !== label && !isReserved(name));
  const parts = [
    `row_number() OVER (ORDER BY CAST(${identifier(key)} AS VARCHAR)) - 1 AS ${setPosition}`,
    `CAST(${identifier(key)} AS VARCHAR) AS key`,
    `TRY_CAST(${identifier(label)} AS DOUBLE) AS label`,
    ...(cluster === undefined ? [] : [`${identifier(cluster)} AS cluster`]),
    ...others.map(identifier),
  ];
  await engine.execute(
    `CREATE OR REPLACE TABLE ${identifier(view)} AS SELECT ${parts.join(', ')} FROM ${identifier(file)}`,
  );
  return { ...(await countRows(request)), others };
}

async function countRows(request: {
  engine: SqlEngine;
  view: string;
  columns: SetColumns;
  task: 'classification' | 'regression';
}): Promise<{ rows: number; positive: number }> {
  const { engine, view, columns, task } = request;
  const [found] = await engine.rows(
    `SELECT count(*) AS n, count(DISTINCT key) AS keys, count(*) FILTER (isfinite(label)) AS finite,
      count(*) FILTER (label = 1) AS positive, count(*) FILTER (label = 0) AS negative FROM ${identifier(view)}`,
  );
  const counted = (name: string) => Number(found?.[name] ?? 0);
  const rows = counted('n');
  const positive = counted('positive');
  const problem = (
    code: 'data_empty' | 'evaluation_unpaired' | 'label_invalid',
    message: string,
    fix: string,
  ) => new UserError({ code, message, where: { key: 'evaluation.file' }, fix });
  const again = 'Make the set again from rows whose truth is known, and give it a new id.';
  if (rows === 0) throw problem('data_empty', 'The evaluation set has no rows.', again);
  if (counted('keys') < rows) {
    throw problem(
      'evaluation_unpaired',
      `${rows - counted('keys')} rows of the evaluation set have no key, or one that stands there before.`,
      'Keep one row for each key, and give the set a new id.',
    );
  }
  const valid = task === 'regression' ? counted('finite') : positive + counted('negative');
  const name = JSON.stringify(columns.label);
  if (valid < rows) {
    const wanted = task === 'regression' ? 'a finite number' : '0 or 1';
    throw problem(
      'label_invalid',
      `${rows - valid} labels ${name} of the evaluation set are not ${wanted}.`,
      again,
    );
  }
  if (task === 'classification' && (positive === 0 || positive === rows)) {
    throw problem('label_invalid', `All labels ${name} of the evaluation set are the same.`, again);
  }
  return { rows, positive };
}

/**
 * Joins features to the set by key into `view`: `modelgate_position` and the features. Throws `evaluation_unpaired` when
 * a row of the set has no features or more than one row of them, and `evaluation_set_changed` when the data's
 * labels are not the set's, and `config_invalid` for a feature of our column's name.
 *
 * @param set view made by `declareSet`
 * @param features view with the model's key, label and features; labels may be null (not known yet)
 */
export async function joinFeatures(request: {
  engine: SqlEngine;
  set: string;
  features: string;
  view: string;
  key: string;
  /** Null where another model's label is another column, which the set does not hold. */
  label: string | null;
}): Promise<void> {
  const { engine, set, features, view, key, label } = request;
  const names = (await engine.describe(`SELECT * FROM ${identifier(features)}`)).map(({ name }) => name);
  const taken = names.find((name) => name.toLowerCase() === setPosition);
  if (taken !== undefined) {
    throw new UserError({
      code: 'config_invalid',
      message: `The features have a column ${JSON.stringify(taken)}: ModelGate orders the rows by its own of this name.`,
      where: { key: 'features.sql' },
      fix: 'Give the column another name in the feature SQL.',
    });
  }
  const joined = `${identifier(set)} AS pinned LEFT JOIN ${identifier(features)} AS made
    ON CAST(made.${identifier(key)} AS VARCHAR) = pinned.key`;
  const differs = label === null ? 'FALSE' : `TRY_CAST(made.${identifier(label)} AS DOUBLE) <> pinned.label`;
  const [found] = await engine.rows(
    `SELECT count(*) AS n, count(DISTINCT pinned.${setPosition}) AS pinned,
      count(*) FILTER (made.${identifier(key)} IS NULL) AS missing, count(*) FILTER (${differs}) AS relabelled,
      min(pinned.key) FILTER (made.${identifier(key)} IS NULL) AS example FROM ${joined}`,
  );
  const counted = (name: string) => Number(found?.[name] ?? 0);
  const rows = counted('pinned');
  if (counted('missing') > 0) {
    throw new UserError({
      code: 'evaluation_unpaired',
      message: `${counted('missing')} of ${rows} rows of the evaluation set have no features, e.g. the key ${JSON.stringify(String(found?.example).slice(0, 80))}.`,
      where: { key: 'evaluation.window' },
      fix: 'Let evaluation.window hold all rows of the set; the feature SQL must not drop any of them.',
    });
  }
  if (counted('n') > rows) {
    throw new UserError({
      code: 'evaluation_unpaired',
      message: `The features of the evaluation set hold ${counted('n') - rows} rows with a key that stands there before.`,
      where: { key: 'features.sql' },
      fix: 'Let the feature SQL give one row a key; a join that multiplies rows is the usual cause.',
    });
  }
  if (counted('relabelled') > 0) {
    throw new UserError({
      code: 'evaluation_set_changed',
      message: `${counted('relabelled')} of ${rows} labels of the evaluation set are not those of the data.`,
      where: { key: 'evaluation.file' },
      fix: 'Find out which of the two is right; make the set again with a new id if it is the data.',
    });
  }
  await engine.execute(
    `CREATE OR REPLACE VIEW ${identifier(view)} AS SELECT made.*, pinned.${setPosition} FROM ${joined}`,
  );
}

/**
 * Number of rows of the set whose keys a model was trained or validated on. Throws `evaluation_leak` if any.
 *
 * @param parts views of the split's parts
 */
export async function requireUnseen(request: {
  engine: SqlEngine;
  set: string;
  parts: readonly string[];
  key: string;
  /** For the message: candidate or champion. */
  model: string;
}): Promise<void> {
  const { engine, set, parts, key, model } = request;
  if (parts.length === 0) return;
  const trained = parts
    .map((part) => `SELECT CAST(${identifier(key)} AS VARCHAR) AS key FROM ${identifier(part)}`)
    .join(' UNION ALL ');
  const [found] = await engine.rows(
    `SELECT count(*) AS n, (SELECT count(*) FROM ${identifier(set)}) AS rows, min(key) AS example
     FROM ${identifier(set)} WHERE key IN (${trained})`,
  );
  const count = Number(found?.n ?? 0);
  if (count === 0) return;
  throw new UserError({
    code: 'evaluation_leak',
    message: `${count} of ${found?.rows} rows of the evaluation set were trained on by the ${model}, e.g. the key ${JSON.stringify(String(found?.example).slice(0, 80))}.`,
    where: { key: model === 'champion' ? 'evaluation' : 'data.window' },
    fix:
      model === 'champion'
        ? 'Pin an evaluation set from after the time that the champion was trained on: modelgate pin.'
        : 'Train on a window that ends before the evaluation set begins.',
  });
}
