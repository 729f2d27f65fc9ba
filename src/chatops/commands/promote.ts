import type { PullRequest } from '../../github/port.ts';
import { requestPromotion } from '../../registry/approvals.ts';
import type { Override } from '../../registry/guards.ts';
import { needsOverride } from '../../registry/guards.ts';
import type { Registry } from '../../registry/registry.ts';
import { environmentOf, type ModelState } from '../../registry/state.ts';
import type { CommandResult, Operation } from '../context.ts';
import type { EnvironmentRules } from '../environment-rules.ts';
import { type Candidate, chooseCandidate } from './candidate.ts';
import { Checklist } from './checklist.ts';
import { actorOf, type CommandOf, type CommandRequest, reasonOf } from './handler.ts';
import { packageCheck } from './package-check.ts';
import { done, Refusal, refusalOf, refused } from './refusal.ts';
import { registryChecks } from './registry-checks.ts';
import { headChecks, originChecks, pullRequestChecks } from './review-checks.ts';
import { requireUnmoved } from './seen.ts';
import { start } from './start.ts';
import { chooseModel, nextEnvironment, requirePull, requireRules, subjectOf } from './target.ts';

type Request = CommandRequest<CommandOf<'promote'>>;

/** What is to be promoted where, and what was looked at. */
interface Plan {
  model: string;
  registry: Registry;
  state: ModelState;
  candidate: Candidate;
  rules: EnvironmentRules;
  override: Override | null;
  list: Checklist;
}

/**
 * Starts the promotion of a version: the candidate of the pull request's head, or in an issue one that is named or
 * the newest that passed. Everything is looked at, and what must not change is looked at again just before the start.
 */
export async function promote(request: Request): Promise<CommandResult> {
  const { command, context, comment } = request;
  if (command.canary !== null) {
    throw new Refusal(
      'unavailable',
      'promote.yml moves an environment as a whole: it has no canary.',
      'Leave --canary out.',
    );
  }
  const { name, model } = chooseModel(context, command.model, await subjectOf(context, comment));
  const { registry } = model;
  const pull = comment.isPullRequest ? await requirePull(request.context, request.comment) : null;
  const list = new Checklist();
  if (pull !== null) pullRequestChecks(list, context, pull);
  const state = await registry.state(name);
  const candidate = await candidateFor(list, registry, state, { version: command.version, pull });
  const environment = command.environment ?? nextEnvironment(model, state, candidate.version);
  const rules = requireRules(context, model, environment);
  const override = overrideOf(request, candidate, environmentOf(state, environment));
  const plan = { model: name, registry, state, candidate, rules, override, list };
  if (environmentOf(state, environment).version === candidate.version.version) {
    const already = `${environment} runs ${name}@${candidate.version.version} already.`;
    return done(already, { reason: 'nothing_to_do' });
  }
  requireUnmoved(environmentOf(state, environment), comment);
  const about = { commit: candidate.commit, rules, model: name };
  if (pull === null) await originChecks(list, context, about);
  else await headChecks(list, context, { ...about, pull });
  const actor = actorOf(request);
  registryChecks(list, { state, candidate, rules, override, actor, now: context.now() });
  await packageCheck(list, model, candidate.version.manifest);
  confirmCheck(plan, command.confirm);
  const { refusal, checks } = list;
  if (refusal !== null) {
    const asked = command.dryRun ? null : await askForApproval(request, plan);
    return refused(asked ?? refusal, checks);
  }
  const operation = operationOf(request, plan);
  if (command.dryRun) return planned(plan, operation);
  const what = `${name}@${candidate.version.version}`;
  const summary = `${what} is on its way to ${environment}.`;
  return start(request, { operation, checks, summary, recheck: () => recheck(request, plan, pull) });
}

/** What may have changed while we looked: the head, and what serves. */
async function recheck(request: Request, plan: Plan, before: PullRequest | null): Promise<void> {
  const { model, registry, state, candidate, rules, override } = plan;
  const now = await registry.state(model);
  if (environmentOf(now, rules.name).generation !== environmentOf(state, rules.name).generation) {
    throw new Refusal(
      'champion_moved',
      `${rules.name} has moved meanwhile.`,
      'Look at `/status`, and try again.',
    );
  }
  const list = new Checklist();
  const actor = actorOf(request);
  registryChecks(list, { state: now, candidate, rules, override, actor, now: request.context.now() });
  if (list.refusal !== null) throw list.refusal;
  if (before === null) return;
  const pull = await requirePull(request.context, request.comment);
  if (pull.headSha !== before.headSha) {
    throw new Refusal(
      'head_moved',
      `The head moved to ${pull.headSha.slice(0, 12)} meanwhile.`,
      'Train it with `/train`: the result is that of an earlier commit.',
    );
  }
  pullRequestChecks(list, request.context, pull);
  if (list.refusal !== null) throw list.refusal;
}

