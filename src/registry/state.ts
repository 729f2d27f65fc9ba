import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';
import { Actor } from './entries.ts';

const moment = z.iso.datetime();
const count = z.number().int().nonnegative();
const version = z.number().int().positive();

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
  /** All moves, oldest first: `history[g - 1]` is generation g. */
  history: z.array(Move),
  /** Versions that a rollback left: not promoted here again. */
  frozen: z.array(version),
  lock: Lock.nullable(),
  /** Requests since the last move, oldest first. */
  requests: z.array(ApprovalRequest),
});
export type EnvironmentState = z.infer<typeof EnvironmentState>;

/** How often an evaluation set was looked at, by its sha256. */
export const Consultations = z.object({ id: Name, sha256: Digest, count, last: moment });
export type Consultations = z.infer<typeof Consultations>;

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
  /** Operation id → the entry that it made. */
  readonly op_ids: ReadonlyMap<string, number>;
}

export function emptyState(model: string): ModelState {
  return {
    model,
    seq: 0,
    head: null,
    versions: [],
    environments: new Map(),
    consultations: new Map(),
    op_ids: new Map(),
  };
}

/** An environment's state; one that never moved for a name that the log does not hold. */
export function environmentOf(state: ModelState, name: string): Readonly<EnvironmentState> {
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
    history: [],
    frozen: [],
    lock: null,
    requests: [],
  };
}
