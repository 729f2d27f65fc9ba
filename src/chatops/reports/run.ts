import type { WorkflowRun } from '../../github/port.ts';
import type { ChatopsContext } from '../context.ts';

/** What a run is to us, told by what GitHub says of it and never by what it uploads. */
export type RunKind = 'pull_request' | 'train' | 'release' | null;

/**
 * A run of a workflow that the default branch holds, started there, carries results that count; one of a pull request
 * gives advice; anything else is not ours, whatever its name.
 */
export function kindOf(
  run: WorkflowRun,
  context: Pick<ChatopsContext, 'github' | 'policy' | 'base'>,
): RunKind {
  const { workflows } = context.policy;
  const is = (file: string) => run.path === `.github/workflows/${file}`;
  if (run.event === 'pull_request') return is(workflows.pull_request) ? 'pull_request' : null;
  if (!ofDefaultBranch(run, context)) return null;
  if (is(workflows.train)) return run.event === 'workflow_dispatch' ? 'train' : null;
  if (is(workflows.release)) return ['push', 'workflow_dispatch'].includes(run.event) ? 'release' : null;
  return null;
}

/** Whether the workflow file of a run was the default branch's own. */
export function ofDefaultBranch(
  run: WorkflowRun,
  { github, base }: Pick<ChatopsContext, 'github' | 'base'>,
): boolean {
  return ofRepository(run, github.repository) && run.headBranch === base.branch;
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
