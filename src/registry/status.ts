import { z } from 'zod';
import { Digest } from '../json.ts';
import { Verdict } from '../outcome.ts';
import { Change, describePackage } from '../store/package-changes.ts';
import type { Store } from '../store/store.ts';
import { type Described, describeEvaluation, EvaluationDescription, versionChanges } from './difference.ts';
import { Actor } from './entries.ts';
import { lockHolds } from './guards.ts';
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
  evaluation: EvaluationDescription.nullable(),
  /** Against the version that served here before; null when there was none. */
  changed: z.array(Change).nullable(),
  /** The version that a rollback would restore. */
  rollback_to: z.number().nullable(),
  /** Null when nobody holds the environment at that moment, by a lock that has run out neither. */
  lock: Lock.nullable(),
});
export type EnvironmentStatus = z.infer<typeof EnvironmentStatus>;

/**
 * What runs in an environment and how it came about, from the fold and the manifests. `now`: the moment that is
 * asked for. Throws `object_missing`, `object_damaged`.
 */
export async function describeEnvironment(
  store: Store,
  state: ModelState,
  { environment, now }: { environment: Readonly<EnvironmentState>; now: Date },
): Promise<EnvironmentStatus> {
  const { name, version, manifest, generation, since, actor, served, lock } = environment;
  const before = served.findLast((move) => move.version !== version);
  const current = version === null ? null : await describeVersion(store, state, version);
  const earlier = before === undefined ? null : await describeVersion(store, state, before.version);
  return {
    environment: name,
    version,
    generation,
    since,
    actor,
    manifest,
    verdict: version === null ? null : (state.versions[version - 1]?.verdict ?? null),
    commit: current?.package.commit ?? null,
    trained_at: current?.package.trained_at ?? null,
    data: current?.package.data ?? null,
    metrics: current?.package.metrics ?? null,
    evaluation: current?.evaluation ?? null,
    changed: current === null || earlier === null ? null : versionChanges(earlier, current),
    rollback_to: previousMove(state, environment)?.version ?? null,
    lock: lockHolds(lock, now) ? lock : null,
  };
}

/** A version's package and evaluation, as its manifests tell. Null for a version that the state does not hold. */
export async function describeVersion(
  store: Store,
  state: ModelState,
  version: number,
): Promise<Described | null> {
  const found = state.versions[version - 1];
  if (found === undefined) return null;
  return {
    package: await describePackage(store, found.manifest),
    evaluation: await describeEvaluation(store, found.gate),
  };
}
