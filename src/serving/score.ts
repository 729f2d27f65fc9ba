import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Column, type ColumnVector, identifier, type SqlEngine } from '../data/engine.ts';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import type { FeatureColumns, Predictor, Signature, TensorType } from '../evaluation/predictor.ts';

export interface ScoreOptions {
  engine: SqlEngine;
  predictor: Predictor;
  /** A Parquet or CSV file with a column for each input of the model. */
  input: string;
  /** Ends in .parquet or .csv; replaced when it is there. */
  output: string;
  /** Columns of the input that are carried along, e.g. the key. */
  keep: readonly string[];
  /** Rows in memory at a time. */
  chunkRows?: number;
  workDirectory: string;
  signal: AbortSignal;
}

/** Column types that can be fed to a tensor without a change of meaning. */
const readable: Record<TensorType, readonly Column['type'][]> = {
  string: ['string'],
  float32: ['number', 'integer'],
  float64: ['number', 'integer'],
  int64: ['integer'],
  bool: ['boolean'],
};

/**
 * Predicts every row of a file, chunk by chunk, in the file's order. The output has `row` (from 0), the kept
 * columns and `prediction`. Nothing is left behind when it fails. Throws `model_signature` when the columns
 * are not those of the model, `data_empty`, `prediction_invalid`.
 */
export async function scoreFile(options: ScoreOptions): Promise<{ rows: number }> {
  const { engine, predictor, input, output, keep, workDirectory } = options;
  const format = formatOf(output);
  await engine.addFile('input', input);
  const columns = await engine.describe('SELECT * FROM input');
  checkColumns(predictor.signature, columns, input);
  checkKept(keep, columns, input);

  await mkdir(workDirectory, { recursive: true });
  const scored = path.join(workDirectory, 'scored.csv');
  const csv = await open(scored, 'w');
  let rows: number;
  try {
    await csv.write('row,prediction\n');
    rows = await scoreChunks(options, csv);
  } finally {
    await csv.close();
  }
  await engine.addFile('scored', scored, 'csv');
  const kept = keep.map((name) => `numbered.${identifier(name)}, `).join('');
  const select = `SELECT scored."row", ${kept}CAST(scored.prediction AS DOUBLE) AS prediction
    FROM scored JOIN (SELECT *, row_number() OVER () - 1 AS "row number" FROM input) AS numbered
    ON numbered."row number" = scored."row" ORDER BY scored."row"`;
  await writeOutput({ engine, select, output, format });
  await rm(scored, { force: true });
  return { rows };
}

async function scoreChunks(options: ScoreOptions, csv: FileHandle): Promise<number> {
  const { engine, predictor, input, chunkRows = 16_384, signal } = options;
  const { signature } = predictor;
  const select = signature.inputs.map(({ name }) => identifier(name)).join(', ');
  let rows = 0;
  while (true) {
    signal.throwIfAborted();
    const chunk = await engine.columns(`SELECT ${select} FROM input LIMIT ${chunkRows} OFFSET ${rows}`);
    const count = chunk[0]?.values.length ?? 0;
    if (count === 0) break;
    const values = await predictor.predict(features(signature, chunk), count);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0 || values.length !== count) throw invalid(input, rows + Math.max(bad, 0));
    await csv.write(`${Array.from(values, (value, index) => `${rows + index},${value}`).join('\n')}\n`);
    rows += count;
    if (count < chunkRows) break;
  }
  if (rows === 0) {
    throw new UserError({
      code: 'data_empty',
      message: 'The file holds no rows.',
      where: input,
      fix: 'Give a file with rows.',
    });
  }
  return rows;
}

function features(signature: Signature, chunk: readonly ColumnVector[]): FeatureColumns {
  const columns = Object.create(null) as FeatureColumns;
  signature.inputs.forEach(({ name, type }, index) => {
    const { values, nulls } = chunk[index]!;
    columns[name] =
      type === 'bool' && values instanceof Float64Array
        ? Array.from(values, (value, row) => (nulls?.[row] ? null : value === 1))
        : values;
  });
  return columns;
}

function checkColumns(signature: Signature, columns: readonly Column[], input: string): void {
  const types = new Map(columns.map((column) => [column.name, column]));
  const wrong = signature.inputs.flatMap(({ name, type }) => {
    const column = types.get(name);
    if (column === undefined) return [`${name} is missing`];
    return readable[type].includes(column.type) ? [] : [`${name} is ${column.physicalType}, not ${type}`];
  });
  if (wrong.length === 0) return;
  throw new UserError({
    code: 'model_signature',
    message: `The file does not have the model's inputs: ${wrong.slice(0, 5).join('; ')}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}.`,
    where: input,
    fix: 'Make the file with the feature SQL that the model was trained with.',
  });
}

function checkKept(keep: readonly string[], columns: readonly Column[], input: string): void {
  const names = new Set(columns.map(({ name }) => name));
  const bad = keep.find((name) => !names.has(name) || ['row', 'prediction'].includes(name.toLowerCase()));
  if (bad === undefined) return;
  throw new UserError({
    code: 'usage',
    message: `The column ${JSON.stringify(bad)} cannot be kept: it is not in the file, or its name is taken.`,
    where: input,
    fix: `Keep other columns of the file: ${[...names].slice(0, 20).join(', ')}.`,
  });
}

function formatOf(output: string): 'parquet' | 'csv' {
  const extension = path.extname(output).toLowerCase();
  if (extension === '.parquet') return 'parquet';
  if (extension === '.csv') return 'csv';
  throw new UserError({
    code: 'usage',
    message: 'The output is neither .parquet nor .csv.',
    where: output,
    fix: 'Name it predictions.parquet or predictions.csv.',
  });
}

interface WriteOutput {
  engine: SqlEngine;
  select: string;
  output: string;
  format: 'parquet' | 'csv';
}

/** Writes beside the output and renames: a reader never sees half of it. */
async function writeOutput({ engine, select, output, format }: WriteOutput): Promise<void> {
  const partial = `${output}.${process.pid}.partial`;
  try {
    if (format === 'parquet') await engine.writeParquet(select, partial);
    else await writeCsv(engine, select, partial);
    await rename(partial, output);
  } catch (error) {
    await rm(partial, { force: true });
    if (hasCode(error, 'ENOENT') || hasCode(error, 'EISDIR')) {
      throw new UserError({
        code: 'usage',
        message: 'The output cannot be written there.',
        where: output,
        fix: 'Give a file in a folder that exists.',
        cause: error,
      });
    }
    throw asStorageError(error, output);
  }
}

async function writeCsv(engine: SqlEngine, select: string, file: string): Promise<void> {
  const csv = await open(file, 'wx');
  try {
    const pageRows = 50_000;
    for (let from = 0; ; from += pageRows) {
      const page = await engine.rows(
        `SELECT * FROM (${select}) AS all_rows LIMIT ${pageRows} OFFSET ${from}`,
      );
      const [first] = page;
      if (first === undefined) return;
      if (from === 0) await csv.write(`${Object.keys(first).map(csvCell).join(',')}\n`);
      await csv.write(`${page.map((row) => Object.values(row).map(csvCell).join(',')).join('\n')}\n`);
    }
  } finally {
    await csv.close();
  }
}

/** RFC 4180; null is an empty field without quotes. */
function csvCell(value: string | number | boolean | null): string {
  if (value === null) return '';
  const text = String(value);
  return text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function invalid(input: string, row: number): UserError {
  return new UserError({
    code: 'prediction_invalid',
    message: `The model gives no finite number for row ${row + 1}.`,
    where: input,
    fix: 'Look at the inputs of that row, or go back to the version before.',
  });
}
