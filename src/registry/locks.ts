import { randomUUID } from 'node:crypto';
import { UserError } from '../errors.ts';
import type { Actor, LogEntry } from './entries.ts';
import { guardLock, lockHolds, requireEnvironment, requireModel } from './guards.ts';
import type { Committed, Registry } from './registry.ts';
import { decideRetire } from './rules.ts';
import { environmentOf } from './state.ts';

interface Request {
  model: string;
  actor: Actor;
  /** Null: one is made. */
  op_id: string | null;
  reason: string | null;
}

export interface LockRequest extends Request {
  environment: string;
  environments: readonly string[];
  /** How long it holds, in milliseconds; null: until it is unlocked. */
  ttl: number | null;
}

export interface UnlockRequest extends Request {
  environment: string;
  environments: readonly string[];
  /** Takes another's lock away; needs a reason. */
  force: boolean;
}

/** Locks an environment for the actor, or renews the actor's own lock. Throws `locked`. */
export function lock(registry: Registry, request: LockRequest): Promise<Committed> {
  const { model, environment, actor, ttl } = request;
  const op_id = request.op_id ?? randomUUID();
  return registry.commit({
    model,
    op_id,
    matches: (entry) => entry.type === 'lock' && entry.environment === environment && heldFor(entry) === ttl,
    decide: (state, now) => {
      requireModel(state);
      requireEnvironment(environment, request.environments);
      guardLock(environmentOf(state, environment), actor, now);
      return {
        type: 'lock',
        op_id,
        actor,
        environment,
        owner: actor.name,
        until: ttl === null ? null : new Date(now.getTime() + ttl).toISOString(),
        ...reasonOf(request),
      };
    },
  });
}

/** In milliseconds; null: until it is unlocked. */
function heldFor({ at, until }: Extract<LogEntry, { type: 'lock' }>): number | null {
  return until === null ? null : Date.parse(until) - Date.parse(at);
}

/** Takes a lock away: the owner, or anybody by force with a reason. Throws `not_owner`. */
export function unlock(registry: Registry, request: UnlockRequest): Promise<Committed> {
  const { model, environment, actor } = request;
  const op_id = request.op_id ?? randomUUID();
  return registry.commit({
    model,
    op_id,
    matches: (entry) => entry.type === 'unlock' && entry.environment === environment,
    decide: (state, now) => {
      requireModel(state);
      requireEnvironment(environment, request.environments);
      const held = environmentOf(state, environment).lock;
      if (!lockHolds(held, now)) return null;
      const forced = request.force && request.reason !== null;
      if (held.owner !== actor.name && !forced) throw notOwner(environment, held.owner, actor.name);
      return { type: 'unlock', op_id, actor, environment, ...reasonOf(request) };
    },
  });
}

/** Retires a version for good. Throws `version_unknown`, `still_serving`. */
export function retire(registry: Registry, request: Request & { version: number }): Promise<Committed> {
  const { model, version, actor } = request;
  const op_id = request.op_id ?? randomUUID();
  return registry.commit({
    model,
    op_id,
    matches: (entry) => entry.type === 'retire' && entry.version === version,
    decide: (state) =>
      decideRetire(state, version) === null
        ? null
        : { type: 'retire', op_id, actor, version, ...reasonOf(request) },
  });
}

function reasonOf({ reason }: Request): { reason?: string } {
  return reason === null ? {} : { reason };
}

function notOwner(environment: string, owner: string, actor: string): UserError {
  return new UserError({
    code: 'not_owner',
    message: `The lock of ${environment} belongs to ${owner}, not to ${actor}.`,
    where: environment,
    fix: `Ask ${owner}, or take it away with --force and --reason: both go into the log.`,
  });
}
