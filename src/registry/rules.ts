import { UserError } from '../errors.ts';
import { guardApproval, standingRequest } from './approvals.ts';
import type { Actor, LogEntry } from './entries.ts';
import {
  frozenAs,
  guardFreeze,
  guardFrozen,
  guardGeneration,
  guardLock,
  guardOrder,
  guardRetired,
  guardVerdict,
  needsOverride,
  type Override,
  requireEnvironment,
  requireModel,
  requireVersion,
  retiredAs,
} from './guards.ts';
import {
  type EnvironmentState,
  environmentOf,
  type ModelState,
  type Move,
  type VersionState,
} from './state.ts';

export { requireModel, requireVersion } from './guards.ts';

export interface PromoteRequest {
  version: number;
  environment: string;
  /** All environments, in the order in which a version walks through them. */
  environments: readonly string[];
  /** Refused when the environment has moved since it was looked at; null: not asked. */
  expected_generation: number | null;
  override: Override | null;
  /** Who may override here; null or left out: the caller has seen to it. */
  overriders?: readonly string[] | null;
  /** Whether another person must have approved every promotion to this environment. */
  approval?: boolean;
  actor: Actor;
}

export interface RollbackRequest {
  environment: string;
  environments: readonly string[];
  /** Null: the last healthy version before the current one. */
  to: number | null;
  expected_generation: number | null;
  /** False: what it leaves may be promoted there again; needs a reason. Left out: it may not. */
  freeze?: boolean;
  reason?: string | null;
  actor: Actor;
}

/** What a move would do: `from` is null for the first one. */
export interface Decision {
  from: Readonly<VersionState> | null;
  to: Readonly<VersionState>;
  generation: number;
  /** Whether only an override took it there. */
  overridden?: boolean;
  approval?: NonNullable<Extract<LogEntry, { type: 'promote' }>['approval']>;
}

/** The newest version that its gate lets pass and whose package is not retired. Throws `not_passed` when there is none. */
export function newestPassed(state: ModelState): Readonly<VersionState> {
  requireModel(state);
  const found = state.versions.findLast(
    ({ verdict, on_inconclusive, manifest }) =>
      (verdict === 'pass' || (verdict === 'inconclusive' && on_inconclusive === 'pass')) &&
      retiredAs(state, manifest) === null,
  );
  if (found !== undefined) return found;
  throw new UserError({
    code: 'not_passed',
    message: `No version of ${state.model} has passed its gate.`,
    where: state.model,
    fix: 'Train a candidate that passes, or name a version whose gate was undecided, with an override.',
  });
}

/**
 * Whether a version may go to an environment. Null: it serves there already. Throws `environment_unknown`,
 * `version_unknown`, `generation_moved`, `retired`, `not_passed`, `override_refused`, `frozen`, `order`, `locked`,
 * `approval_needed`.
 */
export function decidePromote(state: ModelState, request: PromoteRequest, now: Date): Decision | null {
  requireEnvironment(request.environment, request.environments);
  const to = requireVersion(state, request.version);
  const target = environmentOf(state, request.environment);
  guardGeneration(target, request.expected_generation);
  if (target.version === to.version) return null;
  guardRetired(state, to);
  guardVerdict(state, to, request);
  guardFrozen(state, to, target);
  guardOrder(state, to, request);
  guardLock(target, request.actor, now);
  if (request.approval === true) guardApproval(state, to, target);
  return { from: serving(state, target), to, generation: target.generation + 1, ...audit(to, target) };
}

/**
 * What a rollback restores. Null: the named version serves there already. The gate is not asked again: every
 * candidate has served there. Throws `environment_unknown`, `usage`, `nothing_deployed`, `no_previous`,
 * `version_unknown`, `generation_moved`, `retired`, `locked`.
 */
export function decideRollback(state: ModelState, request: RollbackRequest, now: Date): Decision | null {
  requireModel(state);
  requireEnvironment(request.environment, request.environments);
  const target = environmentOf(state, request.environment);
  guardFreeze(request);
  guardGeneration(target, request.expected_generation);
  const from = serving(state, target);
  if (from === null) {
    throw new UserError({
      code: 'nothing_deployed',
      message: `Nothing runs in ${target.name}, so there is nothing to roll back.`,
      where: target.name,
      fix: `Promote a version first: \`modelgate promote ${state.model} --to ${target.name}\`.`,
    });
  }
  if (request.to === from.version) return null;
  const to = request.to === null ? previousHealthy(state, target) : servedBefore(state, target, request.to);
  guardLock(target, request.actor, now);
  return { from, to, generation: target.generation + 1 };
}

/** The move that a rollback would go back to. */
export function previousMove(state: ModelState, target: Readonly<EnvironmentState>): Move | null {
  return target.served.findLast((move) => isHealthy(state, target, move)) ?? null;
}

/** Whether a rollback may go back to a move: its package is not the one that serves, retired or frozen. */
export function isHealthy(
  state: ModelState,
  target: Readonly<EnvironmentState>,
  { manifest }: Move,
): boolean {
  return (
    manifest !== target.manifest &&
    frozenAs(state, manifest, target) === null &&
    retiredAs(state, manifest) === null
  );
}

/** Throws `still_serving` when an environment runs the version's package. Null: it is retired already. */
export function decideRetire(state: ModelState, version: number): Readonly<VersionState> | null {
  const found = requireVersion(state, version);
  if (found.retired !== null) return null;
  const where = [...state.environments.values()].filter((each) => each.manifest === found.manifest);
  if (where.length === 0) return found;
  throw new UserError({
    code: 'still_serving',
    message: `${state.model}@${version} serves in ${where.map(({ name, version: as }) => (as === version ? name : `${name} (as version ${as})`)).join(', ')}.`,
    where: `${state.model}@${version}`,
    fix: 'Promote another version there, or roll back, before it is retired.',
  });
}

/** What the log keeps of how a version got past its gate. */
function audit(
  to: Readonly<VersionState>,
  target: Readonly<EnvironmentState>,
): Pick<Decision, 'overridden' | 'approval'> {
  const asked = standingRequest(target, to.version);
  return {
    overridden: needsOverride(to, target),
    ...(asked?.approved == null
      ? {}
      : {
          approval: {
            requested_by: asked.by.name,
            approved_by: asked.approved.by.name,
            seq: asked.approved.seq,
          },
        }),
  };
}

function serving(state: ModelState, target: Readonly<EnvironmentState>): Readonly<VersionState> | null {
  return target.version === null ? null : (state.versions[target.version - 1] ?? null);
}

function previousHealthy(state: ModelState, target: Readonly<EnvironmentState>): Readonly<VersionState> {
  const move = previousMove(state, target);
  if (move !== null) return requireVersion(state, move.version);
  throw new UserError({
    code: 'no_previous',
    message: `${target.name} has no earlier package that is neither retired nor rolled back.`,
    where: target.name,
    fix: 'Promote a version that passed its gate.',
  });
}

/** A version named on purpose may be frozen: that is how a mistaken rollback is taken back. */
function servedBefore(
  state: ModelState,
  target: Readonly<EnvironmentState>,
  version: number,
): Readonly<VersionState> {
  const to = requireVersion(state, version);
  guardRetired(state, to);
  if (target.served.some((move) => move.version === version)) return to;
  throw new UserError({
    code: 'no_previous',
    message: `${state.model}@${version} never served in ${target.name}.`,
    where: `${state.model}@${version}`,
    fix: `A rollback restores what served there before; for another version: \`modelgate promote ${state.model}@${version} --to ${target.name}\`.`,
  });
}
