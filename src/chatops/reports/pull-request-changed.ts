import type { ChatopsContext } from '../context.ts';
import { reportedModels, writeReport } from './comment.ts';
import { policyChanges } from './policy-change.ts';
import type { Reported } from './run.ts';

/**
 * A push, or anything else that changes a pull request: its reports are made again, and say of what stands there
 * whether it is of this head. Writes none where there was none.
 */
export async function onPullRequestChanged(
  { number }: { number: number },
  context: ChatopsContext,
): Promise<Reported> {
  const { github } = context;
  const pull = await github.pullRequest(number);
  if (pull === null) return 'no_pull_request';
  let reported: Reported = 'nothing_to_report';
  for (const model of await reportedModels(github, number)) {
    const policy =
      model === null || pull.state === 'closed'
        ? null
        : await policyChanges(context, { model, sha: pull.headSha });
    await writeReport(context, {
      ...{ number, model },
      change: (before) => ({ ...before, policy: policy ?? before.policy }),
    });
    reported = 'reported';
  }
  return reported;
}
