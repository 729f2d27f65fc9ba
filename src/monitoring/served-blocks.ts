import { z } from 'zod';
import { Blocks, packBlocks } from '../data/blocks.ts';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { computeBlocks } from '../data/profile.ts';
import { mapAtMost } from '../map-at-most.ts';
import type { SegmentInfo } from '../serving/log-schema.ts';
import { declareSegments, listSegments, segmentsBetween } from '../serving/prediction-log.ts';
import type { Store } from '../store/store.ts';
import { keptJson } from './kept.ts';
import { declareInputs, eventTime, hashedInputs, type ModelInput, selectAnswer } from './served.ts';

/** What was served on one day of event time, by version: the model's inputs and its answers. */
const ServedDay = z.object({
  schema: z.literal('modelgate.served-day/1'),
  day: z.iso.date(),
  versions: z.array(z.object({ version: z.number().int(), blocks: Blocks })).max(10_000),
  /** Inputs of which only a keyed hash is in the log. */
  hashed: z.array(z.string()).max(10_000),
});
export type ServedDay = z.infer<typeof ServedDay>;

export interface ServedBlocksOptions {
  store: Store;
  /** Asked for only where a day must be read. */
  engine: SqlEngine;
  model: string;
  environment: string;
  inputs: readonly ModelInput[];
  /** The probability from which the predicted class is positive; null for regression. */
  threshold: number | null;
  /** Event times: inclusive, exclusive. */
  since: Date;
  until: Date;
}

const daysAtOnce = 8;
/** Columns of the log beside the inputs; no feature can be called so. */
const carried = { version: 'modelgate version', output: 'modelgate output' } as const;

/**
 * The days of a window as blocks. A whole day is read once and kept: under the names of its segments, so that
 * predictions that come late make it be read again, and no other. Days that the window cuts are read each time.
 */
export async function servedDays(options: ServedBlocksOptions): Promise<ServedDay[]> {
  const { model, environment, since, until } = options;
  const { storage } = options.store;
  const segments = segmentsBetween(await listSegments(storage, model, environment), { since, until });
  const byDay = [...Map.groupBy(segments, ({ day }) => day)].sort(([a], [b]) => (a < b ? -1 : 1));
  const days = await mapAtMost(byDay, daysAtOnce, ([day, own]) => servedDay(options, day, own));
  return days.filter(({ versions }) => versions.length > 0);
}

/** Inputs that only a hash is logged of: on some days, and on no other day with a value. */
export function hashedOn(days: readonly ServedDay[]): Set<string> {
  const hashed = new Set(days.flatMap((day) => day.hashed));
  for (const { blocks } of days.flatMap(({ versions }) => versions))
    for (const { name, parts } of blocks.columns)
      if (parts.some(({ nulls }, block) => nulls < (blocks.blocks[block]?.rows ?? 0))) hashed.delete(name);
  return hashed;
}

async function servedDay(
  options: ServedBlocksOptions,
  day: string,
  segments: readonly SegmentInfo[],
): Promise<ServedDay> {
  const { store, inputs, threshold, since, until } = options;
  const start = new Date(`${day}T00:00:00Z`);
  const end = new Date(start.getTime() + 86_400_000);
  if (since > start || until < end) return readDay(options, { day, segments, bounds: { since, until } });
  const key = {
    day,
    segments: segments.map((segment) => segment.key),
    inputs: inputs.map(({ name, type }) => [name, type]),
    threshold,
  };
  const make = () => readDay(options, { day, segments, bounds: { since: null, until: null } });
  const pack = ({ versions, ...rest }: ServedDay) => ({
    ...rest,
    versions: versions.map((one) => ({ ...one, blocks: packBlocks(one.blocks) })),
  });
  return keptJson(store, { key, schema: ServedDay, make, pack });
}

interface DayToRead {
  day: string;
  segments: readonly SegmentInfo[];
  bounds: { since: Date | null; until: Date | null };
}

/** Reads the rows of a day: a scan for the versions and two for each one's blocks. */
async function readDay(options: ServedBlocksOptions, read: DayToRead): Promise<ServedDay> {
  const { engine, inputs, threshold } = options;
  const { storage } = options.store;
  const { day, segments, bounds } = read;
  // days are read beside each other: each has views of its own
  const view = (what: string) => `${what} ${day}`;
  const declared = { storage, engine, segments, ...bounds, view: view('served') };
  const features = await declareSegments(declared);
  const hashed = await hashedInputs(engine, { view: view('served'), features });
  await declareInputs(engine, {
    view: view('inputs'),
    source: view('served'),
    inputs: inputs.filter(({ name }) => !hashed.includes(name)),
    columns: new Map(features.map(({ name, column }) => [name, column])),
    time: null,
    carry: { [carried.version]: 'version', [carried.output]: 'output' },
  });
  const rows = await engine.rows(
    `SELECT DISTINCT version FROM ${identifier(view('served'))} WHERE version IS NOT NULL ORDER BY 1`,
  );
  const without = [...Object.values(carried), eventTime].map(identifier).join(', ');
  const versions: ServedDay['versions'] = [];
  for (const row of rows) {
    const version = Number(row.version);
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE ${identifier(view('version'))} AS
       SELECT * EXCLUDE (${without}), ${selectAnswer(carried.output, threshold)}
       FROM ${identifier(view('inputs'))} WHERE ${identifier(carried.version)} = ${version}`,
    );
    versions.push({ version, blocks: await computeBlocks({ engine, view: view('version'), time: null }) });
  }
  await engine.execute(`DROP TABLE IF EXISTS ${identifier(view('version'))}`);
  return { schema: 'modelgate.served-day/1', day, versions, hashed };
}
