import { z } from 'zod';
import { TensorType } from '../evaluation/predictor.ts';
import { Digest, digestOf } from '../json.ts';

/** The lines of an open segment (NDJSON), and the columns of a closed one (Parquet). */

const Cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** Says what the values of the predictions of one model package are; written before the first of them. */
const ModelLine = z.object({
  kind: z.literal('model'),
  manifest: Digest,
  inputs: z.array(z.object({ name: z.string(), type: TensorType })),
});
export type ModelLine = z.infer<typeof ModelLine>;

const PredictionLine = z.object({
  kind: z.literal('prediction'),
  prediction_id: z.string(),
  /** Position in its request, from 0. */
  row: z.number().int(),
  row_key: z.string().nullable(),
  /** ISO 8601 in UTC, milliseconds. */
  event_time: z.iso.datetime(),
  arrived_at: z.iso.datetime(),
  trace_id: z.string(),
  version: z.number().int(),
  manifest: Digest,
  generation: z.number().int(),
  /** Values in the order of the model line's inputs. */
  inputs: z.array(Cell),
  /** null: the model gave no finite number. */
  output: z.number().nullable(),
  latency_seconds: z.number(),
});
export type PredictionLine = z.infer<typeof PredictionLine>;

export const LogLine = z.discriminatedUnion('kind', [ModelLine, PredictionLine]);

/** Columns of every closed segment besides the inputs, with their SQL types. */
export const logColumns = {
  prediction_id: 'VARCHAR',
  row: 'INTEGER',
  row_key: 'VARCHAR',
  event_time: 'TIMESTAMP',
  arrived_at: 'TIMESTAMP',
  trace_id: 'VARCHAR',
  model: 'VARCHAR',
  environment: 'VARCHAR',
  version: 'INTEGER',
  manifest: 'VARCHAR',
  generation: 'INTEGER',
  output: 'DOUBLE',
  latency_seconds: 'DOUBLE',
} as const;
export type LogColumn = keyof typeof logColumns;

export const sqlTypes: Record<TensorType, string> = {
  string: 'VARCHAR',
  float32: 'DOUBLE',
  float64: 'DOUBLE',
  int64: 'BIGINT',
  bool: 'BOOLEAN',
};

/** In a segment an input's column has this prefix, so that no feature can take the place of a log column. */
export const inputPrefix = 'input.';

/** Names equal inputs: segments with the same one have the same columns. */
export function schemaId(inputs: ModelLine['inputs']): string {
  return digestOf(inputs.map(({ name, type }) => [name, sqlTypes[type]])).slice(0, 8);
}

/**
 * A closed segment's name: the id of its first prediction (a UUIDv7, so it begins with a time), the time of
 * its last arrival (12 hexadecimal digits of milliseconds), and its columns. Whoever looks for a prediction id
 * reads from the names which segments can hold it: there is no index that could be wrong.
 */
export function segmentName(parts: { id: string; lastArrivalMs: number; schema: string }): string {
  return `${parts.id}-${parts.lastArrivalMs.toString(16).padStart(12, '0')}-${parts.schema}`;
}

const segmentKey =
  /\/(\d{4}-\d{2}-\d{2})\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22})-([0-9a-f]{12})-([0-9a-f]{8})\.parquet$/;

export interface SegmentInfo {
  key: string;
  /** Event day, YYYY-MM-DD. */
  day: string;
  firstArrivalMs: number;
  lastArrivalMs: number;
  schema: string;
}

/** What a segment's key says, or null for a key of something else. */
export function segmentInfo(key: string): SegmentInfo | null {
  const [, day, id, last, schema] = segmentKey.exec(key) ?? [];
  if (day === undefined || id === undefined || last === undefined || schema === undefined) return null;
  const firstArrivalMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return { key, day, firstArrivalMs, lastArrivalMs: Number.parseInt(last, 16), schema };
}
