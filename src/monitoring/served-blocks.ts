import type { Blocks } from '../data/blocks.ts';
import { isDay, packBlocks, readPackedBlocks } from '../data/blocks-packed.ts';
import { isRecord } from '../data/blocks-parts.ts';
import { identifier, type SqlEngine } from '../data/engine.ts';
import type { CountsReader, CountsWriter } from '../data/packed-counts.ts';
import { computeBlocks } from '../data/profile.ts';
import type { Json } from '../json.ts';
import { mapAtMost } from '../map-at-most.ts';
import type { SegmentInfo } from '../serving/log-schema.ts';
import { declareSegments, listSegments, segmentsBetween } from '../serving/prediction-log.ts';
import type { Store } from '../store/store.ts';
import { mondayOf } from './block-side.ts';
import { type Keepable, keep, kept, readKept } from './kept.ts';
import { declareInputs, eventTime, hashedInputs, type ModelInput, selectAnswer } from './served.ts';

/** What was served on one day of event time, by version: the model's inputs and its answers. */
export interface ServedDay {
  schema: typeof schema;
  day: string;
  versions: { version: number; blocks: Blocks }[];
  /** Inputs of which only a keyed hash is in the log. */
  hashed: string[];
}

const schema = 'modelgate.served-day/1';

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
  /** All closed segments, where they were listed before. */
  segments?: readonly SegmentInfo[] | undefined;
}

const readAtOnce = 8;
const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
/** Columns of the log beside the inputs; no feature can be called so. */
const carried = { version: 'modelgate version', output: 'modelgate output' } as const;

/**
 * The days of a window as blocks. A whole day is read once and kept: under the names of its segments, so that
 * predictions that come late make it be read again, and no other. Days that the window cuts are read each time. The
 * days of whole weeks are kept together as well: a window is then made of a fifth of the objects.
 */
export async function servedDays(options: ServedBlocksOptions): Promise<ServedDay[]> {
  const { store, model, environment, since, until } = options;
  const all = options.segments ?? (await listSegments(store.storage, model, environment));
  const segments = segmentsBetween(all, { since, until });
  const byDay = [...Map.groupBy(segments, ({ day }) => day)]
    .map(([day, own]) => ({ day, segments: own }))
    .sort((a, b) => (a.day < b.day ? -1 : 1));
  const stretches = [...Map.groupBy(byDay, ({ day }) => mondayOf(day))].map(([monday, own]) => {
    const start = Date.parse(`${monday}T00:00:00Z`);
    const whole = own.length > 1 && since.getTime() <= start && start + weekMs <= until.getTime();
    return { own, wanted: whole ? keepableWeek(options, own) : null };
  });
  const known = await mapAtMost(stretches, readAtOnce, async ({ wanted }) =>
    wanted === null ? null : readKept(store, wanted),
  );
  const missing = stretches.flatMap(({ own }, i) => (known[i] === null ? own : []));
  const read = await mapAtMost(missing, readAtOnce, (own) => servedDay(options, own));
  const days: ServedDay[] = [];
  for (const [i, { own, wanted }] of stretches.entries()) {
    const week = known[i] ?? read.splice(0, own.length);
    if (wanted !== null && known[i] === null) await keep(store, wanted, week);
    days.push(...week);
  }
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

interface LoggedDay {
  day: string;
  segments: readonly SegmentInfo[];
}

async function servedDay(options: ServedBlocksOptions, logged: LoggedDay): Promise<ServedDay> {
  const { store, since, until } = options;
  const start = Date.parse(`${logged.day}T00:00:00Z`);
  if (since.getTime() > start || until.getTime() < start + dayMs)
    return readDay(options, { ...logged, bounds: { since, until } });
  const make = () => readDay(options, { ...logged, bounds: { since: null, until: null } });
  return kept(store, { key: keyOf(options, [logged]), make, pack: packDay, read: readPackedDay });
}

/** What days of a model follow from: the names of their segments. */
function keyOf({ inputs, threshold }: ServedBlocksOptions, days: readonly LoggedDay[]): Json {
  return {
    days: days.map(({ day, segments }) => [day, segments.map((segment) => segment.key)]),
    inputs: inputs.map(({ name, type }) => [name, type]),
    threshold,
  };
}

function keepableWeek(options: ServedBlocksOptions, own: readonly LoggedDay[]): Keepable<ServedDay[]> {
  return {
    key: keyOf(options, own),
    pack: (days, counts) => days.map((day) => packDay(day, counts)),
    read: (value, counts) => {
      if (!Array.isArray(value) || value.length !== own.length) return null;
      const days = value.map((day) => readPackedDay(day, counts));
      return days.every((day) => day !== null) ? days : null;
    },
  };
}

function packDay({ versions, ...rest }: ServedDay, counts: CountsWriter): unknown {
  return {
    ...rest,
    versions: versions.map((one) => ({ ...one, blocks: packBlocks(one.blocks, counts) })),
  };
}

function readPackedDay(value: unknown, counts: CountsReader): ServedDay | null {
  if (!isRecord(value) || value.schema !== schema || !isDay(value.day)) return null;
  const { day, hashed } = value;
  if (!Array.isArray(hashed) || !hashed.every((name) => typeof name === 'string')) return null;
  if (!Array.isArray(value.versions)) return null;
  const versions: ServedDay['versions'] = [];
  for (const one of value.versions) {
    const blocks = isRecord(one) ? readPackedBlocks(one.blocks, counts) : null;
    if (blocks === null || !Number.isSafeInteger(one.version)) return null;
    versions.push({ version: one.version, blocks });
  }
  return { schema, day, versions, hashed };
}

interface DayToRead extends LoggedDay {
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
  return { schema, day, versions, hashed };
}
