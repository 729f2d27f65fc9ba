import { z } from 'zod';
import { Digest, parseJson } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { type GateEvaluation, gateMetric } from './gate-scores.ts';
import { type Importance, parseImportance } from './importance.ts';
import type { ModelInput } from './served.ts';

const limit = 1_000_000;

const Signature = z.object({
  inputs: z.array(
    z.object({ name: z.string(), type: z.enum(['string', 'float32', 'float64', 'int64', 'bool']) }),
  ),
  task: z.enum(['classification', 'regression']),
});
const Definition = z.object({ key: z.string(), label: z.string(), time: z.string().optional() });

/** What a served model was made from: the rows and predictions that traffic is held against. */
export interface ModelReference {
  model: Digest;
  split: Digest;
  inputs: ModelInput[];
  task: 'classification' | 'regression';
  /** Column of the prediction time in the training rows; null where they have none. */
  time: string | null;
  key: string;
  label: string;
  /** Null when the package gives none. */
  importance: Importance | null;
  /** Local, verified file of the training rows. */
  trainFile: string;
}

/** What a model package takes, and what it is for. */
export async function readSignature(store: Store, manifest: Manifest): Promise<z.infer<typeof Signature>> {
  const bytes = await store.readBytes(store.file(manifest, 'signature.json').sha256, limit);
  return Signature.parse(parseJson(bytes.toString('utf8')));
}

/** Reads a model package's signature, importance and training rows. */
export async function readReference(store: Store, model: Digest): Promise<ModelReference> {
  const manifest = await store.readManifest(model, 'model');
  const text = async (name: string) =>
    (await store.readBytes(store.file(manifest, name).sha256, limit)).toString('utf8');
  const signature = await readSignature(store, manifest);
  const definition = Definition.parse(parseJson(await text('feature-definition.json')));
  const split = Digest.parse(manifest.inputs.split);
  const named = manifest.files.some(({ name }) => name === 'importance.json');
  const importance = named ? parseImportance(await text('importance.json'), 'importance.json') : null;
  return {
    model,
    split,
    inputs: signature.inputs,
    task: signature.task,
    time: definition.time ?? null,
    key: definition.key,
    label: definition.label,
    importance: importance === null || importance.size === 0 ? null : importance,
    trainFile: await store.manifestFile(split, 'train.parquet'),
  };
}

/** The evaluation that a version passed its gate with, in local files; null where its gate names none. */
export async function readEvaluation(
  store: Store,
  gate: Digest,
): Promise<(GateEvaluation & { digest: Digest }) | null> {
  const { inputs, files } = await store.readManifest(gate, 'gate');
  const digest = inputs.evaluation;
  if (digest === undefined) return null;
  const evaluation = await store.readManifest(digest, 'evaluation');
  const features = evaluation.files.find(({ name }) => name === 'features.parquet');
  const policy = files.find(({ name }) => name === 'policy.json');
  return {
    digest,
    file: await store.manifestFile(digest, 'predictions.parquet'),
    features: features === undefined ? null : await store.localFile(features.sha256),
    metric: policy === undefined ? null : await gateMetric(store, policy.sha256),
  };
}
