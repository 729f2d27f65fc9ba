import { type GitHub, GitHubUnavailable, type WorkflowRun } from '../github/port.ts';
import { sha256 } from '../json.ts';
import { Refusal, refusalOf } from './commands/refusal.ts';
import type { ChatopsContext, IncomingComment, Operation } from './context.ts';
import { requireDeployment, showDeployment } from './deployments.ts';
import { ofDefaultBranch } from './reports/run.ts';

/** The clocks of GitHub and of the bot may differ by so much. */
const skew = 5 * 60_000;
/** So many runs of a workflow are looked through. */
const runsSought = 200;

/** sha256 in hexadecimal: the same comment with the same command is one operation, however often it is handled. */
export function opIdOf({ owner, repo }: GitHub['repository'], comment: { id: number }, line: string): string {
  return sha256(JSON.stringify([`${owner}/${repo}`.toLowerCase(), comment.id, line]));
}

/** The operation that a run's name carries, or null. Names are strangers' words: only the id is taken from it. */
export function opIdOfRun({ title }: Pick<WorkflowRun, 'title'>): string | null {
  return /(?:^|[^0-9a-f])([0-9a-f]{64})(?:[^0-9a-f]|$)/.exec(title)?.[1] ?? null;
}

/**
 * The run that carries out an operation, where one was started; `since`: no earlier than this, ISO 8601. Anybody can
 * work out an operation's id and name a run so: only one that our app has started from the default branch is taken.
 */
export async function findRun(
  context: Pick<ChatopsContext, 'github' | 'base'>,
  { opId, workflow, since }: { opId: string; workflow: string; since: string },
): Promise<WorkflowRun | null> {
  const createdAfter = new Date(Date.parse(since) - skew).toISOString();
  let seen = 0;
  for await (const run of context.github.runs({ workflow, event: 'workflow_dispatch', createdAfter })) {
    if (opIdOfRun(run) === opId && run.ours && (await ofDefaultBranch(run, context))) return run;
    seen += 1;
    if (seen >= runsSought) break;
  }
  return null;
}

export interface StartRequest {
  context: ChatopsContext;
  comment: IncomingComment;
  operation: Operation;
  /** Puts the operation on record before it is started. */
  record(operation: Operation): Promise<void>;
  /** Asked last, just before the effect; throws what stands against it. */
  recheck(): Promise<void>;
}

/**
 * Starts a workflow of the default branch, once: a run that carries this operation's id is taken for it. Throws
 * GitHubUnavailable where it is not known whether it was started; handled again, it is found.
 */
export async function startOperation(request: StartRequest): Promise<Operation> {
  const { context, comment, operation } = request;
  const { github, base } = context;
  const { opId, workflow, inputs } = operation;
  const sought = { opId, workflow, since: comment.createdAt };
  const earlier = await findRun(context, sought);
  if (earlier !== null) return withRun(operation, earlier);
  await request.record(operation);
  const noted = await requireDeployment(context, { operation, comment });
  const ended = { operation: noted, state: 'error', description: 'not started' } as const;
  try {
    await request.recheck();
  } catch (error) {
    await showDeployment(context, ended);
    throw error;
  }
  try {
    const run = await github.dispatch({ workflow, branch: base.branch, inputs });
    if (run !== null) return { ...noted, run: { id: run.runId, url: run.url } };
  } catch (error) {
    if (refusalOf(error) !== null) {
      await showDeployment(context, ended);
      throw notStarted(error, { operation, base });
    }
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
    const made = await findRun(context, sought);
    if (made === null) throw error;
    return withRun(noted, made);
  }
  // GitHub Enterprise does not tell: it may be listed already, else it is found at its end
  const found = await findRun(context, sought);
  return found === null ? noted : withRun(noted, found);
}

/** GitHub says a number alone; what it compares is the workflow's file with what we gave. */
function notStarted(
  error: unknown,
  { operation, base }: { operation: Operation; base: ChatopsContext['base'] },
): Refusal {
  const { workflow, inputs, environment } = operation;
  const names = Object.keys(inputs).join(', ');
  const options = environment === null ? '' : ` and \`${environment}\` among the options of its environment`;
  return new Refusal(
    'unavailable',
    `GitHub does not start ${workflow} of ${base.branch}: ${refusalOf(error)?.message ?? ''}`.trim(),
    `It must be on ${base.branch}, not disabled, with the inputs ${names}${options}: compare it with the template.`,
  );
}

export const withRun = (operation: Operation, { id, url }: Pick<WorkflowRun, 'id' | 'url'>): Operation => ({
  ...operation,
  run: { id, url },
});
