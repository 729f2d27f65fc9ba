import { z } from 'zod';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { Digest, parseJson } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { findLeakage, type Leakage } from './leakage.ts';

/** What the gate reads of an evaluation's facts. */
export const EvaluationFacts = z.looseObject({
  rows: z.number().int().nonnegative(),
  task: z.enum(['classification', 'regression']).optional(),
  evaluation_set: z.looseObject({ id: z.string().max(200), sha256: z.string().max(64) }).nullish(),
});

const Latency = z.looseObject({ p99_ms: z.number().nonnegative() });
/** latency.json: the candidate's times at the top or by model. */
const LatencyFile = z.union([
  z.looseObject({ candidate: Latency, champion: Latency.nullish() }),
  Latency.transform((candidate) => ({ candidate, champion: null })),
]);

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
    const {
      key: _,
      key_missing,
      temporal,
      ...equal
    } = await findLeakage(engine, {
      train,
      evaluation: 'gate_features',
      key: roles.key,
      time: null,
    });
    Object.assign(found, equal);
  }
  if (roles.key === null) return found;
  const columns = await engine.describe(`SELECT * FROM ${identifier(view)}`);
  const time = columns.some((column) => column.name === roles.time) ? roles.time : null;
  const told = time === null ? '' : `, ${identifier(time)}`;
  await engine.execute(
    `CREATE VIEW gate_keys AS SELECT key AS ${identifier(roles.key)}${told} FROM ${identifier(view)}`,
  );
  const { rows, key, key_missing, temporal } = await findLeakage(engine, {
    train,
    evaluation: 'gate_keys',
    key: roles.key,
    time,
  });
  return { ...found, rows, key, key_missing, temporal };
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

/** The newest value of a column of the set; null where there is none, or no such column. */
export async function readNewest(
  engine: SqlEngine,
  { view, time }: { view: string; time: string | null },
): Promise<string | null> {
  const columns = await engine.describe(`SELECT * FROM ${identifier(view)}`);
  if (time === null || !columns.some((column) => column.name === time)) return null;
  const [row] = await engine.rows(
    `SELECT max(TRY_CAST(${identifier(time)} AS TIMESTAMP)) AS newest FROM ${identifier(view)}`,
  );
  return row?.newest == null ? null : String(row.newest);
}

const SnapshotFacts = z.looseObject({ newest: z.string().nullish() });

/** The newest row of the sources that the candidate was trained on: the recent traffic. Null where none has a time. */
export async function readTraffic(store: Store, model: Digest): Promise<string | null> {
  let digest: string | undefined = model;
  for (const [kind, input] of [
    ['model', 'split'],
    ['split', 'features'],
    ['features', 'dataset'],
  ] as const) {
    if (digest === undefined) return null;
    const manifest: Manifest = await store.readManifest(digest, kind);
    digest = manifest.inputs[input];
  }
  if (digest === undefined) return null;
  const dataset = await store.readManifest(digest, 'dataset');
  const found: string[] = [];
  for (const snapshot of Object.values(dataset.inputs)) {
    const { facts } = await store.readManifest(snapshot, 'snapshot');
    const { newest } = SnapshotFacts.parse({
      newest: typeof facts.newest === 'string' ? facts.newest : null,
    });
    if (newest != null) found.push(newest);
  }
  return found.sort().at(-1) ?? null;
}

/** What the gate of an earlier version says of its policy and set. */
export async function readEarlier(store: Store, gate: Digest | null) {
  if (gate === null) return null;
  const { facts, inputs } = await store.readManifest(gate, 'gate');
  const evaluation = Digest.safeParse(inputs.evaluation);
  const about = evaluation.success ? await store.readManifest(evaluation.data, 'evaluation') : null;
  const set = EvaluationFacts.safeParse(about?.facts);
  return {
    policy: typeof facts.policy === 'string' ? facts.policy : null,
    evaluation_set: set.success ? (set.data.evaluation_set?.sha256 ?? null) : null,
  };
}
