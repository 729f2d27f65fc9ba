import { z } from 'zod';
import { Digest } from '../json.ts';
import {
  type Change,
  compareValues,
  type PackageDescription,
  packageChanges,
} from '../store/package-changes.ts';
import type { Store } from '../store/store.ts';

const json = z.json();

/** What a version's gate saw on the pinned evaluation set. */
export const EvaluationDescription = z.object({ gate: Digest, set: json, metrics: json });
export type EvaluationDescription = z.infer<typeof EvaluationDescription>;

/** A version as far as two are held against each other. */
export interface Described {
  package: PackageDescription;
  /** Null where nothing is known of its gate. */
  evaluation: EvaluationDescription | null;
}

/** Reads what a gate says of the model that it judged. */
export async function describeEvaluation(store: Store, gate: Digest): Promise<EvaluationDescription> {
  const { facts, inputs } = await store.readManifest(gate, 'gate');
  const evaluation = Digest.safeParse(inputs.evaluation);
  const about = evaluation.success ? await store.readManifest(evaluation.data, 'evaluation') : null;
  return { gate, set: about?.facts.evaluation_set ?? null, metrics: facts.metrics ?? null };
}

/**
 * In what two versions differ: their packages (commit, code, data, features, parameters, seed, environment, then
 * the digests of package and model file) and what their gates saw, number by number on the same evaluation set,
 * else only that it cannot be compared. Empty only for the same package with the same gate result.
 */
export function versionChanges(before: Described, after: Described): Change[] {
  const changes = packageChanges(before.package, after.package);
  const [old, now] = [before.package, after.package];
  compareValues('package', { before: old.digest, after: now.digest }, changes);
  compareValues('model.onnx', { before: old.model, after: now.model }, changes);
  changes.push(...evaluationChanges(before.evaluation, after.evaluation));
  // the same package, judged again
  const [gate, again] = [before.evaluation?.gate ?? null, after.evaluation?.gate ?? null];
  if (old.digest === now.digest) compareValues('gate', { before: gate, after: again }, changes);
  return changes;
}

export const MetricDifference = z.object({
  metric: z.string(),
  before: z.number(),
  after: z.number(),
  /** after − before. */
  difference: z.number(),
});
export type MetricDifference = z.infer<typeof MetricDifference>;

/** Metrics that both gates measured on the same rows; the note says why there are none. */
export function metricDifferences(
  before: EvaluationDescription | null,
  after: EvaluationDescription | null,
): { metrics: MetricDifference[]; note: string | null } {
  if (before === null || after === null) return { metrics: [], note: 'one of the two has no gate result' };
  if (!sameSet(before, after)) return { metrics: [], note: otherRows(before, after) };
  const [old, now] = [before.metrics, after.metrics].map((each) => Metrics.safeParse(each).data ?? {});
  const metrics = Object.keys(old ?? {})
    .sort()
    .flatMap((metric) => {
      const values = [old?.[metric], now?.[metric]];
      if (!values.every((value) => typeof value === 'number')) return [];
      const [one, other] = values as [number, number];
      return [{ metric, before: one, after: other, difference: other - one }];
    });
  return { metrics, note: metrics.length > 0 ? null : 'the two gates have no metric in common' };
}

const Metrics = z.record(z.string(), json);
const PinnedSet = z.looseObject({ id: z.string(), sha256: z.string() });
const setOf = ({ set }: EvaluationDescription) => PinnedSet.safeParse(set).data;

function sameSet(before: EvaluationDescription, after: EvaluationDescription): boolean {
  const [old, now] = [setOf(before), setOf(after)];
  return old !== undefined && old.sha256 === now?.sha256;
}

function setName(evaluation: EvaluationDescription): string | null {
  const set = setOf(evaluation);
  return set === undefined ? null : `${set.id} (${set.sha256.slice(0, 12)})`;
}

function otherRows(before: EvaluationDescription, after: EvaluationDescription): string {
  const [old, now] = [before, after].map((each) => setName(each) ?? 'an unnamed set');
  return `measured on different rows, ${old} and ${now}, so the numbers cannot be compared`;
}

function evaluationChanges(
  before: EvaluationDescription | null,
  after: EvaluationDescription | null,
): Change[] {
  const changes: Change[] = [];
  if (before === null || after === null) return changes;
  const metrics = { before: before.metrics, after: after.metrics };
  if (sameSet(before, after)) compareValues('evaluation.metrics', metrics, changes);
  else
    changes.push({
      what: 'evaluation.set',
      before: setName(before),
      after: setName(after),
      note: 'the metrics were measured on different rows and cannot be compared',
    });
  return changes;
}
