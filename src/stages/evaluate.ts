import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { EvaluationSet } from '../config/schema.ts';
import { identifier } from '../data/engine.ts';
import { computeFeatures } from '../data/features.ts';
import { putFiles, putJson } from '../data/manifests.ts';
import { datasetFiles } from '../data/snapshot.ts';
import { asStorageError, UserError } from '../errors.ts';
import { AdmissionRules } from '../evaluation/admission-policy.ts';
import {
  declareSet,
  joinFeatures,
  requireUnseen,
  type SetColumns,
  setPosition,
} from '../evaluation/evaluation-set.ts';
import { readFeatureColumns } from '../evaluation/feature-columns.ts';
import { type Latency, measureLatency } from '../evaluation/latency.ts';
import { loadPredictor } from '../evaluation/onnxruntime.ts';
import { Signature } from '../evaluation/predictor.ts';
import { writePredictions } from '../evaluation/write-predictions.ts';
import { Digest, parseJson } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import { defineStage, type StageContext } from './define.ts';
import { recipeOfModel } from './feature-definition.ts';

/** What the configuration says of the set; the file is given by its digest. */
export const PinnedSet = EvaluationSet.omit({ file: true, window: true });
export type PinnedSet = z.infer<typeof PinnedSet>;

interface EvaluateInput {
  model: Digest;
  champion: Digest | null;
  evaluation_set: PinnedSet;
  file: Digest;
  dataset: Digest;
  /** What the project allows of model files beyond the default. */
  admission?: AdmissionRules | undefined;
}

/** Tables beside the user's sources: no source can have a name with a space. */
const setFile = 'modelgate file';
const setRows = 'modelgate set';
const scoredRows = 'modelgate scored';
/** Single predictions that are timed. */
const timedRows = 200;

