import { UserError } from '../errors.ts';
import type { GitHub } from '../github/port.ts';
import type { Logger } from '../logger.ts';
import { paragraphs } from '../report/markdown.ts';
import type { ChatopsContext, ReasonCode } from './context.ts';
import { mayEnter } from './may-enter.ts';
import { prose } from './reply.ts';

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
  const judged = await mayEnter(request, context);
  const state = judged.allowed ? 'approved' : 'rejected';
  const answer = { state, reason: judged.reason, message: judged.message } as const;
  logger.info(
    JSON.stringify({ event: 'protection_rule', run: runId, environment, state, reason: answer.reason }),
  );
  return { ...answer, told: await tell(github, { runId, environment, ...answer }, logger) };
}

/** Ends the waiting of a run that could not be judged: what is not known is refused. */
export async function rejectDeployment(
  github: GitHub,
  about: ProtectionRequest & { message: string },
  logger: Logger,
): Promise<void> {
  await tell(github, { ...about, state: 'rejected' }, logger);
}

/** False where the job waits for no answer any more. */
async function tell(
  github: GitHub,
  answer: ProtectionRequest & Pick<ProtectionAnswer, 'state' | 'message'>,
  logger: Logger,
): Promise<boolean> {
  const { runId, environment, state } = answer;
  try {
    await github.reviewDeployment({ runId, environment, state, comment: commentOf(answer) });
    return true;
  } catch (error) {
    // answered before, by an earlier try of this job, or cancelled meanwhile
    if (!(error instanceof UserError)) throw error;
    logger.warn(`run ${runId} takes no answer for ${JSON.stringify(environment)}: ${error.message}`);
    return false;
  }
}

function commentOf({ state, message }: Pick<ProtectionAnswer, 'state' | 'message'>): string {
  const head = state === 'approved' ? '✅ **Approved**' : '⛔ **Refused**';
  for (const room of [600, 200, 60]) {
    const whole = paragraphs(head, prose(message, room));
    if (whole.length <= longestAnswer) return whole;
  }
  return head;
}
