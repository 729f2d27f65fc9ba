import type { WorkflowRun } from '../../github/port.ts';
import type { ChatopsContext } from '../context.ts';
import { reportDefaultBranchRun } from './default-branch-run.ts';
import { reportPullRequestRun } from './pull-request-run.ts';
import { kindOf, type Reported } from './run.ts';

/**
 * Tells what a workflow run came to: on its pull requests and as checks. The event is a hint, which may come late,
 * twice, or for what another attempt has replaced: what GitHub says now is what counts. Throws GitHubUnavailable for
 * whoever runs the jobs to try again; done again, it changes nothing.
 */
export async function onWorkflowRunCompleted(
  { id }: Pick<WorkflowRun, 'id'>,
  context: ChatopsContext,
): Promise<Reported> {
  const run = await context.github.run(id);
  const kind = run === null ? null : await kindOf(run, context);
  if (run === null || kind === null) return 'not_ours';
  // a newer attempt is under way and will tell
  if (run.status !== 'completed') return 'not_completed';
  return kind === 'pull_request'
    ? reportPullRequestRun(run, context)
    : reportDefaultBranchRun(run, { context, kind });
}
