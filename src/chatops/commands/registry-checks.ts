import { guardApproval, standingRequest } from '../../registry/approvals.ts';
import type { Actor } from '../../registry/entries.ts';
import {
  guardFrozen,
  guardLock,
  guardOrder,
  guardRetired,
  guardVerdict,
  type Override,
} from '../../registry/guards.ts';
import { type EnvironmentState, environmentOf, type ModelState } from '../../registry/state.ts';
import type { ReasonCode } from '../context.ts';
import type { EnvironmentRules } from '../environment-rules.ts';
import type { Candidate } from './candidate.ts';
import type { Checklist } from './checklist.ts';

export interface RegistryQuestion {
  state: ModelState;
  candidate: Candidate;
  rules: EnvironmentRules;
  override: Override | null;
  /** Who asks: the lock's owner may go on. */
  actor: Actor;
  now: Date;
}

/** What the registry says of this version in this environment; asked by the command, and again before the deploy. */
export function registryChecks(list: Checklist, question: RegistryQuestion): void {
  const { state, candidate, rules, override, actor, now } = question;
  const { version: to } = candidate;
  const target = environmentOf(state, rules.name);
  const { environments } = rules;
  list.rule('gate', {
    run: () => guardVerdict(state, to, { override, overriders: rules.overriders, environment: rules.name }),
    passed: verdictWords(question),
    as: ({ reason }) => verdictReason(question, reason),
  });
  championCheck(list, question);
  list.rule('order of environments', {
    run: () => guardOrder(state, to, { environment: rules.name, environments }),
    passed: environments[0] === rules.name ? 'it is the first environment' : 'it has been in the one before',
  });
  lockCheck(list, { target, actor, now, model: state.model });
  list.rule('not rolled back', {
    run: () => guardFrozen(state, to, target),
    passed: `it was never rolled back from ${rules.name}`,
  });
  list.rule('not retired', { run: () => guardRetired(state, to), passed: 'in use' });
  list.rule('approval', {
    run: () => {
      if (rules.approval) guardApproval(state, to, target);
    },
    passed: approvalWords(question),
  });
}

/** Whether somebody else holds the environment. Whoever is there at night is told how to take the lock away. */
export function lockCheck(
  list: Checklist,
  {
    target,
    actor,
    now,
    model,
  }: { target: Readonly<EnvironmentState>; actor: Actor; now: Date; model: string },
): void {
  list.rule('lock', {
    run: () => guardLock(target, actor, now),
    passed: 'nobody else holds it',
    fix: `Ask ${target.lock?.owner}, or with the role maintain: \`/unlock ${model} in ${target.name} --reason="why"\``,
  });
}

/** The comparison holds only against what serves now: a champion that came later was never compared with. */
function championCheck(list: Checklist, { state, candidate, rules }: RegistryQuestion): void {
  const last = rules.environments.at(-1) ?? rules.name;
  const serving = environmentOf(state, last).manifest;
  const { champion } = candidate;
  const ok = champion !== undefined && (champion === serving || serving === candidate.version.manifest);
  const short = (digest: string | null | undefined) => digest?.slice(0, 12) ?? 'none';
  list.add({
    name: 'champion',
    ok,
    detail:
      champion === undefined
        ? "The gate's record does not say which model it compared with."
        : ok
          ? `compared with what serves in ${last}: ${short(champion)}`
          : `It was compared with ${short(champion)}; ${last} serves ${short(serving)} now.`,
    fix: 'Evaluate it again with `/train`: it is then compared with what serves now.',
    reason: 'champion_moved',
  });
}

function verdictWords({ candidate: { version }, override }: RegistryQuestion): string {
  if (version.verdict === 'pass') return 'passed';
  return override === null
    ? 'undecided, and allowed by the policy'
    : `undecided; ${override.by} goes past it`;
}

function verdictReason({ candidate: { version } }: RegistryQuestion, reason: ReasonCode): ReasonCode {
  if (reason === 'not_permitted') return reason;
  if (version.verdict === 'fail') return 'gate_failed';
  return version.on_inconclusive === 'approve' ? 'approval_needed' : 'gate_undecided';
}

function approvalWords({ state, candidate: { version }, rules }: RegistryQuestion): string {
  const asked = standingRequest(environmentOf(state, rules.name), version.version);
  if (asked?.approved != null) return `asked for by ${asked.by.name}, approved by ${asked.approved.by.name}`;
  return 'none is needed';
}
