import { type GitHub, GitHubUnavailable, type WorkflowRun } from '../github/port.ts';
import { sha256 } from '../json.ts';
import type { ChatopsContext, IncomingComment, Operation } from './context.ts';
import { noteDeployment, showDeployment } from './deployments.ts';

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

/** The run that carries out an operation, where one was started; `since`: no earlier than this, ISO 8601. */
export async function findRun(
  github: GitHub,
  { opId, workflow, since }: { opId: string; workflow: string; since: string },
): Promise<WorkflowRun | null> {
  const createdAfter = new Date(Date.parse(since) - skew).toISOString();
  let seen = 0;
  for await (const run of github.runs({ workflow, event: 'workflow_dispatch', createdAfter })) {
    if (opIdOfRun(run) === opId) return run;
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
  const earlier = await findRun(github, sought);
  if (earlier !== null) return withRun(operation, earlier);
  await request.record(operation);
  const noted = await noteDeployment(context, { operation, comment });
  try {
    await request.recheck();
  } catch (error) {
    const shown = { operation: noted, state: 'error', description: 'not started' } as const;
    await showDeployment(context, shown);
    throw error;
  }
  try {
    const run = await github.dispatch({ workflow, ref: base.branch, inputs });
    if (run !== null) return { ...noted, run: { id: run.runId, url: run.url } };
  } catch (error) {
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
    const made = await findRun(github, sought);
    if (made === null) throw error;
    return withRun(noted, made);
  }
  // GitHub Enterprise does not tell: it may be listed already, else it is found at its end
  const found = await findRun(github, sought);
  return found === null ? noted : withRun(noted, found);
}

export const withRun = (operation: Operation, { id, url }: Pick<WorkflowRun, 'id' | 'url'>): Operation => ({
  ...operation,
  run: { id, url },
});
