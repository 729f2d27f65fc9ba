import { identifier, literal, type SqlEngine } from '../data/engine.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { inputPrefix, logColumns, type SegmentInfo, segmentInfo } from './log-schema.ts';

export interface ReadPredictionsOptions {
  storage: Storage;
  engine: SqlEngine;
  model: string;
  environment: string;
  /** Event times: inclusive, exclusive. null: no bound. */
  since: Date | null;
  until: Date | null;
  /** Name of the view that is declared. */
  view?: string;
  /** All closed segments, where they were listed before. */
  segments?: readonly SegmentInfo[] | undefined;
}

export interface ReadPredictions {
  view: string;
  /** Parquet files that the view reads. */
  segments: number;
  /** Inputs of the models that predicted, and the view's column with their values. */
  features: { name: string; column: string; physicalType: string }[];
}

/**
 * Declares a view over the closed segments of the prediction log: one row a prediction with the columns of
 * `logColumns`, and one a feature under its own name (`input_<name>` where that is a log column's name). A
 * feature that a version does not have is null in its rows. Without a segment the view is empty.
 */
export async function readPredictions(options: ReadPredictionsOptions): Promise<ReadPredictions> {
  const { storage, engine, model, environment, since, until, view = 'predictions' } = options;
  const all = options.segments ?? (await listSegments(storage, model, environment));
  const segments = segmentsBetween(all, { since, until });
  const features = await declareSegments({ storage, engine, segments, since, until, view });
  return { view, segments: segments.length, features };
}

/** The segments whose event day can hold times from `since` (inclusive) to `until` (exclusive). */
export function segmentsBetween(
  segments: readonly SegmentInfo[],
  { since, until }: { since: Date | null; until: Date | null },
): SegmentInfo[] {
  const firstDay = since?.toISOString().slice(0, 10) ?? '';
  const lastDay = until === null ? '9999-99-99' : new Date(until.getTime() - 1).toISOString().slice(0, 10);
  return segments.filter(({ day }) => day >= firstDay && day <= lastDay);
}

/** Declares the view of `readPredictions` over these segments, and gives its features. */
export async function declareSegments(
  options: Pick<ReadPredictionsOptions, 'storage' | 'engine' | 'since' | 'until'> & {
    segments: readonly SegmentInfo[];
    view: string;
  },
): Promise<ReadPredictions['features']> {
  const { storage, engine, segments, since, until, view } = options;
  const groups = await declareGroups({ storage, engine, segments, view });
  const features = commonFeatures(groups);

  const selects = groups.map((group) => {
    const own = new Map(group.features.map((feature) => [feature.name, feature.physicalType]));
    const columns = features.map(({ name, column, physicalType }) => {
      const source = own.has(name) ? identifier(inputPrefix + name) : 'NULL';
      return `CAST(${source} AS ${physicalType}) AS ${identifier(column)}`;
    });
    return `SELECT ${[...Object.keys(logColumns).map(identifier), ...columns].join(', ')} FROM ${identifier(group.view)}`;
  });
  const empty = Object.entries(logColumns).map(
    ([name, type]) => `CAST(NULL AS ${type}) AS ${identifier(name)}`,
  );
  const all = selects.length > 0 ? selects.join(' UNION ALL ') : `SELECT ${empty.join(', ')} WHERE 1 = 0`;
  const bounds = [
    ...(since === null ? [] : [`event_time >= ${timestamp(since)}`]),
    ...(until === null ? [] : [`event_time < ${timestamp(until)}`]),
  ];
  const where = bounds.length > 0 ? ` WHERE ${bounds.join(' AND ')}` : '';
  await engine.execute(
    `CREATE OR REPLACE VIEW ${identifier(view)} AS SELECT * FROM (${all}) AS logged${where}`,
  );
  return features;
}

/** The closed segments of an environment, by event day. */
export async function listSegments(
  storage: Storage,
  model: string,
  environment: string,
): Promise<SegmentInfo[]> {
  const found: SegmentInfo[] = [];
  for await (const { key } of storage.list(keys.predictionDay(model, environment))) {
    const info = segmentInfo(key);
    if (info !== null) found.push(info);
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

interface Group {
  view: string;
  features: { name: string; physicalType: string }[];
}

/** One view for each set of columns. */
export async function declareGroups(options: {
  storage: Storage;
  engine: SqlEngine;
  segments: readonly SegmentInfo[];
  view: string;
}): Promise<Group[]> {
  const files = new Map<string, string[]>();
  for (const { key, schema } of options.segments) {
    const file = await options.storage.localFile(key);
    if (file === null) continue; // removed since it was listed
    files.set(schema, [...(files.get(schema) ?? []), file]);
  }
  const groups: Group[] = [];
  for (const [schema, list] of files) {
    const view = `${options.view}_${schema}`;
    await options.engine.addFile(view, list, 'parquet');
    const columns = await options.engine.describe(`SELECT * FROM ${identifier(view)}`);
    groups.push({
      view,
      features: columns
        .filter(({ name }) => name.startsWith(inputPrefix))
        .map(({ name, physicalType }) => ({ name: name.slice(inputPrefix.length), physicalType })),
    });
  }
  return groups;
}

function commonFeatures(groups: readonly Group[]): ReadPredictions['features'] {
  const types = new Map<string, string>();
  for (const { name, physicalType } of groups.flatMap((group) => group.features)) {
    const before = types.get(name);
    types.set(name, before === undefined || before === physicalType ? physicalType : 'VARCHAR');
  }
  // SQL does not tell upper case from lower case in names.
  const taken = new Set<string>(Object.keys(logColumns));
  return [...types].map(([name, physicalType]) => {
    let column = name;
    while (taken.has(column.toLowerCase())) column = `input_${column}`;
    taken.add(column.toLowerCase());
    return { name, column, physicalType };
  });
}

function timestamp(time: Date): string {
  return `CAST(${literal(time.toISOString().replace('T', ' ').replace('Z', ''))} AS TIMESTAMP)`;
}
