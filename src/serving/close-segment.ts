import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { identifier, literal, type SqlEngine } from '../data/engine.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import {
  inputPrefix,
  type LogColumn,
  LogLine,
  logColumns,
  type ModelLine,
  type PredictionLine,
  schemaId,
  segmentName,
  sqlTypes,
} from './log-schema.ts';

export interface CloseSegment {
  /** The NDJSON file. */
  file: string;
  /** A UUIDv7 that names the segment. */
  id: string;
  model: string;
  environment: string;
  storage: Storage;
  engine: SqlEngine;
  /** An empty folder for what lies between. */
  workDirectory: string;
}

export interface ClosedSegment {
  rows: number;
  /** Lines that a crash tore. */
  unreadable: number;
  keys: string[];
}

interface Part {
  inputs: ModelLine['inputs'];
  csv: FileHandle;
  file: string;
  buffer: string[];
  days: Set<string>;
}

const logNames = Object.keys(logColumns) as LogColumn[];
/** Texts that we made ourselves: they have nothing to be decoded. */
const ours: ReadonlySet<string> = new Set(['prediction_id', 'model', 'environment', 'manifest']);
const linesPerWrite = 1000;

/**
 * Turns an open segment into one Parquet file per event day and set of columns, and puts them into the store.
 * The same file gives the same keys, so that doing it again after a crash is harmless. The NDJSON is not removed.
 */
export async function closeSegment(segment: CloseSegment): Promise<ClosedSegment> {
  await mkdir(segment.workDirectory, { recursive: true });
  const parts = new Map<string, Part>();
  try {
    const { rows, unreadable, lastArrivalMs } = await splitByColumns(segment, parts);
    const stored: string[] = [];
    for (const [schema, part] of parts) {
      const name = segmentName({ id: segment.id, lastArrivalMs, schema });
      stored.push(...(await store(segment, part, name)));
    }
    return { rows, unreadable, keys: stored };
  } finally {
    for (const part of parts.values()) await part.csv.close();
    await rm(segment.workDirectory, { recursive: true, force: true });
  }
}

async function splitByColumns(segment: CloseSegment, parts: Map<string, Part>) {
  const models = new Map<string, Part>();
  let [rows, unreadable, lastArrivalMs] = [0, 0, 0];
  const lines = createInterface({
    input: createReadStream(segment.file),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const text of lines) {
    const line = parseLine(text);
    if (line?.kind === 'model') {
      const schema = schemaId(line.inputs);
      const part = parts.get(schema) ?? (await newPart(segment.workDirectory, schema, line.inputs));
      parts.set(schema, part);
      models.set(line.manifest, part);
      continue;
    }
    const part = line === null ? undefined : models.get(line.manifest);
    if (line === null || part === undefined || line.inputs.length !== part.inputs.length) {
      unreadable += 1;
      continue;
    }
    rows += 1;
    lastArrivalMs = Math.max(lastArrivalMs, Date.parse(line.arrived_at));
    part.days.add(line.event_time.slice(0, 10));
    part.buffer.push(csvLine(line, segment));
    if (part.buffer.length >= linesPerWrite) await writeOut(part);
  }
  for (const part of parts.values()) await writeOut(part);
  return { rows, unreadable, lastArrivalMs };
}

function parseLine(text: string) {
  try {
    return LogLine.parse(JSON.parse(text));
  } catch {
    return null; // the last line of a process that was killed while it wrote
  }
}

async function newPart(folder: string, schema: string, inputs: ModelLine['inputs']): Promise<Part> {
  const file = path.join(folder, `${schema}.csv`);
  const csv = await open(file, 'w');
  const columns = logNames.length + inputs.length;
  await csv.write(`${Array.from({ length: columns }, (_, index) => `c${index}`).join(',')}\n`);
  return { inputs, csv, file, buffer: [], days: new Set() };
}

async function writeOut(part: Part): Promise<void> {
  if (part.buffer.length === 0) return;
  await part.csv.write(`${part.buffer.join('\n')}\n`);
  part.buffer = [];
}

function csvLine(line: PredictionLine, { model, environment }: CloseSegment): string {
  const values = { ...line, model, environment };
  return [...logNames.map((name) => values[name]), ...line.inputs].map(cell).join(',');
}

/**
 * A cell that any CSV reader takes for plain text: marked with x, so that no value is taken for a number, a date
 * or null, and without the characters that CSV cares about.
 */
function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  return `x${String(value).replace(/[%\n\r",]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;
}

/** SQL that gives back what `cell` wrote; `%` last, as it is the mark of the others. */
function decoded(column: string, type: string, plain: boolean): string {
  let sql = `substr(CAST(${column} AS VARCHAR), 2)`;
  if (type === 'TIMESTAMP') sql = `replace(replace(${sql}, 'T', ' '), 'Z', '')`;
  if (type !== 'VARCHAR') return `CAST(${sql} AS ${type})`;
  if (plain) return sql;
  for (const code of [10, 13, 34, 44, 37]) {
    sql = `replace(${sql}, '%${code.toString(16).padStart(2, '0')}', chr(${code}))`;
  }
  return sql;
}

async function store(segment: CloseSegment, part: Part, name: string): Promise<string[]> {
  if (part.days.size === 0) return [];
  const { engine, storage, model, environment } = segment;
  const columns = [
    ...logNames.map((column) => [column, logColumns[column]] as const),
    ...part.inputs.map((input) => [inputPrefix + input.name, sqlTypes[input.type]] as const),
  ];
  await engine.addFile('open_segment', part.file, 'csv');
  const select = columns.map(
    ([column, type], index) => `${decoded(`c${index}`, type, ours.has(column))} AS ${identifier(column)}`,
  );
  await engine.execute(`CREATE OR REPLACE TABLE segment AS SELECT ${select.join(', ')} FROM open_segment`);
  const stored: string[] = [];
  for (const day of [...part.days].sort()) {
    const file = path.join(segment.workDirectory, 'segment.parquet');
    const key = keys.predictions(model, environment, day, name);
    await engine.writeParquet(
      `SELECT * FROM segment WHERE CAST(event_time AS DATE) = CAST(${literal(day)} AS DATE) ORDER BY arrived_at, prediction_id`,
      file,
    );
    await storage.create(key, { file });
    await rm(file, { force: true });
    stored.push(key);
  }
  return stored;
}
