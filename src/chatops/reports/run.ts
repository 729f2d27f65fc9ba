import type { GitHub, WorkflowRun } from '../../github/port.ts';
import type { ChatopsContext } from '../context.ts';

/** What a run is to us, told by what GitHub says of it and never by what it uploads. */
export type RunKind = 'pull_request' | 'train' | 'release' | null;

/**
 * A run of a workflow that the default branch holds, started there, carries results that count; one of a pull request
 * gives advice; anything else is not ours, whatever its name.
 */
export async function kindOf(
  run: WorkflowRun,
  context: Pick<ChatopsContext, 'github' | 'policy' | 'base'>,
): Promise<RunKind> {
  const { workflows } = context.policy;
  const is = (file: string) => run.path === `.github/workflows/${file}`;
  if (run.event === 'pull_request') return is(workflows.pull_request) ? 'pull_request' : null;
  const kind =
    is(workflows.train) && run.event === 'workflow_dispatch'
      ? 'train'
      : is(workflows.release) && ['push', 'workflow_dispatch'].includes(run.event)
        ? 'release'
        : null;
  return kind !== null && (await ofDefaultBranch(run, context)) ? kind : null;
}

type Run = Pick<WorkflowRun, 'headRepository' | 'headBranch' | 'headSha'>;

/**
 * Whether the workflow file of a run was the default branch's own. A name is not enough: GitHub calls a tag's name the
 * run's branch too. So the commit must be one that the branch has or had at its head.
 */
export async function ofDefaultBranch(
  run: Run,
  context: Pick<ChatopsContext, 'github' | 'base'>,
): Promise<boolean> {
  return namesDefaultBranch(run, context) && (await onDefaultBranch(run.headSha, context));
}

/** Whether a run says so; a tag of that name says so too. */
export function namesDefaultBranch(
  run: Pick<Run, 'headRepository' | 'headBranch'>,
  { github, base }: Pick<ChatopsContext, 'github' | 'base'>,
): boolean {
  return ofRepository(run, github.repository) && run.headBranch === base.branch;
}

/** Mostly without a request, or with one. */
async function onDefaultBranch(
  sha: string,
  { github, base }: Pick<ChatopsContext, 'github' | 'base'>,
): Promise<boolean> {
  if (sha === base.sha || (await isAncestor(github, { sha, of: base.sha }))) return true;
  // pushed since we looked
  const head = await github.branchHead(base.branch);
  if (head === null || head === base.sha) return false;
  return sha === head || isAncestor(github, { sha, of: head });
}

async function isAncestor(github: GitHub, { sha, of: base }: { sha: string; of: string }): Promise<boolean> {
  const found = await github.compare({ base, head: sha });
  return found?.status === 'behind' || found?.status === 'identical';
}

/** Whether the commit of a run lies in this repository, and not in a fork. */
export function ofRepository(
  { headRepository }: Pick<WorkflowRun, 'headRepository'>,
  { owner, repo }: { owner: string; repo: string },
): boolean {
  return headRepository?.toLowerCase() === `${owner}/${repo}`.toLowerCase();
}

/** Newer tries of the same commit win, whatever order they are heard in. */
export function isOlder(
  one: Pick<WorkflowRun, 'id' | 'attempt'>,
  than: { run: number; attempt: number },
): boolean {
  return one.id < than.run || (one.id === than.run && one.attempt < than.attempt);
}

/** How a report ended: the log and tests read it. */
export type Reported =
  | 'reported'
  | 'not_ours'
  | 'not_completed'
  | 'no_pull_request'
  | 'head_moved'
  | 'older_attempt'
  | 'no_result'
  | 'nothing_to_report';
