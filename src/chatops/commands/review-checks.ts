import type { GitHub, PullRequest, Role } from '../../github/port.ts';
import { samePerson } from '../../registry/approvals.ts';
import type { ChatopsContext } from '../context.ts';
import type { EnvironmentRules } from '../environment-rules.ts';
import type { Checklist } from './checklist.ts';

/** So many people's rights are asked for: each costs a request, and anybody may review. */
const mostAsked = 30;

/** What does not depend on the version: the pull request is one that can be merged into the default branch. */
export function pullRequestChecks(
  list: Checklist,
  { base, policy }: Pick<ChatopsContext, 'base' | 'policy'>,
  pull: PullRequest,
): void {
  list.add({
    name: 'pull request',
    ok: pull.state === 'open',
    detail: pull.state === 'open' ? 'open' : pull.merged ? 'It is merged.' : 'It is closed.',
    fix: 'Promote from an open pull request, or name a version of the default branch in an issue.',
    reason: 'not_open',
  });
  list.add({
    name: 'base branch',
    ok: pull.baseRef === base.branch,
    detail:
      pull.baseRef === base.branch ? base.branch : `It goes into ${pull.baseRef}, not into ${base.branch}.`,
    fix: `Change its base to ${base.branch}: rules of other branches do not count.`,
    reason: 'wrong_base',
  });
  const allowed = !pull.fork || policy.allow_fork_training;
  list.add({
    name: 'origin',
    ok: allowed,
    detail: pull.fork ? 'Its head lies in a fork.' : 'a branch of this repository',
    fix: 'Push the commit to a branch of this repository, after a look at it.',
    reason: 'fork_refused',
  });
}

/** Whether results, reviews and checks are those of the head commit. */
export async function headChecks(
  list: Checklist,
  context: Pick<ChatopsContext, 'github'>,
  { pull, commit, rules, model }: Question & { pull: PullRequest },
): Promise<void> {
  list.add({
    name: 'head commit',
    ok: commit === pull.headSha,
    detail:
      commit === pull.headSha
        ? commit.slice(0, 12)
        : `The version was judged at ${commit?.slice(0, 12) ?? 'an unknown commit'}; the head is ${pull.headSha.slice(0, 12)}.`,
    fix: 'Train the head with `/train`: results of an earlier commit do not count for it.',
    reason: 'head_moved',
  });
  await reviewCheck(list, context.github, { pull, commit: pull.headSha, needed: rules.reviews });
  await statusCheck(list, context.github, { sha: pull.headSha, model });
}

interface Question {
  commit: string | null;
  rules: EnvironmentRules;
  model: string;
}

/** For a version that is promoted outside of its pull request: its commit must have been looked at all the same. */
export async function originChecks(
  list: Checklist,
  context: Pick<ChatopsContext, 'github' | 'base' | 'policy'>,
  question: Question,
): Promise<void> {
  const { commit, rules, model } = question;
  const pulls = commit === null ? [] : await context.github.pullRequestsOf(commit);
  const merged = mergedOne(pulls, { branch: context.base.branch, commit });
  const open = pulls.find((pull) => pull.state === 'open' && pull.headSha === commit);
  if (merged === undefined && open !== undefined) {
    pullRequestChecks(list, context, open);
    await headChecks(list, context, { ...question, pull: open });
    return;
  }
  // an earlier commit of a merged pull request may be what its reviewers refused
  const asMerged = merged !== undefined && [merged.headSha, merged.mergeCommit].includes(commit);
  if (merged !== undefined && commit !== null && !asMerged) {
    await reviewCheck(list, context.github, { pull: merged, commit, needed: rules.reviews });
  } else {
    list.add({
      name: 'reviews',
      ok: asMerged || rules.reviews === 0,
      detail: asMerged
        ? `merged into ${context.base.branch} by pull request ${merged.number}`
        : rules.reviews === 0
          ? 'none are asked for'
          : 'Its commit came by no pull request, so nobody is known to have reviewed it.',
      fix: 'Bring the change in by a pull request, or train a commit of the default branch that came by one.',
      reason: 'not_reviewed',
    });
  }
  if (commit === null) {
    list.add({
      name: 'checks',
      ok: false,
      detail: 'The commit of this version is not known, so neither are its checks.',
      fix: 'Train it again from a commit.',
      reason: 'checks_not_green',
    });
    return;
  }
  await statusCheck(list, context.github, { sha: commit, model });
}