/** A pull request that cannot be promoted from is told before what it lacks. */
async function candidateFor(
  list: Checklist,
  registry: Registry,
  state: ModelState,
  { version, pull }: { version: number | null; pull: PullRequest | null },
): Promise<Candidate> {
  try {
    return await chooseCandidate(registry, state, { version, headSha: pull?.headSha ?? null });
  } catch (error) {
    throw refusalOf(error) === null ? error : (list.refusal ?? error);
  }
}

/** Heard only where the verdict needs it: it is written to the log and counted. */
function overrideOf(
  request: Request,
  { version }: Candidate,
  target: ReturnType<typeof environmentOf>,
): Override | null {
  const { override, reason } = request.command;
  if (!override || !needsOverride(version, target)) return null;
  return { by: actorOf(request).name, reason: reason ?? '' };
}

/** The digest is typed by hand: what is confirmed is what goes. */
function confirmCheck({ list, rules, candidate, model }: Plan, given: string | null): void {
  const digest = candidate.version.manifest.slice(0, 12);
  const right = given?.toLowerCase() === digest;
  list.add({
    name: 'confirmation',
    ok: given === null ? !rules.confirm : right,
    detail:
      given === null
        ? rules.confirm
          ? `${rules.name} asks for the digest of what goes there: ${digest}.`
          : 'none is asked for'
        : right
          ? digest
          : `The digest of ${model}@${candidate.version.version} is ${digest}, not ${given}.`,
    fix: `Comment: \`/promote ${model}@${candidate.version.version} to ${rules.name} --confirm=${digest}\``,
    reason: given === null ? 'confirm_needed' : 'digest_mismatch',
  });
}

/** Where nothing but another person's word is missing, it is asked for: that person answers with /approve. */
async function askForApproval(request: Request, plan: Plan): Promise<Refusal | null> {
  const { list, candidate, rules, registry, model } = plan;
  if (list.failsBeside('approval_needed', 'confirm_needed') || list.refusal?.reason !== 'approval_needed') {
    return null;
  }
  const { version } = candidate.version;
  const committed = await requestPromotion(registry, {
    ...{ model, version, environment: rules.name, environments: rules.environments },
    ...{ actor: actorOf(request), op_id: request.opId, reason: reasonOf(request.command.reason, request) },
  });
  const command = `\`/approve ${model}@${version} to ${rules.name}\``;
  const asked = committed.status === 'nothing' ? 'It was asked for already' : 'It is asked for now';
  const who = rules.approvers === null ? 'another person' : `one of ${rules.approvers.join(', ')}`;
  return new Refusal(
    'approval_needed',
    `${rules.name} takes ${model}@${version} when another person has approved it. ${asked}.`,
    `Next, ${who} comments ${command}; then give this command again.`,
  );
}

function operationOf(request: Request, { model, candidate, rules, state, override }: Plan): Operation {
  const { context, opId, command } = request;
  return {
    opId,
    kind: 'promote',
    workflow: context.policy.workflows.promote,
    inputs: {
      model: `${model}@${candidate.version.version}`,
      environment: rules.name,
      expected_generation: String(environmentOf(state, rules.name).generation),
      op_id: opId,
      digest: candidate.version.manifest,
      reason: reasonOf(command.reason, request),
      requested_by: actorOf(request).name,
      ...(override === null ? {} : { override: override.reason }),
    },
    model,
    environment: rules.name,
    run: null,
    deployment: null,
  };
}

function planned({ model, candidate, rules, list }: Plan, operation: Operation): CommandResult {
  return {
    decision: 'planned',
    reason: 'planned',
    summary: `${model}@${candidate.version.version} would go to ${rules.name}. Nothing was done.`,
    checks: list.checks,
    operation,
    details: null,
  };
}
