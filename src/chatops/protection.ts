import { UserError } from '../errors.ts';
import type { WorkflowRun } from '../github/port.ts';
import { paragraphs } from '../report/markdown.ts';
import type { ChatopsContext, ReasonCode } from './context.ts';
import { findDeployment } from './deployments.ts';
import { acceptedOperation, mayDeploy } from './may-deploy.ts';
import { opIdOfRun } from './operations.ts';
import { findReply } from './replies.ts';
import { prose } from './reply.ts';
import { ofDefaultBranch } from './reports/run.ts';

/** GitHub's limit for the answer is 1,024 characters of Markdown. */
const longestAnswer = 1000;

export interface ProtectionRequest {
  /** The run whose job waits before the environment. */
  runId: number;
  environment: string;
}

export interface ProtectionAnswer {
  state: 'approved' | 'rejected';
  reason: ReasonCode;
  /** One plain sentence. */
  message: string;
  /** False where the job did not wait for an answer any more. */
  told: boolean;
}

/**
 * Answers GitHub before a job enters an environment. It is let in only where a command of ours was accepted for this
 * environment, our app itself started this very run for it, and digest, verdict, generation, head and request still
 * hold: a run that was started from the Actions tab is refused, whatever inputs it was given. What cannot be
 * known is refused. Throws GitHubUnavailable for whoever runs the jobs to try again.
 */
export async function answerProtectionRule(
  request: ProtectionRequest,
  context: ChatopsContext,
): Promise<ProtectionAnswer> {
  const { github, logger } = context;
  const { runId, environment } = request;
  const judged = await judge(request, context);
  const state = judged.allowed ? 'approved' : 'rejected';
  const answer = { state, reason: judged.reason, message: judged.message } as const;
  logger.info(
    JSON.stringify({ event: 'protection_rule', run: runId, environment, state, reason: answer.reason }),
  );
  try {
    await github.reviewDeployment({ runId, environment, state, comment: commentOf(answer) });
    return { ...answer, told: true };
  } catch (error) {
    // answered before, by an earlier try of this job, or cancelled meanwhile
    if (!(error instanceof UserError)) throw error;
    logger.warn(`run ${runId} takes no answer for ${JSON.stringify(environment)}: ${error.message}`);
    return { ...answer, told: false };
  }
}

interface Judgement {
  allowed: boolean;
  reason: ReasonCode;
  message: string;
}

async function judge({ runId, environment }: ProtectionRequest, context: ChatopsContext): Promise<Judgement> {
  const run = await context.github.run(runId);
  if (run === null) return refuse('unavailable', 'GitHub does not show this run.');
  const workflow = moves(run, context);
  if (workflow === null) {
    const { promote, rollback } = context.policy.workflows;
    return refuse(
      'not_permitted',
      `${environment} is entered by ${promote} and ${rollback} of ${context.base.branch} alone. Comment \`/promote\` or \`/rollback\`.`,
    );
  }
  const opId = opIdOfRun(run);
  if (opId === null || !(await startedByUs(context, { run, workflow, opId, environment }))) {
    return refuse(
      'not_permitted',
      `No accepted command started this run: ${environment} is moved by comments alone. Comment \`/promote\` or \`/rollback\`.`,
    );
  }
  return mayDeploy({ context, opId, environment });
}

const refuse = (reason: ReasonCode, message: string): Judgement => ({ allowed: false, reason, message });

/** The workflow of a run that may move an environment; null for any other. */
function moves(run: WorkflowRun, context: ChatopsContext): string | null {
  const { promote, rollback } = context.policy.workflows;
  if (run.event !== 'workflow_dispatch' || !ofDefaultBranch(run, context)) return null;
  return [promote, rollback].find((file) => run.path === `.github/workflows/${file}`) ?? null;
}

/**
 * Whether our app started this run for the operation that its name carries. Inputs of a run cannot be read back, so a
 * name is not enough: somebody could start a run by hand under an accepted id, with another model in its inputs.
 * Whoever wrote the reply to the command, our app, must have started the run; and it must be the run of the
 * reply, where that is known already.
 */
async function startedByUs(
  context: ChatopsContext,
  about: { run: WorkflowRun; workflow: string; opId: string; environment: string },
): Promise<boolean> {
  const { run, workflow, opId, environment } = about;
  const accepted = await acceptedOperation(context, { opId, environment });
  const found = accepted === null ? null : await findDeployment(context, { opId, environment });
  if (accepted === null || found === null) return false;
  const { number, comment: commentId } = found.payload;
  const reply = await findReply(context.github, { number, commentId });
  const { operation } = accepted.record;
  return (
    reply !== null &&
    run.actor.toLowerCase() === reply.comment.author.toLowerCase() &&
    operation.workflow === workflow &&
    (operation.run === null || operation.run.id === run.id)
  );
}

function commentOf({ state, message }: Pick<ProtectionAnswer, 'state' | 'message'>): string {
  const head = state === 'approved' ? '✅ **Approved**' : '⛔ **Refused**';
  for (const room of [600, 200, 60]) {
    const whole = paragraphs(head, prose(message, room));
    if (whole.length <= longestAnswer) return whole;
  }
  return head;
}
