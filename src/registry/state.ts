import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';
import { Drill } from './drills.ts';
import { Actor, AttestationKind } from './entries.ts';

const moment = z.iso.datetime();
const count = z.number().int().nonnegative();
const version = z.number().int().positive();

/** A signed statement about a version's package, as the log names it. */
export const Attestation = z.object({
  kind: AttestationKind,
  attestation: Digest,
  signer: z.string(),
  by: Actor,
  at: moment,
  /** The log entry that keeps it. */
  seq: version,
});
export type Attestation = z.infer<typeof Attestation>;

export const VersionState = z.object({
  version,
  /** Digest of the model package. */
  manifest: Digest,
  /** Digest of the gate's result. */
  gate: Digest,
  verdict: Verdict,
  /** What the policy lets follow from an undecided verdict. */
  on_inconclusive: z.enum(['block', 'approve', 'pass']),
  registered_at: moment,
  /** The log entry that registered it. */
  seq: version,
  /** When it was retired, or null. */
  retired: moment.nullable(),
  /** Signatures and provenance, oldest first. */
  attestations: z.array(Attestation),
});
export type VersionState = z.infer<typeof VersionState>;

/** One move of an environment: what serves from `at` on. */
export const Move = z.object({
  type: z.enum(['promote', 'rollback']),
  seq: version,
  generation: version,
  version,
  manifest: Digest,
  at: moment,
  actor: Actor,
});
export type Move = z.infer<typeof Move>;

export const Lock = z.object({
  owner: z.string(),
  reason: z.string().nullable(),
  since: moment,
  /** A lock past this moment holds nobody; null: until it is unlocked. */
  until: moment.nullable(),
});
export type Lock = z.infer<typeof Lock>;

/** Somebody asked for a version in an environment; any move of it ends the request. */
export const ApprovalRequest = z.object({
  version,
  /** The entry that asked. */
  seq: version,
  by: Actor,
  at: moment,
  approved: z.object({ by: Actor, at: moment, seq: version }).nullable(),
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

export const EnvironmentState = z.object({
  name: Name,
  /** What serves now; null when there was no move yet. */
  version: version.nullable(),
  manifest: Digest.nullable(),
  /** Counts the moves; 0 when there was none. */
  generation: count,
  since: moment.nullable(),
  actor: Actor.nullable(),
  /**
   * The newest move to each version that ever served here, oldest first; the last one is what serves now. All
   * moves stand in the log: this grows with the versions that served, not with the moves.
   */
  served: z.array(Move),
  /** Versions that a rollback left, unless it said otherwise: their packages are not promoted here again, under any number. */
  frozen: z.array(version),
  /** The newest rollback drill here. */
  drill: Drill.nullable(),
  lock: Lock.nullable(),
  /** Requests since the last move, oldest first. */
  requests: z.array(ApprovalRequest),
});
export type EnvironmentState = z.infer<typeof EnvironmentState>;

/** How often an evaluation set was looked at, by its sha256. */
export const Consultations = z.object({ id: Name, sha256: Digest, count, last: moment });
export type Consultations = z.infer<typeof Consultations>;

/** How people went past the gate, counted as the log goes on. */
export const OverrideCounts = z.object({
  promotions: count,
  /** Promotions by an override. */
  overrides: count,
  /** Versions whose gate did not pass. */
  stopped: count,
  /** Versions that were promoted by an override and have not been rolled back. */
  standing: z.array(version),
});
export type OverrideCounts = z.infer<typeof OverrideCounts>;

/** What a model's log says up to entry `seq`: the fold. Values are never changed in place. */
export interface ModelState {
  readonly model: string;
  /** The newest entry; 0 for an empty log. */
  readonly seq: number;
  /** sha256 of the newest entry's bytes; null for an empty log. */
  readonly head: Digest | null;
  /** `versions[v - 1]` is version v. */
  readonly versions: readonly Readonly<VersionState>[];
  readonly environments: ReadonlyMap<string, Readonly<EnvironmentState>>;
  readonly consultations: ReadonlyMap<Digest, Readonly<Consultations>>;
  readonly overrides: Readonly<OverrideCounts>;
  /**
   * Operation id → the entry that it made, for the entries after `windowStart(seq)`; the earlier ones are
   * found by `Registry.operation`.
   */
  readonly op_ids: ReadonlyMap<string, number>;
  /** The latest `at` of all entries: never falls, whatever the writers' clocks do. Null for an empty log. */
  readonly latest: string | null;
}

const windowStep = 1000;

/**
 * The state of a log of `seq` entries knows the operations of the entries after this one: of the newest 1,000
 * to 2,000. A step a thousand entries, so that the fold of equal logs is equal.
 */
export function windowStart(seq: number): number {
  return Math.max(0, seq - (seq % windowStep) - windowStep);
}

/** Whether the operations up to entry `seq` are due in the index: before the window drops them. */
export function indexDue(seq: number): boolean {
  return seq > 0 && seq % windowStep === 0;
}

export function emptyState(model: string): ModelState {
  return {
    model,
    seq: 0,
    head: null,
    versions: [],
    environments: new Map(),
    consultations: new Map(),
    overrides: { promotions: 0, overrides: 0, stopped: 0, standing: [] },
    op_ids: new Map(),
    latest: null,
  };
}

/** An environment's state; one that never moved for a name that the log does not hold. */
export function environmentOf(
  state: Pick<ModelState, 'environments'>,
  name: string,
): Readonly<EnvironmentState> {
  return state.environments.get(name) ?? emptyEnvironment(name);
}

export function emptyEnvironment(name: string): EnvironmentState {
  return {
    name,
    version: null,
    manifest: null,
    generation: 0,
    since: null,
    actor: null,
    served: [],
    frozen: [],
    drill: null,
    lock: null,
    requests: [],
  };
}
