import path from 'node:path';
import type { Split } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import type { FeatureColumn } from './definition.ts';
import { identifier, type SqlEngine } from './engine.ts';

const day = 86_400_000;

export interface SplitRequest {
  engine: SqlEngine;
  /** features.parquet, and its columns. */
  file: string;
  columns: readonly FeatureColumn[];
  split: Split;
  /** Where the parts are written. */
  folder: string;
}

export interface Part {
  name: 'train' | 'validation' | 'test';
  file: string;
  rows: number;
  /** First and last prediction time, ISO 8601; null without a time column. */
  from: string | null;
  until: string | null;
}

/**
 * Deals rows to parts: by time (the newest whole days validate) or by a hash of the key or group, which does
 * not change when rows come or go. Throws `data_empty` for an empty part, `split_overlap` for a shared key.
 */
export async function splitTable(request: SplitRequest): Promise<Part[]> {
  const { engine, columns, split } = request;
  await engine.addFile('rows', request.file, 'parquet');
  const key = named(columns, 'key');
  const time = named(columns, 'time');
  if (key === undefined) throw new Error('features without a key');
  const part =
    split.by === 'time' ? await byTime(engine, time, split.validation) : byHash(columns, key, split);
  await engine.execute(`CREATE OR REPLACE TABLE dealt AS SELECT *, ${part} AS "the part" FROM rows`);
  const wanted: Part['name'][] =
    split.by === 'hash' && split.test > 0 ? ['train', 'validation', 'test'] : ['train', 'validation'];
  const parts: Part[] = [];
  for (const name of wanted) {
    const [row] = await engine.rows(
      `SELECT count(*) AS n, ${time === undefined ? 'NULL AS a, NULL AS b' : `min(${identifier(time)}) AS a, max(${identifier(time)}) AS b`}
       FROM dealt WHERE "the part" = $1`,
      [name],
    );
    const rows = Number(row?.n);
    if (rows === 0) throw emptyPart(name, split);
    const file = path.join(request.folder, `${name}.parquet`);
    const order = [time, key].filter((column) => column !== undefined).map(identifier);
    await engine.writeParquet(
      `SELECT * EXCLUDE ("the part") FROM dealt WHERE "the part" = '${name}' ORDER BY ${order.join(', ')}`,
      file,
    );
    const text = (value: unknown) => (typeof value === 'string' ? value : null);
    parts.push({ name, file, rows, from: text(row?.a), until: text(row?.b) });
  }
  await checkDisjoint(engine, parts, key);
  return parts;
}

/** Reads the written parts again: what counts is what training will be given. Throws `split_overlap`. */
export async function checkDisjoint(
  engine: SqlEngine,
  parts: readonly Pick<Part, 'name' | 'file'>[],
  key: string,
): Promise<void> {
  for (const part of parts) await engine.addFile(`part ${part.name}`, part.file, 'parquet');
  const union = parts
    .map(
      (part) =>
        `SELECT DISTINCT ${identifier(key)} AS key, '${part.name}' AS part FROM ${identifier(`part ${part.name}`)}`,
    )
    .join(' UNION ALL ');
  const [twice] = await engine.rows(
    `SELECT key, count(*) OVER () AS keys FROM (${union}) GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT 1`,
  );
  if (twice === undefined) return;
  throw new UserError({
    code: 'split_overlap',
    message: `${String(twice.keys)} keys stand in more than one part of the split, ${String(twice.key)} among them.`,
    where: `column ${key}`,
    fix: 'Make the key name one row.',
  });
}

/** The cut is the midnight (UTC) that leaves the wanted share of the span, at least a day on each side. */
async function byTime(engine: SqlEngine, time: string | undefined, share: number): Promise<string> {
  if (time === undefined) {
    throw new UserError({
      code: 'config_invalid',
      message: 'A split by time needs the time of prediction.',
      where: { key: 'features.time' },
      fix: 'Name the time column, or split by hash.',
    });
  }
  const name = identifier(time);
  const [row] = await engine.rows(
    `SELECT epoch_ms(date_trunc('day', min(${name}))) AS first, epoch_ms(date_trunc('day', max(${name}))) AS last FROM rows`,
  );
  const [first, last] = [Number(row?.first), Number(row?.last)];
  const days = (last - first) / day + 1;
  const validating = Math.min(days - 1, Math.max(1, Math.round(days * share)));
  const cut = new Date(last + day - validating * day).toISOString().slice(0, 10);
  return `CASE WHEN ${name} < TIMESTAMP '${cut}' THEN 'train' ELSE 'validation' END`;
}

function byHash(columns: readonly FeatureColumn[], key: string, split: Split & { by: 'hash' }): string {
  const by = split.group ?? key;
  if (!columns.some((column) => column.name === by)) {
    throw new UserError({
      code: 'config_invalid',
      message: `The features have no column ${by} to split by.`,
      where: { key: 'split.group' },
      fix: 'Name a column that the feature SQL gives; `features.keep` carries one along.',
    });
  }
  if (split.validation + split.test >= 1) {
    throw new UserError({
      code: 'config_invalid',
      message: 'Validation and test take all rows: none is left for training.',
      where: { key: 'split' },
      fix: 'Choose shares that add up to less than 1.',
    });
  }
  // md5 means the same on every engine and in every version; an engine's own hash() does not
  const text = `concat('modelgate-split-1 ', coalesce(CAST(${identifier(by)} AS VARCHAR), ''))`;
  const position = `(CAST(concat('0x', substr(md5(${text}), 1, 8)) AS BIGINT) / 4294967296.0)`;
  return `CASE WHEN ${position} < ${split.validation} THEN 'validation'
    WHEN ${position} < ${split.validation + split.test} THEN 'test' ELSE 'train' END`;
}

function emptyPart(name: Part['name'], split: Split): UserError {
  return new UserError({
    code: 'data_empty',
    message: `The part for ${name} of the split by ${split.by} is empty.`,
    where: { key: 'split' },
    fix: 'Take a larger window, or another share.',
  });
}

function named(columns: readonly FeatureColumn[], role: FeatureColumn['role']): string | undefined {
  return columns.find((column) => column.role === role)?.name;
}