/** Candidate and champion on the same rows of the pinned evaluation set, in the same run. */
export const evaluate = defineStage({
  name: 'evaluate',
  description: 'Scores candidate and champion on the rows of the pinned evaluation set.',
  inputs: z.object({
    model: Digest,
    champion: Digest.nullable().default(null),
    evaluation_set: PinnedSet,
    file: Digest,
    dataset: Digest,
    admission: AdmissionRules.optional(),
  }),
  outputs: z.object({ evaluation: Digest, rows: z.number().int() }),
  cache: { version: 1 },
  async run(input: EvaluateInput, context) {
    requirePinned(input);
    const folder = await mkdtemp(path.join(context.workDirectory, 'evaluate-'));
    try {
      return await scoreModels({ input, context, folder });
    } catch (error) {
      throw asStorageError(error, context.workDirectory);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  },
});

/** Before anything is consulted: the file is the one that the configuration pins [EVA-1]. */
function requirePinned({ evaluation_set, file }: EvaluateInput): void {
  if (evaluation_set.sha256 === file) return;
  throw new UserError({
    code: 'evaluation_set_changed',
    message: `The evaluation set ${evaluation_set.id} is pinned to ${evaluation_set.sha256.slice(0, 12)}, and the file has ${file.slice(0, 12)}.`,
    where: { key: 'evaluation.sha256' },
    fix: 'Restore the file; for a new set give it a new id and pin its sha256, in a reviewed change.',
  });
}

async function scoreModels({
  input,
  context,
  folder,
}: {
  input: EvaluateInput;
  context: StageContext;
  folder: string;
}) {
  const { store, logger } = context;
  const candidate = await scoreModel({ role: 'candidate', digest: input.model, input, context, folder });
  const champion =
    input.champion === null
      ? null
      : await scoreModel({ role: 'champion', digest: input.champion, input, context, folder });
  logger.info(
    `scored ${candidate.predictions.length} rows with ${champion === null ? 'one model' : 'two models'}`,
  );
  const file = path.join(folder, 'predictions.parquet');
  const set = await writeRows({ input, candidate, champion, context, folder, file });
  const { id, sha256 } = input.evaluation_set;
  const latency = { candidate: candidate.latency, champion: champion?.latency ?? null };
  const evaluation = await store.putManifest({
    kind: 'evaluation',
    files: [
      ...(await putFiles(store, { 'predictions.parquet': file, 'features.parquet': candidate.features })),
      await putJson(store, 'latency.json', latency),
    ],
    inputs: {
      model: input.model,
      ...(input.champion === null ? {} : { champion: input.champion }),
      evaluation_set: input.file,
      dataset: input.dataset,
    },
    producer: context.producer,
    facts: {
      rows: set.rows,
      task: candidate.task,
      champion: input.champion,
      evaluation_set: { id, sha256, cluster: input.evaluation_set.cluster ?? null },
      classes: candidate.task === 'classification' ? { 0: set.rows - set.positive, 1: set.positive } : null,
    },
  });
  return {
    verdict: 'pass' as const,
    reason_code: 'done' as const,
    summary: `Scored ${champion === null ? 'the candidate' : 'candidate and champion'} on ${set.rows} rows of ${id}.`,
    outputs: { evaluation, rows: set.rows },
    timings: { candidate: candidate.seconds, ...(champion === null ? {} : { champion: champion.seconds }) },
  };
}

interface Scored {
  task: Signature['task'];
  /** One number a row, in the order of the set. */
  predictions: Float64Array;
  columns: SetColumns;
  latency: Latency;
  /** Parquet with `modelgate_position`, the kept columns of the feature SQL. */
  kept: { file: string; names: string[] };
  /** Parquet with key and features of the rows, for the search for leaks. */
  features: string;
  seconds: number;
}

/** One model over the set, its features made by its own SQL, in an engine of its own. */
async function scoreModel(request: {
  role: 'candidate' | 'champion';
  digest: Digest;
  input: EvaluateInput;
  context: StageContext;
  folder: string;
}): Promise<Scored> {
  const { role, digest, input, context, folder } = request;
  const { store } = context;
  const started = performance.now();
  const model = await store.readManifest(digest, 'model');
  const { definition, sql } = await recipeOfModel(store, model);
  const signature = await readSignature(context, model);
  const engine = await context.engine();
  try {
    const columns = await addSet({ engine, input, context, signature, definition });
    await requireUnseen({
      engine,
      set: setRows,
      parts: await addTrainedParts({ engine, model, context }),
      key: definition.key,
      model: role,
    });
    const sources = await datasetFiles(store, input.dataset);
    const made = await computeFeatures({ engine, sources, sql, definition, table: 'modelgate features' });
    const known = made.columns.some(({ name }) => name === columns.label);
    await joinFeatures({
      engine,
      set: setRows,
      features: made.table,
      view: scoredRows,
      key: definition.key,
      label: known ? columns.label : null,
    });
    const orderBy = identifier(setPosition);
    const { features, rows } = await readFeatureColumns({
      engine,
      view: scoredRows,
      signature,
      orderBy,
    });
    const names = made.columns.filter(({ role }) => role === 'keep').map(({ name }) => name);
    const kept = { file: path.join(folder, `${role}-kept.parquet`), names };
    const ordered = (selected: readonly string[]) =>
      `SELECT ${selected.map(identifier).join(', ')} FROM ${identifier(scoredRows)} ORDER BY ${orderBy}`;
    await engine.writeParquet(ordered([setPosition, ...names]), kept.file);
    const file = path.join(folder, `${role}-features.parquet`);
    const shown = made.columns
      .filter(({ role }) => role === 'key' || role === 'feature')
      .map(({ name }) => name);
    await engine.writeParquet(ordered(shown), file);
    const predictor = await loadPredictor({
      file: await store.localFile(store.file(model, 'model.onnx').sha256),
      signature,
      admission: input.admission,
    });
    try {
      context.signal.throwIfAborted();
      const predictions = await predictor.predict(features, rows);
      const latency = await measureLatency({ predictor, features, rows, sample: timedRows });
      const seconds = Math.round(performance.now() - started) / 1000;
      return { task: signature.task, predictions, columns, latency, kept, features: file, seconds };
    } finally {
      await predictor.close();
    }
  } finally {
    await engine.close();
  }
}

type Engine = Awaited<ReturnType<StageContext['engine']>>;

async function addSet(request: {
  engine: Engine;
  input: EvaluateInput;
  context: StageContext;
  signature: Signature;
  definition: { key: string; label: string };
}): Promise<SetColumns> {
  const { engine, input, context, signature, definition } = request;
  const columns = { key: definition.key, label: definition.label, cluster: input.evaluation_set.cluster };
  await engine.addFile(setFile, await context.store.localFile(input.file), 'parquet');
  await declareSet({
    engine,
    file: setFile,
    view: setRows,
    columns,
    task: signature.task,
  });
  return columns;
}

async function readSignature({ store }: StageContext, model: Manifest): Promise<Signature> {
  const bytes = await store.readBytes(store.file(model, 'signature.json').sha256, 4_000_000);
  return Signature.parse(parseJson(bytes.toString('utf8'), 4_000_000));
}

/** The rows that a model has seen: train, and validation, by which its script may have chosen. */
async function addTrainedParts(request: {
  engine: Engine;
  model: Manifest;
  context: StageContext;
}): Promise<string[]> {
  const { engine, model, context } = request;
  if (model.inputs.split === undefined) return [];
  const split = await context.store.readManifest(model.inputs.split, 'split');
  const views: string[] = [];
  for (const part of ['train', 'validation']) {
    const file = split.files.find(({ name }) => name === `${part}.parquet`);
    if (file === undefined) continue;
    views.push(`modelgate ${part}`);
    await engine.addFile(`modelgate ${part}`, await context.store.localFile(file.sha256), 'parquet');
  }
  return views;
}

async function writeRows(request: {
  input: EvaluateInput;
  candidate: Scored;
  champion: Scored | null;
  context: StageContext;
  folder: string;
  file: string;
}): Promise<{ rows: number; positive: number }> {
  const { input, candidate, champion, context, folder, file } = request;
  const engine = await context.engine({ threads: 1 });
  try {
    await engine.addFile(setFile, await context.store.localFile(input.file), 'parquet');
    const { columns, task, kept, predictions } = candidate;
    const set = await declareSet({ engine, file: setFile, view: setRows, columns, task });
    await engine.addFile('modelgate kept', kept.file, 'parquet');
    await writePredictions({
      engine,
      set: { view: setRows, others: set.others, cluster: columns.cluster !== undefined },
      task,
      candidate: predictions,
      champion: champion?.predictions ?? null,
      kept: { view: 'modelgate kept', names: kept.names },
      scratch: path.join(folder, 'predictions.csv'),
      file,
    });
    return set;
  } finally {
    await engine.close();
  }
}
