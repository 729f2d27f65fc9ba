import { randomUUID } from 'node:crypto';
import { UserError } from '../errors.ts';
import type { Actor } from './entries.ts';
import { guardRetired, requireEnvironment, requireVersion } from './guards.ts';
import type { Committed, Registry } from './registry.ts';
import {
  type ApprovalRequest,
  type EnvironmentState,
  environmentOf,
  type ModelState,
  type VersionState,
} from './state.ts';

interface Common {
  model: string;
  version: number;
  environment: string;
  environments: readonly string[];
  actor: Actor;
  /** Null: one is made. */
  op_id: string | null;
  reason: string | null;
}

export type ApproveRequest = Common & {
  /** Who may approve; null: anybody but the one who asked. */
  approvers: readonly string[] | null;
};

/** GitHub logins differ by more than case; one person in two spellings is one person. */
export const samePerson = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The request for this version that still stands in the environment: a move of the environment ends all. */
export function standingRequest(
  target: Readonly<EnvironmentState>,
  version: number,
): Readonly<ApprovalRequest> | null {
  return target.requests.findLast((one) => one.version === version) ?? null;
}

/** Asks for a version's promotion. Throws `retired`, `not_passed` for one that failed. Nothing: it is asked for. */
export function requestPromotion(registry: Registry, request: Common): Promise<Committed> {
  const { model, version, environment, actor } = request;
  const op_id = request.op_id ?? randomUUID();
  return registry.commit({
    model,
    op_id,
    matches: (entry) =>
      entry.type === 'request' && entry.environment === environment && entry.version === version,
    decide: (state) => {
      const { to, target } = look(state, request);
      if (standingRequest(target, version) !== null || target.version === version) return null;
      return {
        type: 'request',
        op_id,
        actor,
        environment,
        version,
        manifest: to.manifest,
        ...reasonOf(request),
      };
    },
  });
}

/**
 * Approves the standing request for a version. Throws `approval_needed` where nobody asked, `approval_refused`
 * for the one who asked and for those who may not. Nothing: it is approved.
 */
export function approvePromotion(registry: Registry, request: ApproveRequest): Promise<Committed> {
  const { model, version, environment, actor } = request;
  const op_id = request.op_id ?? randomUUID();
  return registry.commit({
    model,
    op_id,
    matches: (entry) =>
      entry.type === 'approve' && entry.environment === environment && entry.version === version,
    decide: (state) => {
      const { to, target } = look(state, request);
      const asked = standingRequest(target, version);
      const where = `${model}@${version}`;
      if (asked === null) {
        throw new UserError({
          code: 'approval_needed',
          message: `Nobody asked to promote ${where} to ${environment} since it last moved.`,
          where,
          fix: `First somebody else runs \`modelgate request ${where} --to ${environment}\`.`,
        });
      }
      if (asked.approved !== null) return null;
      if (samePerson(asked.by.name, actor.name)) {
        throw new UserError({
          code: 'approval_refused',
          message: `${actor.name} asked for ${where} in ${environment}, and cannot approve it too.`,
          where,
          fix: 'Another person approves.',
        });
      }
      requirePermitted(actor.name, request);
      return {
        type: 'approve',
        op_id,
        actor,
        environment,
        version,
        manifest: to.manifest,
        request: asked.seq,
        ...reasonOf(request),
      };
    },
  });
}

/** Throws `approval_needed` unless another person has approved this version for the environment as it is now. */
export function guardApproval(
  state: ModelState,
  to: Readonly<VersionState>,
  target: Readonly<EnvironmentState>,
): void {
  const asked = standingRequest(target, to.version);
  if (asked?.approved != null) return;
  const where = `${state.model}@${to.version}`;
  throw new UserError({
    code: 'approval_needed',
    message: `${target.name} takes a version only when a person has approved it; ${where} is ${asked === null ? 'not asked for' : `asked for by ${asked.by.name}, and not approved`}.`,
    where,
    fix:
      asked === null
        ? `Run \`modelgate request ${where} --to ${target.name}\`; then another person runs \`modelgate approve ${where} --to ${target.name}\`.`
        : `Another person than ${asked.by.name} runs \`modelgate approve ${where} --to ${target.name}\`.`,
  });
}

function look(state: ModelState, { version, environment, environments }: Common) {
  requireEnvironment(environment, environments);
  const to = requireVersion(state, version);
  guardRetired(state, to);
  if (to.verdict === 'fail') {
    throw new UserError({
      code: 'not_passed',
      message: `${state.model}@${version} failed its gate.`,
      where: `${state.model}@${version}`,
      fix: 'Train a candidate that passes: no approval takes one that failed.',
    });
  }
  return { to, target: environmentOf(state, environment) };
}

function requirePermitted(name: string, { approvers, environment }: ApproveRequest): void {
  if (approvers === null || approvers.some((one) => samePerson(one, name))) return;
  throw new UserError({
    code: 'approval_refused',
    message: `${name} may not approve promotions to ${environment}.`,
    where: { key: 'environments' },
    fix: `One of these may: ${approvers.join(', ') || 'nobody'}. They stand in approvers of the environment.`,
  });
}

const reasonOf = ({ reason }: Common) => (reason === null ? {} : { reason });
