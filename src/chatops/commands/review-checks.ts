import type { GitHub, PullRequest, Role } from '../../github/port.ts';
import { samePerson } from '../../registry/approvals.ts';
import type { ChatopsContext } from '../context.ts';
import type { EnvironmentRules } from '../environment-rules.ts';
import type { Checklist } from './checklist.ts';

/** More people than this are not asked for: each costs a request. */
const reviewers = 30;

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
  await reviewCheck(list, context.github, { pull, needed: rules.reviews });
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
  const merged = pulls.find((pull) => pull.merged && pull.baseRef === context.base.branch);
  const open = pulls.find((pull) => pull.state === 'open' && pull.headSha === commit);
  if (merged === undefined && open !== undefined) {
    pullRequestChecks(list, context, open);
    await headChecks(list, context, { ...question, pull: open });
    return;
  }
  list.add({
    name: 'reviews',
    ok: merged !== undefined || rules.reviews === 0,
    detail:
      merged !== undefined
        ? `merged into ${context.base.branch} by pull request ${merged.number}`
        : rules.reviews === 0
          ? 'none are asked for'
          : 'Its commit came by no pull request, so nobody is known to have reviewed it.',
    fix: 'Bring the change in by a pull request, or train a commit of the default branch that came by one.',
    reason: 'not_reviewed',
  });
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

const writing: readonly Role[] = ['write', 'maintain', 'admin'];

/** Approvals of exactly this commit by people who may write, other than its author; anybody may click approve. */
async function reviewCheck(
  list: Checklist,
  github: GitHub,
  { pull, needed }: { pull: PullRequest; needed: number },
): Promise<void> {
  const fix = `It needs ${needed} by people who may write, other than its author, of the head commit.`;
  const common = { name: 'reviews', fix, reason: 'not_reviewed' } as const;
  if (needed === 0) {
    list.add({ ...common, ok: true, detail: 'none are asked for' });
    return;
  }
  const words = (await github.reviews(pull.number)).filter(
    ({ user, state }) =>
      (state === 'approved' || state === 'changes_requested') &&
      !samePerson(user, pull.author) &&
      !user.endsWith('[bot]'),
  );
  const [approving, objecting]: string[][] = [[], []];
  for (const { user, state, commit } of words.slice(0, reviewers)) {
    if (state === 'approved' && commit !== pull.headSha) continue;
    if (!writing.includes((await github.permission(user)).role)) continue;
    (state === 'approved' ? approving : objecting)?.push(user);
  }
  const approvers = new Set(approving?.map((user) => user.toLowerCase()));
  const objections = objecting ?? [];
  list.add({
    ...common,
    ok: approvers.size >= needed && objections.length === 0,
    detail:
      objections.length > 0
        ? `${objections.join(', ')} asked for changes.`
        : `${approvers.size} of ${needed}${approvers.size === 0 ? '' : `: ${[...approvers].join(', ')}`}`,
    fix: objections.length > 0 ? 'Settle it with them: their review stands in the way.' : fix,
  });
}

/** Green is only what GitHub says is green. Our own gate is judged from the registry, which knows more than a colour. */
async function statusCheck(
  list: Checklist,
  github: GitHub,
  { sha, model }: { sha: string; model: string },
): Promise<void> {
  const { state, failed } = await github.checksOf(sha);
  const own = ['modelgate/gate', `modelgate/gate (${model})`];
  const ok = state === 'success' || (state === 'failure' && failed.every((name) => own.includes(name)));
  list.add({
    name: 'checks',
    ok: ok && !(state === 'failure' && failed.length === 0),
    detail: {
      success: 'green',
      pending: 'Some have not ended.',
      failure: ok ? 'green beside the gate' : `Failed: ${failed.slice(0, 10).join(', ') || 'some'}.`,
      unknown: 'GitHub does not say whether they are green.',
    }[state],
    fix:
      state === 'pending'
        ? 'Wait for them, then give the command again.'
        : 'Mend them, then give the command again.',
    reason: 'checks_not_green',
  });
}
