import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { Digest } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import { register } from '../../src/registry/register.ts';
import { Registry } from '../../src/registry/registry.ts';
import { promote } from '../../src/rollout/move.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import { Store } from '../../src/store/store.ts';
import { producer, storeRun } from '../registry/runs.ts';

/** A small model repository whose store holds what each stage needs, made without a training. */
export interface Prepared {
  workspace: string;
  store: string;
  model: string;
  /** An evaluation of a candidate that is as good as the champion. */
  evaluation: Digest;
  /** A passed gate's result that is no version yet. */
  gate: Digest;
}

const model = 'late-orders';
const rows = 2000;

const orders = `
  SELECT i AS id, strftime(TIMESTAMP '2024-01-01' + to_minutes(CAST(i * 29 AS BIGINT)), '%Y-%m-%d %H:%M:%S') AS placed,
    round(sin(i * 12.9898) * 3, 3) AS distance, i * 7919 % 100 / 10.0 AS weight,
    ['red', 'green', 'blue'][1 + i * 31 % 3] AS colour, sin(i * 12.9898) + (i * 7919 % 100) / 100.0 > 0.4 AS late
  FROM range(${rows}) AS numbers(i)`;

const contract = `apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    logicalType: object
    physicalType: table
    properties:
      - { name: id, logicalType: integer, required: true, unique: true }
      - { name: distance, logicalType: number, required: true, logicalTypeOptions: { minimum: -3, maximum: 3 } }
      - name: colour
        logicalType: string
        required: true
        quality: [{ metric: invalidValues, arguments: { validValues: [red, green, blue] }, mustBe: 0 }]
`;

const configuration = (sha256: string) => `schema: modelgate/1
model: ${model}
as_of: 2024-03-01
data:
  sources: { orders: { file: orders.csv, contract: contract.yaml, time: placed } }
features: { sql: features.sql, key: id, time: placed, label: late }
split: { by: time, validation: 0.2 }
train: { script: train.py, requirements: requirements.lock, task: classification, seed: 5 }
evaluation: { id: orders-2024-02, file: evaluation.csv, sha256: ${sha256} }
gate:
  metrics: [{ metric: auc, role: primary, margin: 0.02 }]
environments: [{ name: staging }, { name: production }]
`;

/** Fills an empty folder: the repository, a store with three versions (the third in staging, the second in
 * production), and tables to compare. */
export async function prepare(folder: string): Promise<Prepared> {
  const workspace = path.join(folder, 'repository');
  await mkdir(workspace, { recursive: true });
  const file = (name: string) => path.join(workspace, name);
  const engine = await openDuckDb({ workDirectory: path.join(folder, 'work') });
  try {
    await writeTable(file('orders.csv'), await engine.rows(orders));
    await writeTable(
      file('current.csv'),
      await engine.rows(orders.replace('sin(i * 12.9898) * 3', 'sin(i) * 3 + 1')),
    );
    await writeTable(file('evaluation.csv'), await engine.rows(`SELECT id, late FROM (${orders})`));
    await writeFile(file('contract.yaml'), contract);
    await writeFile(
      file('features.sql'),
      'SELECT id, CAST(placed AS TIMESTAMP) AS placed, late, distance, weight, colour FROM orders\n',
    );
    await writeFile(file('train.py'), '');
    await writeFile(file('requirements.lock'), '');
    const set = createHash('sha256')
      .update(await readFile(file('evaluation.csv')))
      .digest('hex');
    await writeFile(file('modelgate.yaml'), configuration(set));

    const place = path.join(folder, 'store');
    const store = new Store(new FileSystemStorage(place));
    const registry = new Registry({ store, now: () => new Date('2024-03-01'), logger: silentLogger });
    const actor = { name: 'alice', via: 'cli' } as const;
    const all = { model, environments: ['staging', 'production'], expected_generation: null };
    const plain = { override: null, reason: null, dry_run: false, actor };
    for (const seed of [1, 2, 3]) {
      await register(registry, { model, gate: await storeRun(store, { seed }), actor });
      for (const environment of seed === 3 ? ['staging'] : all.environments) {
        const op_id = `${environment}-${seed}`;
        await promote(registry, { ...all, ...plain, version: seed, environment, op_id });
      }
    }

    const scores = await paired(path.join(folder, 'work'), engine);
    const evaluation = await storeEvaluation(store, scores);
    return { workspace, store: place, model, evaluation, gate: await storeRun(store, { seed: 4 }) };
  } finally {
    await engine.close();
  }
}

type Engine = Awaited<ReturnType<typeof openDuckDb>>;

async function writeTable(file: string, table: readonly Record<string, unknown>[]): Promise<void> {
  const names = Object.keys(table[0] ?? {});
  const lines = table.map((row) => names.map((name) => String(row[name])).join(','));
  await writeFile(file, `${[names.join(','), ...lines].join('\n')}\n`);
}

/** Predictions of two models that differ by little noise, and the keys of a training set. */
async function paired(folder: string, engine: Engine) {
  const random = seededRandom(8);
  const lines = Array.from({ length: rows }, (_, i) => {
    const label = random.uniform() < 0.3 ? 1 : 0;
    const score = 0.3 * label + 0.5 * random.uniform();
    return `e${i},${label},${score},${score + 0.02 * random.uniform()}`;
  });
  const csv = path.join(folder, 'predictions.csv');
  await writeFile(csv, `${['key,label,champion,candidate', ...lines].join('\n')}\n`);
  await engine.addFile('predictions', csv);
  const predictions = path.join(folder, 'predictions.parquet');
  const train = path.join(folder, 'train.parquet');
  await engine.writeParquet('SELECT * FROM predictions', predictions);
  await engine.writeParquet("SELECT 't' || i AS id FROM range(100) AS numbers(i)", train);
  return { predictions, train };
}

async function storeEvaluation(
  store: Store,
  tables: { predictions: string; train: string },
): Promise<Digest> {
  const put = (kind: Manifest['kind'], part: Partial<Omit<Manifest, 'schema' | 'kind'>>) =>
    store.putManifest({ kind, files: [], inputs: {}, facts: {}, producer, ...part });
  const bytes = async (name: string, text: string) => ({
    name,
    size: Buffer.byteLength(text),
    sha256: await store.putBytes(Buffer.from(text)),
  });
  const features = await put('features', {
    facts: { columns: [{ name: 'id', type: 'string', role: 'key' }] },
  });
  const split = await put('split', {
    inputs: { features },
    files: [{ name: 'train.parquet', ...(await store.putFile(tables.train)) }],
  });
  const named = async (text: string) =>
    put('model', { inputs: { split }, files: [await bytes('model.onnx', text)] });
  const champion = await named('champion');
  const latency = { candidate: { rows: 200, median_ms: 1, p99_ms: 2 }, champion: null };
  return put('evaluation', {
    inputs: { model: await named('candidate'), champion },
    files: [
      { name: 'predictions.parquet', ...(await store.putFile(tables.predictions)) },
      await bytes('latency.json', JSON.stringify(latency)),
    ],
    facts: { rows, champion, evaluation_set: { id: 'orders-2024-02', sha256: 'e'.repeat(64) } },
  });
}
