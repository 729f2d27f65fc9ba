import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cacheDirectory } from '../../src/cache-directory.ts';
import { silentLogger } from '../../src/logger.ts';
import { findPython } from '../../src/training/python-command.ts';
import { flightsData, type TestContext, testContext } from '../data/context.ts';

/** The example's locked environment, shared by all tests and kept between runs. */
export const cache = cacheDirectory();
export const trainFolder = path.resolve('examples/flights/train');

/** Whether these tests can run: in CI they must, elsewhere a machine without Python skips them. */
export async function hasPython(): Promise<boolean> {
  if (process.env.CI) return true;
  try {
    const env = { PATH: process.env.PATH ?? '', HOME: os.homedir() };
    await findPython(env, new AbortController().signal);
    return true;
  } catch {
    return false;
  }
}

export const definition = { key: 'id', time: 'departs', label: 'late', keep: ['origin'], joins: [] };

/** A row for each of January's flights that arrived, with a null here and there. */
const flightsSql = `
  SELECT row_number() OVER (ORDER BY time_hour, carrier, flight) AS id, day,
    make_timestamp(year, month, day, hour, minute, 0) AS departs, arr_delay > 15 AS late, carrier, origin, dest,
    hour, CASE WHEN flight % 50 = 0 THEN NULL ELSE distance END AS distance
  FROM read_flights WHERE month = 1 AND arr_delay IS NOT NULL`;

export const featuresSql =
  'SELECT id, departs, late, origin, carrier, dest, hour, distance, day % 7 AS weekday FROM flights;\n';

export interface World extends TestContext {
  dataset: string;
  /** Rows of the evaluation set. */
  setFile: string;
  setDigest: string;
}

/** A store with the flights of January as a dataset, and an evaluation set of its last days. */
export async function makeWorld(): Promise<World> {
  const world = await testContext();
  world.context.cacheDirectory = cache;
  const engine = await world.engine();
  await engine.addFile('read_flights', path.join(flightsData, 'flights.parquet'));
  const flights = path.join(world.folder, 'flights.parquet');
  await engine.writeParquet(`${flightsSql} ORDER BY id`, flights);
  const setFile = path.join(world.folder, 'set.parquet');
  await engine.addFile('flights', flights);
  await engine.writeParquet('SELECT id, late, day, origin FROM flights WHERE day > 27 ORDER BY id', setFile);
  await engine.close();
  const { store, context } = world;
  const { producer } = context;
  const stored = { name: 'data.parquet', ...(await store.putFile(flights)) };
  const snapshot = await store.putManifest({
    kind: 'snapshot',
    files: [stored],
    inputs: {},
    facts: {},
    producer,
  });
  const dataset = await store.putManifest({
    kind: 'dataset',
    files: [],
    inputs: { flights: snapshot },
    facts: {},
    producer,
  });
  return { ...world, dataset, setFile, setDigest: (await store.putFile(setFile)).sha256 };
}

export interface SplitOptions {
  /** SQL conditions over the source's rows. */
  train?: string;
  validation?: string;
  sql?: string;
}

/** Features and split manifests, as their stages make them. */
export async function makeSplit(world: World, options: SplitOptions = {}): Promise<string> {
  const { store, context } = world;
  const { producer } = context;
  const sql = options.sql ?? featuresSql;
  const code = await world.code({ 'features.sql': sql });
  const engine = await world.engine();
  const flights = await store.manifestFile(
    (await store.readManifest(world.dataset)).inputs.flights!,
    'data.parquet',
  );
  await engine.addFile('flights', flights);
  const rows = sql.replace(/[;\s]+$/, '');
  const files = [];
  for (const [part, where] of [
    ['train', options.train ?? 'day <= 20'],
    ['validation', options.validation ?? 'day BETWEEN 21 AND 24'],
  ] as const) {
    const file = path.join(world.folder, `${part}.parquet`);
    const days = `(SELECT id AS of_day, day AS of FROM flights WHERE ${where})`;
    await engine.writeParquet(
      `SELECT made.* FROM (${rows}) AS made JOIN ${days} AS days ON made.id = days.of_day ORDER BY departs, id`,
      file,
    );
    files.push({ name: `${part}.parquet`, ...(await store.putFile(file)) });
  }
  await engine.close();
  const features = await store.putManifest({
    kind: 'features',
    files: [],
    inputs: { dataset: world.dataset, code },
    facts: { definition },
    producer,
  });
  return store.putManifest({ kind: 'split', files, inputs: { features }, facts: {}, producer });
}

/** The example's lock with another script. */
export async function trainingCode(world: World, script: string, lock?: string): Promise<string> {
  return world.code({
    'train.py': script,
    'requirements.lock': lock ?? (await readFile(path.join(trainFolder, 'requirements.lock'), 'utf8')),
  });
}

export const exampleScript = () => readFile(path.join(trainFolder, 'train.py'), 'utf8');

export const recipe = (params: Record<string, number> = { max_iter: 20 }) => ({
  task: 'classification' as const,
  params,
  seed: 7,
  timeout: '5m',
  parity: { rows: 10_000, tolerance: 1e-5 },
});

/** A logger that keeps what it was told. */
export function keepingLogger() {
  const lines: string[] = [];
  return { ...silentLogger, info: (message: string) => void lines.push(message), lines };
}

export const flightsThere = existsSync(path.join(flightsData, 'flights.parquet'));
