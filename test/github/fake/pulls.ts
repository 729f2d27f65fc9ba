import * as conversations from './conversations.ts';
import { HttpError, invalid } from './errors.ts';
import type { NewCommit } from './git.ts';
import type { Author } from './github.ts';
import * as render from './render.ts';
import type { FakeRepository } from './repository.ts';
import type { Account, Issue, PullRequest, Review } from './state.ts';

export interface NewPullRequest {
  branch: string;
  /** Committed to the branch first; without them the branch is there already. */
  files?: NewCommit['files'];
  from?: FakeRepository;
  base?: string;
  title?: string;
  body?: string;
  draft?: boolean;
  labels?: readonly string[];
}

export const isPull = (issue: Issue): issue is PullRequest => issue.pull !== null;

function pullsOf(repository: FakeRepository): PullRequest[] {
  return [...repository.issues.values()].filter(isPull);
}

export function open(
  repository: FakeRepository,
  by: Author,
  {
    branch,
    files,
    from = repository,
    base = 'main',
    title,
    body = '',
    draft = false,
    labels = [],
  }: NewPullRequest,
): PullRequest {
  if (files !== undefined) from.push(branch, files, { by });
  const head = from.refs.get(`heads/${branch}`);
  if (head === undefined)
    throw invalid('Validation Failed', [{ resource: 'PullRequest', field: 'head', code: 'invalid' }]);
  const baseSha = repository.refs.get(`heads/${base}`);
  if (baseSha === undefined)
    throw invalid('Validation Failed', [{ resource: 'PullRequest', field: 'base', code: 'invalid' }]);
  if (head === baseSha) {
    throw invalid('Validation Failed', [
      { resource: 'PullRequest', code: 'custom', message: `No commits between ${base} and ${branch}` },
    ]);
  }
  const twin = pullsOf(repository).some(
    ({ state, pull }) =>
      state === 'open' && pull.headRepository === from && pull.headRef === branch && pull.baseRef === base,
  );
  if (twin) {
    throw invalid('Validation Failed', [
      {
        resource: 'PullRequest',
        code: 'custom',
        message: `A pull request already exists for ${from.owner.login}:${branch}.`,
      },
    ]);
  }
  const made = conversations.open(repository, by, {
    title: title ?? branch,
    body,
    labels,
    pull: {
      id: repository.github.id(),
      headRepository: from,
      headRef: branch,
      headSha: head,
      baseRef: base,
      baseSha,
      draft,
      mergedAt: null,
      mergeCommit: null,
      reviews: [],
    },
  }) as PullRequest;
  emit(made, 'opened', by.user, {});
  return made;
}

function emit(pull: PullRequest, action: string, sender: Account, extra: Record<string, unknown>): void {
  const { repository } = pull;
  repository.github.emit(repository, 'pull_request', action, sender, {
    number: pull.number,
    pull_request: render.pullRequest(pull),
    ...extra,
  });
}

/** After a push: the heads of open pull requests, here and where this is a fork of. */
export function follow(repository: FakeRepository, ref: string, before: string, sender: Account): void {
  const branch = ref.replace(/^heads\//, '');
  const homes = [repository, repository.forkOf].filter((one) => one !== null);
  for (const pull of homes.flatMap(pullsOf)) {
    if (pull.state !== 'open' || pull.pull.headRepository !== repository || pull.pull.headRef !== branch)
      continue;
    pull.pull.headSha = repository.head(branch);
    pull.updatedAt = repository.github.time();
    emit(pull, 'synchronize', sender, { before, after: pull.pull.headSha });
  }
}

export function review(
  pull: PullRequest,
  by: Author,
  { state, body }: { state: Review['state']; body: string },
): Review {
  const { repository } = pull;
  const { github } = repository;
  if (by.user === pull.user && state !== 'COMMENTED' && state !== 'PENDING') {
    throw invalid('Can not approve your own pull request');
  }
  const made = {
    id: github.id(),
    user: by.user,
    state,
    body,
    commit: pull.pull.headSha,
    submittedAt: github.time(),
  };
  pull.pull.reviews.push(made);
  if (state !== 'PENDING') {
    github.emit(repository, 'pull_request_review', 'submitted', by.user, {
      pull_request: render.pullRequest(pull),
      review: render.review(pull, made, 'webhook'),
    });
  }
  return made;
}

export function dismiss(pull: PullRequest, id: number, by: Author): void {
  const found = pull.pull.reviews.find((one) => one.id === id);
  if (found === undefined) throw new HttpError(404, 'Not Found');
  found.state = 'DISMISSED';
  pull.repository.github.emit(pull.repository, 'pull_request_review', 'dismissed', by.user, {
    pull_request: render.pullRequest(pull),
    review: render.review(pull, found, 'webhook'),
  });
}

/** The commit on the base. */
export function merge(pull: PullRequest, by: Author): string {
  const { repository, pull: details } = pull;
  const base = repository.head(details.baseRef);
  const head = repository.git.commits.get(details.headSha)!;
  const { sha } = repository.git.commit({
    parents: [base, head.sha],
    files: Object.fromEntries(head.files),
    message: `Merge #${pull.number}`,
    author: by.user,
    date: repository.github.time(),
  });
  details.mergedAt = repository.github.time();
  details.mergeCommit = sha;
  conversations.change(pull, by, { state: 'closed' });
  repository.setRef(`heads/${details.baseRef}`, sha, by.user);
  return sha;
}

export function enqueue(pull: PullRequest, by: Author): string {
  const { repository, pull: details } = pull;
  const base = repository.head(details.baseRef);
  const head = repository.git.commits.get(details.headSha)!;
  const made = repository.git.commit({
    parents: [base, head.sha],
    files: Object.fromEntries(head.files),
    message: `Merge pull request #${pull.number}`,
    author: by.user,
    date: repository.github.time(),
  });
  const ref = `heads/gh-readonly-queue/${details.baseRef}/pr-${pull.number}-${base}`;
  repository.refs.set(ref, made.sha);
  repository.github.emit(repository, 'merge_group', 'checks_requested', by.user, {
    merge_group: {
      head_sha: made.sha,
      head_ref: `refs/${ref}`,
      base_sha: base,
      base_ref: `refs/heads/${details.baseRef}`,
      head_commit: render.simpleCommit(made),
    },
  });
  return made.sha;
}
