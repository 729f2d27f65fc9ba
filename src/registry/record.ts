import { z } from 'zod';
import { UserError } from '../errors.ts';
import { Signature } from '../evaluation/predictor.ts';
import { Digest, parseJson } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';
import { ancestors, nearest } from '../store/lineage.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';

/** A package without one of these cannot be served as it was trained. */
const packageFiles = ['model.onnx', 'signature.json', 'features.sql'] as const;

/** What is not understood blocks. */
const OnInconclusive = z.enum(['block', 'approve', 'pass']).catch('block');

/** Everything that a registered version is bound to, read from the gate's manifest backwards. */
export interface TrainingRecord {
  gate: Digest;
  verdict: Verdict;
  /** What its policy lets follow from an undecided verdict. */
  on_inconclusive: 'block' | 'approve' | 'pass';
  evaluation: Digest;
  evaluation_set: { id: string; sha256: Digest };
  /** The model package. */
  manifest: Digest;
}

/**
 * Reads and checks a run's record: the gate's verdict, the evaluation that it judged, and a model package
 * with parameters, metrics, code and data. Throws `record_incomplete` with all that is missing.
 */
export async function readRecord(store: Store, gate: Digest): Promise<TrainingRecord> {
  const gateManifest = await store.readManifest(gate, 'gate');
  const verdict = Verdict.safeParse(gateManifest.facts.verdict);
  const evaluation = Digest.safeParse(gateManifest.inputs.evaluation);
  if (!verdict.success || !evaluation.success) throw incomplete(gate, ["the gate's verdict and evaluation"]);
  const evaluationManifest = await store.readManifest(evaluation.data, 'evaluation');
  const set = readSet(evaluationManifest.facts.evaluation_set);
  const manifest = Digest.safeParse(evaluationManifest.inputs.model);
  if (set === null || !manifest.success)
    throw incomplete(gate, ['the evaluation set, or the model that was evaluated']);
  const missing = await missingFrom(store, await store.readManifest(manifest.data, 'model'));
  if (missing.length > 0) throw incomplete(manifest.data, missing);
  return {
    gate,
    verdict: verdict.data,
    on_inconclusive: OnInconclusive.parse(gateManifest.facts.on_inconclusive),
    evaluation: evaluation.data,
    evaluation_set: set,
    manifest: manifest.data,
  };
}

async function missingFrom(store: Store, model: Manifest): Promise<string[]> {
  const missing: string[] = packageFiles.filter((name) => !model.files.some((file) => file.name === name));
  const signature = model.files.find(({ name }) => name === 'signature.json');
  if (signature !== undefined) {
    const text = (await store.readBytes(signature.sha256, 1_000_000)).toString('utf8');
    if (!isSignature(text)) missing.push('a valid signature.json');
  }
  // no parameters at all may be a recipe's truth, but it must say so: {}
  if (!isMapping(model.facts.params)) missing.push('the parameters (facts.params)');
  if (!isMapping(model.facts.metrics) || Object.keys(model.facts.metrics).length === 0) {
    missing.push('the metrics (facts.metrics)');
  }
  const lineage = new Map<Digest, Manifest>();
  for (const input of Object.values(model.inputs)) {
    for (const [digest, manifest] of await ancestors(store, input)) lineage.set(digest, manifest);
  }
  const hasCode = model.producer.commit !== null || nearest(lineage, 'code') !== null;
  if (!hasCode) missing.push('the commit, or the digest of the code');
  if (nearest(lineage, 'dataset') === null) missing.push('the data set that it was trained on');
  return missing;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSignature(text: string): boolean {
  try {
    return Signature.safeParse(parseJson(text)).success;
  } catch {
    return false;
  }
}

function readSet(value: unknown): { id: string; sha256: Digest } | null {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('sha256' in value)) return null;
  const id = Name.safeParse(value.id);
  const sha256 = Digest.safeParse(value.sha256);
  return id.success && sha256.success ? { id: id.data, sha256: sha256.data } : null;
}

function incomplete(digest: Digest, missing: readonly string[]): UserError {
  return new UserError({
    code: 'record_incomplete',
    message: `This run cannot be registered; its record lacks: ${missing.join('; ')}.`,
    where: digest,
    fix: 'Train, evaluate and gate it with `modelgate run`, which records all of these.',
  });
}