/** Of those that went into the branch the one that the commit ended, where it ended one. */
function mergedOne(
  pulls: readonly PullRequest[],
  { branch, commit }: { branch: string; commit: string | null },
): PullRequest | undefined {
  const merged = pulls.filter((pull) => pull.merged && pull.baseRef === branch);
  return merged.find(({ headSha, mergeCommit }) => [headSha, mergeCommit].includes(commit)) ?? merged[0];
}

const writing: readonly Role[] = ['write', 'maintain', 'admin'];

/**
 * Approvals of exactly this commit by people who may write, other than its author; anybody may click approve. Whoever
 * of them asks for changes stands in the way, and is looked for first: an approval that is not looked at costs nothing.
 */
async function reviewCheck(
  list: Checklist,
  github: GitHub,
  { pull, commit, needed }: { pull: PullRequest; commit: string; needed: number },
): Promise<void> {
  const fix = `It needs ${needed} by people who may write, other than its author, of ${commit === pull.headSha ? 'the head commit' : `commit ${commit.slice(0, 12)}`}.`;
  const common = { name: 'reviews', fix, reason: 'not_reviewed' } as const;
  if (needed === 0) {
    list.add({ ...common, ok: true, detail: 'none are asked for' });
    return;
  }
  const words = (await github.reviews(pull.number)).filter(
    ({ user }) => !samePerson(user, pull.author) && !user.endsWith('[bot]'),
  );
  const objecting = words.filter(({ state }) => state === 'changes_requested');
  if (objecting.length > mostAsked) {
    const detail = `${objecting.length} people ask for changes; of at most ${mostAsked} it is asked whether they may write.`;
    list.add({ ...common, ok: false, detail, fix: 'Dismiss the reviews of those who may not.' });
    return;
  }
  const approving = words.filter((one) => one.state === 'approved' && one.commit === commit);
  const [objections, approvers]: [string[], string[]] = [[], []];
  for (const { user, state } of [...objecting, ...approving].slice(0, mostAsked)) {
    if (!writing.includes((await github.permission(user)).role)) continue;
    (state === 'approved' ? approvers : objections).push(user);
  }
  const settled = objections.length === 0;
  list.add({
    ...common,
    ok: approvers.length >= needed && settled,
    detail: !settled
      ? `${objections.join(', ')} asked for changes.`
      : `${approvers.length} of ${needed}${approvers.length === 0 ? '' : `: ${approvers.join(', ')}`}`,
    fix: settled ? fix : 'Settle it with them: their review stands in the way.',
  });
}

/** Green is only what GitHub says is green. Our own gate is judged from the registry, which knows more than a colour. */
async function statusCheck(
  list: Checklist,
  github: GitHub,
  { sha, model }: { sha: string; model: string },
): Promise<void> {
  const { state, failed, pending } = await github.checksOf(sha);
  const own = ['modelgate/gate', `modelgate/gate (${model})`];
  const others = failed.filter((name) => !own.includes(name));
  const onlyOwn = state === 'failure' && failed.length > 0 && others.length === 0;
  // what has failed says nothing of what has not ended
  const found = onlyOwn ? (pending.length === 0 ? 'gate' : 'pending') : state;
  list.add({
    name: 'checks',
    ok: found === 'success' || found === 'gate',
    detail: {
      success: 'green',
      gate: 'green beside the gate',
      pending: 'Some have not ended.',
      failure: `Failed: ${others.slice(0, 10).join(', ') || 'some'}.`,
      unknown: 'GitHub does not say whether they are green.',
    }[found],
    fix:
      found === 'pending'
        ? 'Wait for them, then give the command again.'
        : 'Mend them, then give the command again.',
    reason: 'checks_not_green',
  });
}
