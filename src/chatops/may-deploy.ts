import type { Comment } from '../github/port.ts';
import type { Digest } from '../json.ts';
import { decideRollback, requireVersion } from '../registry/rules.ts';
import { judgedOf } from './commands/candidate.ts';
import { Checklist } from './commands/checklist.ts';
import { packageCheck } from './commands/package-check.ts';
import { Refusal, refusalOf } from './commands/refusal.ts';
import { registryChecks } from './commands/registry-checks.ts';
import type { ChatopsContext, CommandResult, ReasonCode } from './context.ts';
import { claimsCheck, generationCheck, headCheck, requesterCheck } from './deploy-checks.ts';
import { type DeploymentPayload, findDeployment } from './deployments.ts';
import { environmentRules } from './environment-rules.ts';
import { findReply } from './replies.ts';
import type { ReplyRecord } from './reply-record.ts';

export interface DeployQuestion {
  context: ChatopsContext;
  /** The operation that a run says it carries out. */
  opId: string;
  /** Where it is about to go. */
  environment: string;
  /** What the run says it deploys, as far as it says so: it must be what the command was accepted for. */
  claims?: { model?: string; version?: number; digest?: Digest; generation?: number };
}

export interface DeployAnswer {
  allowed: boolean;
  reason: ReasonCode;
  /** One plain sentence. */
  message: string;
  checks: CommandResult['checks'];
}

/**
 * Whether a run may move an environment now: a command of ours was accepted under this operation, for exactly this
 * digest and generation, and everything that the registry and the pull request say of it still holds. Which run may
 * ask is `mayEnter`'s.
 */
export async function mayDeploy(question: DeployQuestion): Promise<DeployAnswer> {
  const { context, opId, environment } = question;
  const list = new Checklist();
  try {
    const accepted = await acceptedOperation(context, { opId, environment });
    if (accepted === null) {
      throw new Refusal(
        'not_permitted',
        'No accepted command asked for this run.',
        `Comment \`/promote\` or \`/rollback\`: ${environment} is moved by commands alone.`,
      );
    }
    return await judge(question, accepted, list);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    const { reason, message, fix } = refusal;
    return {
      allowed: false,
      reason,
      message: fix === null ? message : `${message} ${fix}`,
      checks: list.checks,
    };
  }
}

interface Accepted {
  record: ReplyRecord & { operation: NonNullable<ReplyRecord['operation']> };
  payload: DeploymentPayload;
  reply: Comment;
}

/**
 * The command behind an operation: a deployment leads to the reply, and only a reply that we wrote is believed. Refuses
 * `not_permitted` for one that was changed since.
 */
export async function acceptedOperation(
  context: ChatopsContext,
  { opId, environment }: { opId: string; environment: string },
): Promise<Accepted | null> {
  const found = await findDeployment(context, { opId, environment });
  if (found === null) return null;
  const { number, comment } = found.payload;
  const reply = await findReply(context, { number, commentId: comment });
  if (reply === null) return null;
  const { record } = reply;
  if (record === null) {
    throw new Refusal(
      'not_permitted',
      'The reply to the command is not as it was written: somebody has changed it.',
      'Give the command again.',
    );
  }
  // a plan names an operation too, and was not accepted
  if (!(record.decision === 'started' || record.decision === 'done')) return null;
  if (record.operation === null || record.op_id !== opId) return null;
  const { operation } = record;
  if (operation.opId !== opId || operation.environment !== environment) return null;
  return { record: { ...record, operation }, payload: found.payload, reply: reply.comment };
}

async function judge(question: DeployQuestion, accepted: Accepted, list: Checklist): Promise<DeployAnswer> {
  const { context, opId, environment } = question;
  const { operation } = accepted.record;
  const model = operation.model === null ? undefined : context.models.get(operation.model);
  const rules = model === undefined ? null : environmentRules(context, model, environment);
  if (model === undefined || operation.model === null)
    throw new Refusal('unknown_model', 'The model is not configured.');
  if (rules === null) throw new Refusal('unknown_environment', `${environment} is not configured.`);
  const wanted = wantedOf(operation.inputs, operation.model);
  claimsCheck(list, question, { ...wanted, model: operation.model });

  const state = await model.registry.state(operation.model);
  if ((await model.registry.operation(state, opId)) !== null) {
    return answer(list, { reason: 'nothing_to_do', message: 'It is done already; the log keeps it.' });
  }
  const version = requireVersion(state, wanted.version);
  list.add({
    name: 'digest',
    ok: version.manifest === wanted.digest,
    detail: `${operation.model}@${wanted.version} is ${version.manifest.slice(0, 12)}`,
    fix: 'Give the command again.',
    reason: 'digest_mismatch',
  });
  generationCheck(list, state, { environment, generation: wanted.generation });
  await requesterCheck(list, context, { ...accepted.record, model: operation.model, environment });
  const actor = { name: accepted.record.requested_by, via: 'bot' } as const;
  const now = context.now();
  if (operation.kind === 'rollback') {
    const request = { environment, environments: rules.environments, to: wanted.version, actor };
    list.rule('rollback', {
      run: () => void decideRollback(state, { ...request, expected_generation: null }, now),
      passed: `${wanted.version} served there before`,
    });
  } else {
    const candidate = { version, ...(await judgedOf(model.registry, version)) };
    await headCheck(list, context, { number: accepted.payload.number, commit: candidate.commit });
    const reason = operation.inputs.override ?? '';
    const override = reason === '' ? null : { by: actor.name, reason };
    registryChecks(list, { state, candidate, rules, override, actor, now });
  }
  await packageCheck(list, model, version.manifest);
  return answer(list, {
    reason: 'done',
    message: `${operation.model}@${wanted.version} may go to ${environment}.`,
  });
}

function answer(list: Checklist, allowed: Pick<DeployAnswer, 'reason' | 'message'>): DeployAnswer {
  const { refusal, checks } = list;
  if (refusal === null) return { allowed: true, ...allowed, checks };
  return { allowed: false, reason: refusal.reason, message: refusal.message, checks };
}

/** What the command was accepted for, as its workflow was given it. */
function wantedOf(inputs: Readonly<Record<string, string>>, model: string) {
  const named = inputs.model?.startsWith(`${model}@`)
    ? inputs.model.slice(model.length + 1)
    : (inputs.to ?? '');
  return {
    version: Number(named),
    digest: inputs.digest ?? '',
    generation: Number(inputs.expected_generation ?? Number.NaN),
  };
}
