import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identifier } from '../../src/data/engine.ts';
import { logColumns, schemaId, segmentName } from '../../src/serving/log-schema.ts';
import { keys } from '../../src/store/keys.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import { type Bench, bench } from './context.ts';

export const model = 'parcels';
export const environment = 'production';
const inputs = [
  { name: 'weight', type: 'float32' as const },
  { name: 'distance', type: 'float32' as const },
  { name: 'depot', type: 'string' as const },
];

/** What the served window differs in. SQL over i (row), d (day of the window), and the training row's columns. */
export interface Traffic {
  days?: number;
  rowsPerDay?: number;
  weight?: string;
  distance?: string;
  depot?: string;
  output?: string;
  /** Version that answered. */
  version?: string;
  latency?: string;
}

/** Uniform numbers from a row's number: the same on every machine. */
const uniform = (name: string) => `((hash(i, '${name}') % 1000003) / 1000003.0)`;
/** Rows of a day share a shift of their own, so that days differ although nothing drifts. */
const rows = (first: string, days: number, perDay: number, salt: string) => `
  SELECT i, d, DATE '${first}' + CAST(d AS INTEGER) AS day,
    10 + 4 * (${uniform(`${salt}w`)} + ${uniform(`${salt}v`)}) + (hash(d, '${salt}') % 100) / 100.0 AS weight,
    300 + 200 * ${uniform(`${salt}d`)} AS distance,
    CASE WHEN ${uniform(`${salt}c`)} < 0.5 THEN 'north' WHEN ${uniform(`${salt}c`)} < 0.8 THEN 'south' ELSE 'west' END AS depot,
    CASE WHEN ${uniform(`${salt}p`)} < 0.5 THEN 0.5 + 0.4 * ${uniform(`${salt}q`)} ELSE 0.4 * ${uniform(`${salt}q`)} END AS output
  FROM (SELECT i, i // ${perDay} AS d FROM range(${days * perDay}) AS t(i))`;

export interface World extends Bench {
  /** Labels for the served rows: a Parquet file with parcel and late. SQL over i and output. */
  labels(late: string): Promise<string>;
}

/** A model with its training rows and its gate, served in production in February; January is what it was trained on. */
export async function world(
  traffic: Traffic = {},
  importance = { weight: 0.6, distance: 0.02, depot: 0.3 },
): Promise<World> {
  const made = await bench();
  const { context, folder } = made;
  const { store, registry, actor, producer } = context;
  const put = async (
    kind: Manifest['kind'],
    files: Record<string, string>,
    from: Record<string, string> = {},
  ) =>
    store.putManifest({
      kind,
      files: await Promise.all(
        Object.entries(files).map(async ([name, file]) => ({ name, ...(await store.putFile(file)) })),
      ),
      inputs: from,
      producer,
      facts: {},
    });
  const json = async (name: string, value: unknown) => {
    const file = path.join(folder, name);
    await writeFile(file, JSON.stringify(value));
    return file;
  };
  const train = await made.parquet(
    'train.parquet',
    `SELECT 'p' || i AS parcel, CAST(day AS TIMESTAMP) AS at, output > 0.5 AS late, weight, distance, depot FROM (${rows('2013-01-01', 31, 100, 'a')})`,
  );
  const split = await put('split', { 'train.parquet': train });
  const manifest = await put(
    'model',
    {
      'signature.json': await json('signature.json', { inputs, task: 'classification', output: 'p' }),
      'feature-definition.json': await json('definition.json', { key: 'parcel', time: 'at', label: 'late' }),
      'importance.json': await json('importance.json', importance),
    },
    { split },
  );
  const predictions = await made.parquet(
    'predictions.parquet',
    `SELECT 'p' || i AS key, CAST(output > 0.5 AS DOUBLE) AS label, output AS candidate, CAST(day AS VARCHAR) AS cluster FROM (${rows('2013-01-01', 31, 100, 'e')})`,
  );
  const evaluation = await put('evaluation', { 'predictions.parquet': predictions }, { model: manifest });
  const gate = await put('gate', {}, { evaluation });
  let operation = 0;
  const commit = async (intent: Record<string, unknown>) => {
    const op_id = `op-${operation++}`;
    await registry.commit({
      model,
      op_id,
      matches: () => false,
      decide: () => ({ op_id, actor, ...intent }) as never,
    });
  };
  await commit({ type: 'register', version: 1, manifest, gate, verdict: 'pass' });
  await commit({ type: 'promote', environment, generation: 1, version: 1, manifest, from: null });

  const { days = 28, rowsPerDay = 100 } = traffic;
  const served = `SELECT i, d, day, ${traffic.weight ?? 'weight'} AS weight, ${traffic.distance ?? 'distance'} AS distance,
    ${traffic.depot ?? 'depot'} AS depot, ${traffic.output ?? 'output'} AS output FROM (${rows('2013-02-01', days, rowsPerDay, 's')})`;
  const values: Record<keyof typeof logColumns, string> = {
    prediction_id: `'id-' || i`,
    row: '0',
    row_key: `'s' || i`,
    event_time: 'day',
    arrived_at: 'day',
    trace_id: `'t'`,
    model: `'${model}'`,
    environment: `'${environment}'`,
    version: traffic.version ?? '1',
    manifest: `'${manifest}'`,
    generation: '1',
    output: 'output',
    latency_seconds: traffic.latency ?? '0.004',
  };
  const columns = [
    ...Object.entries(logColumns).map(
      ([name, type]) => `CAST(${values[name as keyof typeof values]} AS ${type}) AS ${identifier(name)}`,
    ),
    ...inputs.map(
      ({ name, type }) =>
        `CAST(${name} AS ${type === 'string' ? 'VARCHAR' : 'DOUBLE'}) AS ${identifier(`input.${name}`)}`,
    ),
  ];
  for (let d = 0; d < days; d++) {
    const file = await made.parquet(
      `segment-${d}.parquet`,
      `SELECT ${columns.join(', ')} FROM (${served}) WHERE d = ${d}`,
    );
    const day = new Date(Date.UTC(2013, 1, 1 + d)).toISOString().slice(0, 10);
    const id = `01900000-0000-7000-8000-${String(d).padStart(12, '0')}`;
    const name = segmentName({ id, lastArrivalMs: Date.UTC(2013, 1, 1 + d), schema: schemaId(inputs) });
    await store.storage.create(keys.predictions(model, environment, day, name), { file });
  }
  return {
    ...made,
    labels: (late) =>
      made.parquet(
        'labels.parquet',
        `SELECT 's' || i AS parcel, CAST(${late} AS BOOLEAN) AS late FROM (${served})`,
      ),
  };
}
