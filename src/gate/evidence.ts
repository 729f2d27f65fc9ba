import { z } from 'zod';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { Digest, parseJson } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import type { NoiseByMetric } from './checks/metrics.ts';
import { findLeakage, type Leakage } from './leakage.ts';
import type { GatePolicy } from './policy.ts';

/** What the gate reads of an evaluation's facts. */
export const EvaluationFacts = z.looseObject({
  rows: z.number().int().nonnegative(),
  evaluation_set: z.looseObject({ id: z.string().max(200), sha256: z.string().max(64) }).nullish(),
});

const Latency = z.looseObject({ p99_ms: z.number().nonnegative() });
/** latency.json: the candidate's times at the top or by model. */
const LatencyFile = z.union([
  z.looseObject({ candidate: Latency, champion: Latency.nullish() }),
  Latency.transform((candidate) => ({ candidate, champion: null })),
]);

/** noise.json: the spread of each metric over `replicates` trainings of one recipe. */
const NoiseFile = z.looseObject({
  replicates: z.number().int().min(2),
  sd: z.record(z.string(), z.number().nonnegative()),
});

/** 99th percentile of the time for one row in milliseconds; null where it was not measured. */
export async function readLatency(
  store: Store,
  evaluation: Manifest,
): Promise<{ candidate: number | null; champion: number | null }> {
  const file = evaluation.files.find((one) => one.name === 'latency.json');
  if (file === undefined) return { candidate: null, champion: null };
  const parsed = LatencyFile.safeParse(
    parseJson((await store.readBytes(file.sha256, 1_000_000)).toString('utf8')),
  );
  if (!parsed.success) return { candidate: null, champion: null };
  return { candidate: parsed.data.candidate.p99_ms, champion: parsed.data.champion?.p99_ms ?? null };
}

/** Bytes of the candidate's model file; null where its package has none. */
export async function readModelSize(store: Store, model: Digest): Promise<number | null> {
  const manifest = await store.readManifest(model, 'model');
  return manifest.files.find((file) => file.name === 'model.onnx')?.size ?? null;
}

/** The noise of retraining: measured (a noise manifest) or given by the policy. */
export async function readNoise(
  store: Store,
  { digest, policy }: { digest: Digest | null; policy: GatePolicy },
): Promise<NoiseByMetric> {
  if (digest !== null) {
    const manifest = await store.readManifest(digest, 'noise');
    const bytes = await store.readBytes(store.file(manifest, 'noise.json').sha256, 8_000_000);
    const measured = NoiseFile.parse(parseJson(bytes.toString('utf8'), 8_000_000));
    const df = measured.replicates - 1;
    return new Map(Object.entries(measured.sd).map(([metric, sd]) => [metric, { sd, df }]));
  }
  const given = policy.training_noise;
  if (given === undefined || 'retrain' in given) return new Map();
  return new Map(Object.entries(given).map(([metric, sd]) => [metric, { sd: Number(sd), df: null }]));
}

const TableFacts = z.looseObject({
  columns: z.array(z.looseObject({ name: z.string(), role: z.string().optional() })),
});

/**
 * Looks for the evaluation's rows in the rows that the candidate was trained on: whole rows in the features
 * that the evaluation keeps, keys and times in its predictions. Null when the training rows are not in the
 * store; a count is null when its columns are not.
 */
export async function readLeakage(
  engine: SqlEngine,
  { store, evaluation, view }: { store: Store; evaluation: Manifest; view: string },
): Promise<Partial<Leakage> | null> {
  const model = await store.readManifest(Digest.parse(evaluation.inputs.model), 'model');
  if (model.inputs.split === undefined) return null;
  const split = await store.readManifest(model.inputs.split, 'split');
  const train = 'gate_train';
  await engine.addFile(train, await store.localFile(store.file(split, 'train.parquet').sha256));
  const roles = await readRoles(store, split);
  const found: Partial<Leakage> = {};
  const kept = evaluation.files.find((file) => file.name === 'features.parquet');
  if (kept !== undefined) {
    await engine.addFile('gate_features', await store.localFile(kept.sha256));
    const { rows, exact, near } = await findLeakage(engine, {
      train,
      evaluation: 'gate_features',
      key: roles.key,
      time: null,
    });
    Object.assign(found, { rows, exact, near });
  }
  if (roles.key === null) return found;
  const columns = await engine.describe(`SELECT * FROM ${identifier(view)}`);
  const time = columns.some((column) => column.name === roles.time) ? roles.time : null;
  const told = time === null ? '' : `, ${identifier(time)}`;
  await engine.execute(
    `CREATE VIEW gate_keys AS SELECT key AS ${identifier(roles.key)}${told} FROM ${identifier(view)}`,
  );
  const { rows, key, temporal } = await findLeakage(engine, {
    train,
    evaluation: 'gate_keys',
    key: roles.key,
    time,
  });
  return { ...found, rows, key, temporal };
}

/** The names of the key and time columns of the training rows. */
async function readRoles(
  store: Store,
  split: Manifest,
): Promise<{ key: string | null; time: string | null }> {
  const features =
    split.inputs.features === undefined ? null : await store.readManifest(split.inputs.features, 'features');
  const facts = TableFacts.safeParse(features?.facts);
  const named = (role: string) =>
    facts.success ? (facts.data.columns.find((column) => column.role === role)?.name ?? null) : null;
  return { key: named('key'), time: named('time') };
}
