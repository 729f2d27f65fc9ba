import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { identifier, type Row, type SqlEngine, type Value } from '../data/engine.ts';
import { hasCode } from '../errors.ts';
import type { Storage } from '../store/storage.ts';
import { timeOfId } from './ids.ts';
import {
  inputPrefix,
  type LogColumn,
  LogLine,
  logColumns,
  type ModelLine,
  type SegmentInfo,
} from './log-schema.ts';
import { declareGroups, listSegments } from './read-predictions.ts';

export interface LoggedPrediction {
  log: Record<LogColumn, Value>;
  features: Record<string, Value>;
}

export interface FindPredictions {
  storage: Storage;
  engine: SqlEngine;
  model: string;
  environments: readonly string[];
  /** Folder of the open segments on this machine, looked at too: what was predicted a moment ago. */
  spool?: string | undefined;
}

/**
 * The prediction with this id, or the first one with this correlation id; null when it was never logged. An id's
 * own time says which segments can hold it; a correlation id says nothing, so all are asked.
 */
export async function findPrediction(
  where: FindPredictions & { id: string },
): Promise<LoggedPrediction | null> {
  const time = timeOfId(where.id);
  for (const environment of where.environments) {
    const segments = await listSegments(where.storage, where.model, environment);
    // A second of tolerance: ids may borrow a few milliseconds from the future.
    const near = segments.filter(
      ({ firstArrivalMs, lastArrivalMs }) =>
        time !== null && firstArrivalMs <= time + 1000 && time - 1000 <= lastArrivalMs,
    );
    const rest = segments.filter((segment) => !near.includes(segment)).reverse();
    const found =
      (
        await inSegments({ ...where, segments: near, column: 'prediction_id', value: where.id, limit: 1 })
      )[0] ??
      (await inSegments({ ...where, segments: near, column: 'trace_id', value: where.id, limit: 1 }))[0] ??
      (await inSpool({ ...where, environment })) ??
      (await inSegments({ ...where, segments: rest, column: 'trace_id', value: where.id, limit: 1 }))[0];
    if (found !== undefined) return found;
  }
  return null;
}

/** Predictions for a row key, oldest first: at most `limit` of them for each set of columns. */
export async function findByRowKey(
  where: FindPredictions & { key: string; limit: number },
): Promise<LoggedPrediction[]> {
  const found: LoggedPrediction[] = [];
  for (const environment of where.environments) {
    const segments = await listSegments(where.storage, where.model, environment);
    found.push(
      ...(await inSegments({ ...where, segments, column: 'row_key', value: where.key, limit: where.limit })),
    );
  }
  return found;
}

interface InSegments extends FindPredictions {
  segments: readonly SegmentInfo[];
  column: 'prediction_id' | 'trace_id' | 'row_key';
  value: string;
  limit: number;
}

async function inSegments(options: InSegments): Promise<LoggedPrediction[]> {
  const { storage, engine, segments, column, value, limit } = options;
  if (segments.length === 0) return [];
  const found: LoggedPrediction[] = [];
  for (const group of await declareGroups({ storage, engine, segments, view: 'searched' })) {
    const rows = await engine.rows(
      `SELECT * FROM ${identifier(group.view)} WHERE ${identifier(column)} = ? ORDER BY arrived_at, "row" LIMIT ${Math.trunc(limit)}`,
      [value],
    );
    found.push(...rows.map(fromRow));
  }
  return found;
}

function fromRow(row: Row): LoggedPrediction {
  const names = Object.keys(logColumns) as LogColumn[];
  const log = Object.fromEntries(names.map((name) => [name, row[name] ?? null])) as LoggedPrediction['log'];
  const features = Object.entries(row)
    .filter(([name]) => name.startsWith(inputPrefix))
    .map(([name, value]) => [name.slice(inputPrefix.length), value] as const);
  return { log, features: Object.fromEntries(features) };
}

async function inSpool(
  where: FindPredictions & { id: string; environment: string },
): Promise<LoggedPrediction | undefined> {
  if (where.spool === undefined) return undefined;
  const folder = path.join(where.spool, where.model, where.environment);
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'EACCES')) return [];
    throw error;
  });
  for (const name of names.filter((each) => each.endsWith('.ndjson'))) {
    const models = new Map<string, ModelLine['inputs']>();
    const stream = createReadStream(path.join(folder, name)).on('error', () => {}); // closed meanwhile
    for await (const text of createInterface({ input: stream })) {
      if (!text.includes(where.id) && !text.startsWith('{"kind":"model"')) continue;
      const parsed = LogLine.safeParse(parsedOrNull(text));
      if (!parsed.success) continue;
      const line = parsed.data;
      if (line.kind === 'model') models.set(line.manifest, line.inputs);
      else if (line.prediction_id === where.id || line.trace_id === where.id) {
        const { kind: _kind, inputs, ...log } = line;
        const named = models.get(line.manifest) ?? [];
        return {
          log: { ...log, model: where.model, environment: where.environment },
          features: Object.fromEntries(named.map(({ name: input }, index) => [input, inputs[index] ?? null])),
        };
      }
    }
  }
  return undefined;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
