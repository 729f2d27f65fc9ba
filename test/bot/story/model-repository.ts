import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { openDuckDb } from '../../../src/data/duckdb.ts';
import { sha256 } from '../../../src/json.ts';
import { seededRandom } from '../../../src/stats/random.ts';

export const model = 'parcels-late';
const root = path.join(import.meta.dirname, '../../..');
const templates = ['pull-request', 'train', 'candidate', 'promote', 'rollback', 'monitor'].map(
  (name) => `${name}.yml`,
);
const day = 86_400_000;
const parcelsPerDay = 25;
/** The evaluation set is of February, what is trained on is of March and April. */
const days = { first: Date.UTC(2025, 1, 1), evaluation: 28, training: 60 };

export interface Parcel {
  id: string;
  handed_in: string;
  distance: number;
  hour: number;
}

/** Parcels of some days, the same ones for the same seed. `farther`: by so many kilometres than usual. */
export function parcels({
  seed,
  first,
  days: count,
  farther = 0,
}: {
  seed: number;
  first: number;
  days: number;
  farther?: number;
}): (Parcel & { late: boolean })[] {
  const { below, uniform } = seededRandom(seed);
  return Array.from({ length: count * parcelsPerDay }, (_, n) => {
    const time = new Date(first + Math.floor(n / parcelsPerDay) * day + below(day)).toISOString();
    const [distance, hour] = [50 + below(400) + farther, 6 + below(16)];
    const late = uniform() < 1 / (1 + Math.exp(-(0.02 * (distance - 250) + 0.4 * (hour - 14))));
    return { id: `${seed}-${n}`, handed_in: `${time.slice(0, 19)}Z`, distance, hour, late };
  });
}

/** The first recipe knows the distance alone; what a pull request brings is the hour of handing in. */
export const betterFeatures = 'SELECT id, handed_in, late, distance, hour FROM parcels\n';
const features = 'SELECT id, handed_in, late, distance FROM parcels\n';

const contract = {
  ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: model, version: '1.0.0', status: 'active' },
  schema: [
    {
      ...{ name: 'parcels', logicalType: 'object', physicalType: 'table' },
      quality: [{ metric: 'rowCount', mustBeBetween: [100, 100_000] }],
      properties: [
        { name: 'id', logicalType: 'string', required: true, unique: true },
        { name: 'handed_in', logicalType: 'timestamp', required: true },
        { name: 'late', logicalType: 'boolean', required: true },
        { name: 'distance', logicalType: 'number', logicalTypeOptions: { minimum: 0, maximum: 2000 } },
        { name: 'hour', logicalType: 'integer', logicalTypeOptions: { minimum: 0, maximum: 23 } },
      ],
    },
  ],
};

const config = (evaluation: Buffer) => ({
  schema: 'modelgate/1',
  model,
  data: {
    sources: { parcels: { file: 'parcels.csv', contract: 'contract.yaml', time: 'handed_in' } },
    window: { from: '2025-03-01' },
  },
  features: { sql: 'features.sql', key: 'id', time: 'handed_in', label: 'late' },
  split: { by: 'time', validation: 0.2 },
  train: {
    ...{ script: 'train.py', requirements: 'requirements.lock', task: 'classification' },
    ...{ params: { steps: 8, ridge: 1 }, seed: 7 },
  },
  evaluation: {
    ...{ id: 'february', file: 'february.parquet', sha256: sha256(evaluation), cluster: 'day' },
    window: { from: '2025-02-01', until: '2025-03-01' },
  },
  gate: {
    metrics: [{ metric: 'auc', margin: 0.02 }],
    floors: [{ metric: 'auc', min: 0.6 }],
  },
  environments: [{ name: 'staging' }, { name: 'production' }],
  monitoring: { permutations: 499 },
});

/** All files of a small model repository: our workflow templates as they are, data, and a script that trains. */
export async function modelFiles(): Promise<Record<string, string | Buffer>> {
  const evaluated = parcels({ seed: 1, first: days.first, days: days.evaluation });
  const trained = parcels({
    ...{ seed: 2, first: days.first + days.evaluation * day, days: days.training },
  });
  const csv = csvOf([...evaluated, ...trained]);
  const evaluation = await evaluationSet(csvOf(evaluated));
  const texts = {
    ...Object.fromEntries(
      templates.map((name) => [`.github/workflows/${name}`, `workflows-templates/${name}`]),
    ),
    'train.py': 'test/bot/story/train.py',
    'requirements.lock': 'examples/flights/train/requirements.lock', // an environment that other tests have, too
  };
  const copied = await Promise.all(
    Object.entries(texts).map(async ([name, file]) => [name, await readFile(path.join(root, file))] as const),
  );
  return {
    ...Object.fromEntries(copied),
    'modelgate.yaml': stringify(config(evaluation)),
    'modelgate.sample.yaml': stringify({
      extends: 'modelgate.yaml',
      data: { window: { from: '2025-03-01', until: '2025-03-25' } },
    }),
    'contract.yaml': stringify(contract),
    'features.sql': features,
    'parcels.csv': csv,
    'february.parquet': evaluation,
  };
}

const csvOf = (rows: readonly (Parcel & { late: boolean })[]): string =>
  ['id,handed_in,distance,hour,late', ...rows.map((row) => Object.values(row).join(','))].join('\n');

async function evaluationSet(csv: string): Promise<Buffer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'february-'));
  const engine = await openDuckDb({ workDirectory: folder });
  try {
    const [source, file] = [path.join(folder, 'rows.csv'), path.join(folder, 'february.parquet')];
    await writeFile(source, csv);
    await engine.addFile('parcels', source);
    await engine.writeParquet(
      'SELECT id, late, CAST(handed_in AS DATE) AS day FROM parcels ORDER BY id',
      file,
    );
    return await readFile(file);
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}
