import { z } from 'zod';
import { Digest } from '../json.ts';
import { Verdict } from '../outcome.ts';
import { Change, compareValues, describePackage, packageChanges } from '../store/package-changes.ts';
import type { Store } from '../store/store.ts';
import { Actor } from './entries.ts';
import { previousMove } from './rules.ts';
import { type EnvironmentState, Lock, type ModelState } from './state.ts';

const json = z.json();

export const EnvironmentStatus = z.object({
  environment: z.string(),
  version: z.number().nullable(),
  generation: z.number(),
  /** When this version came to serve here. */
  since: z.string().nullable(),
  actor: Actor.nullable(),
  /** Digest of the package. */
  manifest: Digest.nullable(),
  verdict: Verdict.nullable(),
  commit: z.string().nullable(),
  trained_at: json,
  /** What it was trained on. */
  data: z.object({ dataset: Digest.nullable(), window: json, rows: json }).nullable(),
  /** What the training reported, on rows that it held back: of each version's own window, so not to be compared. */
  metrics: json,
  /** What its gate saw on the pinned evaluation set; null where the gate's manifest says nothing of it. */
  evaluation: z.object({ gate: Digest, set: json, metrics: json }).nullable(),
  /** Against the version that served here before; null when there was none. */
  changed: z.array(Change).nullable(),
  /** The version that a rollback would restore. */
  rollback_to: z.number().nullable(),
  lock: Lock.nullable(),
});
export type EnvironmentStatus = z.infer<typeof EnvironmentStatus>;

/** What runs in an environment and how it came about, from the fold and the manifests. */
export async function describeEnvironment(
  store: Store,
  state: ModelState,
  environment: Readonly<EnvironmentState>,
): Promise<EnvironmentStatus> {
  const { name, version, manifest, generation, since, actor, history, lock } = environment;
  const current = manifest === null ? null : await describePackage(store, manifest);
  const before = history.findLast((move) => move.version !== version);
  const earlier = before?.manifest == null ? null : await describePackage(store, before.manifest);
  const gateOf = (number: number | null | undefined) =>
    number == null ? undefined : state.versions[number - 1]?.gate;
  const evaluation = await describeEvaluation(store, gateOf(version));
  const evaluationBefore = await describeEvaluation(store, gateOf(before?.version));
  return {
    environment: name,
    version,
    generation,
    since,
    actor,
    manifest,
    verdict: version === null ? null : (state.versions[version - 1]?.verdict ?? null),
    commit: current?.commit ?? null,
    trained_at: current?.trained_at ?? null,
    data: current?.data ?? null,
    metrics: current?.metrics ?? null,
    evaluation,
    changed:
      current === null || earlier === null
        ? null
        : [...packageChanges(earlier, current), ...evaluationChanges(evaluationBefore, evaluation)],
    rollback_to: previousMove(state, environment)?.version ?? null,
    lock,
  };
}

async function describeEvaluation(store: Store, gate: Digest | undefined) {
  if (gate === undefined) return null;
  const { facts, inputs } = await store.readManifest(gate, 'gate');
  const evaluation = Digest.safeParse(inputs.evaluation);
  const about = evaluation.success ? await store.readManifest(evaluation.data, 'evaluation') : null;
  return { gate, set: about?.facts.evaluation_set ?? null, metrics: facts.metrics ?? null };
}

type Evaluation = Awaited<ReturnType<typeof describeEvaluation>>;

const PinnedSet = z.looseObject({ id: z.string(), sha256: z.string() });
const setName = (set: z.infer<typeof PinnedSet> | undefined) =>
  set === undefined ? null : `${set.id} (${set.sha256.slice(0, 12)})`;

/** What the gates saw of two versions: number by number on the same evaluation set, else only that it cannot be compared. */
function evaluationChanges(before: Evaluation, after: Evaluation): Change[] {
  const changes: Change[] = [];
  if (before === null || after === null) return changes;
  const [old, now] = [before.set, after.set].map((set) => PinnedSet.safeParse(set).data);
  const metrics = { before: before.metrics, after: after.metrics };
  if (old !== undefined && old.sha256 === now?.sha256) compareValues('evaluation.metrics', metrics, changes);
  else
    changes.push({
      what: 'evaluation.set',
      before: setName(old),
      after: setName(now),
      note: 'the metrics were measured on different rows and cannot be compared',
    });
  return changes;
}
