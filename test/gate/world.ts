import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import { GatePolicy } from '../../src/gate/policy.ts';
import type { Scores } from '../../src/gate/scores.ts';
import type { Digest } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { StageContext } from '../../src/stages/define.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import type { Producer } from '../../src/store/manifest.ts';
import { Store } from '../../src/store/store.ts';

const producer: Producer = { commit: 'c0ffee', run: '1', attempt: 1, trigger: 'push', modelgate: '0.1.0' };

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-gate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openEngine(): Promise<SqlEngine> {
  const engine = await openDuckDb({ workDirectory: temporaryFolder() });
  onTestFinished(() => engine.close());
  return engine;
}

export function openContext(): StageContext {
  const folder = temporaryFolder();
  const store = new Store(new FileSystemStorage(path.join(folder, 'store')));
  const workDirectory = path.join(folder, 'work');
  return {
    store,
    registry: new Registry({ store, now: () => new Date(0), logger: silentLogger }),
    engine: (options) => openDuckDb({ workDirectory, ...options }),
    logger: silentLogger,
    signal: new AbortController().signal,
    now: () => new Date(0),
    producer,
    actor: { name: 'test', via: 'cli' },
    workDirectory,
    cacheDirectory: folder,
  };
}

/** Standard normal numbers by Box and Muller (1958). */
export function normals(random: Random): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

/**
 * Rows of a binary problem with two models whose scores share most of their noise. `harm` is how much of the
 * signal the candidate loses, from 0 (an equal model) to 1 (it knows nothing).
 */
export function binaryRows(options: { rows: number; seed: number; harm?: number }) {
  const { rows, seed, harm = 0 } = options;
  const random = seededRandom(seed);
  const normal = normals(random);
  const label = new Float64Array(rows);
  const champion = new Float64Array(rows);
  const candidate = new Float64Array(rows);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  for (let i = 0; i < rows; i++) {
    label[i] = random.uniform() < 0.3 ? 1 : 0;
    const shared = 0.9 * normal();
    const signal = 1.2 * (label[i] as number);
    champion[i] = sigmoid(signal + shared + 0.45 * normal() - 1.2);
    candidate[i] = sigmoid(signal * (1 - harm) + shared + 0.45 * normal() - 1.2);
  }
  return { label, champion, candidate };
}

export function scoresOf(columns: ReturnType<typeof binaryRows>, part: Partial<Scores> = {}): Scores {
  return { rows: columns.label.length, clusters: null, slices: [], losses: new Map(), ...columns, ...part };
}

export const policyOf = (policy: object): GatePolicy => GatePolicy.parse(policy);

/** Columns by name, as CSV text. */
export function csvOf(columns: Record<string, ArrayLike<unknown>>): string {
  const names = Object.keys(columns);
  const quote = (value: unknown) =>
    value === null || value === undefined
      ? ''
      : typeof value === 'string'
        ? `"${value.replaceAll('"', '""')}"`
        : String(value);
  const rows = columns[names[0] as string]?.length ?? 0;
  const lines = Array.from({ length: rows }, (_, i) =>
    names.map((name) => quote(columns[name]?.[i])).join(','),
  );
  return `${[names.map(quote).join(','), ...lines].join('\n')}\n`;
}

export function writeCsv(columns: Record<string, ArrayLike<unknown>>): string {
  const file = path.join(temporaryFolder(), 'table.csv');
  writeFileSync(file, csvOf(columns));
  return file;
}

export async function storeParquet(context: StageContext, columns: Record<string, ArrayLike<unknown>>) {
  const file = path.join(temporaryFolder(), 'table.parquet');
  const engine = await context.engine();
  try {
    await engine.addFile('source', writeCsv(columns));
    await engine.writeParquet('SELECT * FROM source', file);
  } finally {
    await engine.close();
  }
  return context.store.putFile(file);
}

export interface EvaluationRecipe {
  /** predictions.parquet; `key` is made when it is not given. */
  columns: Record<string, ArrayLike<unknown>>;
  hasChampion?: boolean;
  /** train.parquet, with its key in column `id`. */
  train?: Record<string, ArrayLike<unknown>>;
  /** features.parquet: the rows of the set as the candidate sees them. */
  features?: Record<string, ArrayLike<unknown>>;
  p99?: number;
  modelBytes?: number;
  /** requirements.lock that the candidate was trained with. */
  lock?: string;
  /** What the manifest says of the number of rows. */
  facts?: { rows?: number };
}

/** Stores an evaluation and what it was made from, as the stages before the gate do; gives its digest. */
export async function storeEvaluation(context: StageContext, recipe: EvaluationRecipe): Promise<Digest> {
  const { store } = context;
  const { hasChampion = true, train = { id: ['t1'] }, p99 = 1, modelBytes = 1000 } = recipe;
  const rows = Object.values(recipe.columns)[0]?.length ?? 0;
  const put = (manifest: Partial<Parameters<Store['putManifest']>[0]>) =>
    store.putManifest({ kind: 'code', files: [], inputs: {}, facts: {}, producer, ...manifest });
  const columns = [{ name: 'id', type: 'string', role: 'key' }];
  const features = await put({ kind: 'features', facts: { columns } });
  const split = await put({
    kind: 'split',
    inputs: { features },
    files: [{ name: 'train.parquet', ...(await storeParquet(context, train)) }],
  });
  const modelFile = async (name: string) => {
    const bytes = Buffer.alloc(modelBytes, name);
    return { name: 'model.onnx', size: bytes.length, sha256: await store.putBytes(bytes) };
  };
  const code = async (lock: string) => {
    const bytes = Buffer.from(lock);
    const file = { name: 'requirements.lock', size: bytes.length, sha256: await store.putBytes(bytes) };
    return { code: await put({ kind: 'code', files: [file] }) };
  };
  const model = await put({
    kind: 'model',
    inputs: { split, ...(recipe.lock === undefined ? {} : await code(recipe.lock)) },
    files: [await modelFile('candidate')],
  });
  const champion = await put({ kind: 'model', inputs: { split }, files: [await modelFile('champion')] });
  const latency = Buffer.from(
    JSON.stringify({ candidate: { rows: 200, median_ms: p99 / 2, p99_ms: p99 }, champion: null }),
  );
  const key = Array.from({ length: rows }, (_, i) => `e${String(i).padStart(7, '0')}`);
  const predictions = await storeParquet(context, { key, ...recipe.columns });
  return put({
    kind: 'evaluation',
    inputs: hasChampion ? { model, champion } : { model },
    files: [
      { name: 'predictions.parquet', ...predictions },
      ...(recipe.features === undefined
        ? []
        : [{ name: 'features.parquet', ...(await storeParquet(context, recipe.features)) }]),
      { name: 'latency.json', size: latency.length, sha256: await store.putBytes(latency) },
    ],
    facts: {
      rows: recipe.facts?.rows ?? rows,
      champion: hasChampion ? champion : null,
      evaluation_set: { id: 'june', sha256: 'e'.repeat(64) },
    },
  });
}

/** Stores the measured noise of retraining; gives its digest. */
export async function storeNoise(
  context: StageContext,
  sd: Record<string, number>,
  replicates = 5,
): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify({ replicates, sd }));
  return context.store.putManifest({
    kind: 'noise',
    files: [{ name: 'noise.json', size: bytes.length, sha256: await context.store.putBytes(bytes) }],
    inputs: {},
    facts: {},
    producer,
  });
}
