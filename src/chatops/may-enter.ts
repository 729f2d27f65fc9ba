import type { WorkflowRun } from '../github/port.ts';
import { refusalOf } from './commands/refusal.ts';
import type { ChatopsContext, ReasonCode } from './context.ts';
import { acceptedOperation, type DeployQuestion, mayDeploy } from './may-deploy.ts';
import { opIdOfRun } from './operations.ts';
import { ofDefaultBranch } from './reports/run.ts';

export interface EnterQuestion {
  /** The run that is about to move an environment. */
  runId: number;
  environment: string;
  /** What the run says it deploys, where whoever asks can see its inputs. */
  claims?: DeployQuestion['claims'];
}

export interface EnterAnswer {
  allowed: boolean;
  reason: ReasonCode;
  /** One plain sentence. */
  message: string;
}

/**
 * Whether a run may enter an environment: a command of ours was accepted for it, our app itself started this very
 * run, and digest, verdict, generation, head and request still hold. The deployment protection rule asks this, and
 * promote.yml and rollback.yml ask it where the plan has no such rules. Throws GitHubUnavailable.
 */
export async function mayEnter(question: EnterQuestion, context: ChatopsContext): Promise<EnterAnswer> {
  const { runId, environment, claims } = question;
  const run = await context.github.run(runId);
  if (run === null) return refuse('unavailable', 'GitHub does not show this run.');
  const workflow = await moves(run, context);
  if (workflow === null) {
    const { promote, rollback } = context.policy.workflows;
    return refuse(
      'not_permitted',
      `${environment} is entered by ${promote} and ${rollback} of ${context.base.branch} alone. Comment \`/promote\` or \`/rollback\`.`,
    );
  }
  if (run.attempt > 1) {
    return refuse(
      'not_permitted',
      'This run was started again by hand: a command is carried out by its first run alone. Give the command again.',
    );
  }
  const opId = opIdOfRun(run);
  const none = `No accepted command started this run: ${environment} is moved by comments alone. Comment \`/promote\` or \`/rollback\`.`;
  if (opId === null) return refuse('not_permitted', none);
  try {
    if (!(await startedByUs(context, { run, workflow, opId, environment }))) {
      return refuse('not_permitted', none);
    }
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return refuse(refusal.reason, `${refusal.message} ${refusal.fix ?? ''}`.trim());
  }
  return mayDeploy({ context, opId, environment, ...(claims === undefined ? {} : { claims }) });
}

const refuse = (reason: ReasonCode, message: string): EnterAnswer => ({ allowed: false, reason, message });

/** The workflow of a run that may move an environment; null for any other. */
async function moves(run: WorkflowRun, context: ChatopsContext): Promise<string | null> {
  const { promote, rollback } = context.policy.workflows;
  if (run.event !== 'workflow_dispatch' || !(await ofDefaultBranch(run, context))) return null;
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
  if (accepted === null) return false;
  const { operation } = accepted.record;
  return (
    run.actor.toLowerCase() === accepted.reply.author.toLowerCase() &&
    operation.workflow === workflow &&
    (operation.run === null || operation.run.id === run.id)
  );
}
