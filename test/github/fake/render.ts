import type { FakeRepository } from './repository.ts';
import type { FakeRun } from './runs.ts';
import type {
  Account,
  App,
  Artifact,
  CheckRun,
  Comment,
  Commit,
  Deployment,
  DeploymentStatus,
  Installation,
  Issue,
  PullRequest,
  Reaction,
  Review,
  Status,
  Workflow,
} from './state.ts';

/** GitHub's words for what state.ts holds. What is left out and required, openapi/complete.ts fills in. */
type View = Record<string, unknown>;

const web = 'https://github.test';

export function user(one: Account): View {
  return {
    login: one.login,
    id: one.id,
    node_id: `U_${one.id}`,
    type: one.type,
    site_admin: false,
    url: `${web}/users/${one.login}`,
    html_url: `${web}/${one.login.replace(/\[bot\]$/, '')}`,
  };
}

export function app(one: App): View {
  return {
    id: one.id,
    slug: one.slug,
    node_id: `A_${one.id}`,
    client_id: `Iv1.${one.id}`,
    name: one.slug,
    owner: user({ id: 1, login: 'acme', type: 'Organization' }),
    description: null,
    html_url: `${web}/apps/${one.slug}`,
    permissions: one.permissions,
    events: one.events,
  };
}

export function repository(one: FakeRepository): View {
  const url = `${one.github.url}/repos/${one.fullName}`;
  return {
    id: one.id,
    node_id: `R_${one.id}`,
    name: one.name,
    full_name: one.fullName,
    private: one.isPrivate,
    visibility: one.isPrivate ? 'private' : 'public',
    owner: user(one.owner),
    fork: one.forkOf !== null,
    url,
    html_url: `${web}/${one.fullName}`,
    default_branch: one.defaultBranch,
    has_issues: true,
  };
}

const label = (name: string): View => ({
  id: [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1e9, 7),
  name,
  color: 'ededed',
  default: false,
  description: '',
});

/** Without its events, of which the description does not know all. */
function viaApp(one: App | null): View | null {
  if (one === null) return null;
  const { events: _, ...rest } = app(one);
  return { ...rest, events: [] };
}

export function issue(one: Issue): View {
  const url = `${one.repository.github.url}/repos/${one.repository.fullName}/issues/${one.number}`;
  const page = `${web}/${one.repository.fullName}/${one.pull === null ? 'issues' : 'pull'}/${one.number}`;
  return {
    id: one.id,
    node_id: `I_${one.id}`,
    number: one.number,
    url,
    html_url: page,
    comments_url: `${url}/comments`,
    title: one.title,
    body: one.body,
    user: user(one.user),
    labels: one.labels.map(label),
    state: one.state,
    state_reason: one.stateReason,
    locked: one.locked,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: one.comments.length,
    created_at: one.createdAt,
    updated_at: one.updatedAt,
    closed_at: one.closedAt,
    closed_by: one.closedBy === null ? null : user(one.closedBy),
    author_association: association(one.repository, one.user),
    performed_via_github_app: viaApp(one.app),
    ...(one.pull === null
      ? {}
      : { pull_request: { url: pullUrl(one), html_url: page, diff_url: page, patch_url: page } }),
  };
}

/** Name and payload of the events of an issue, or of a pull request. */
export function subject(one: Issue): { event: string; payload: View } {
  if (one.pull === null) return { event: 'issues', payload: { issue: issue(one) } };
  return {
    event: 'pull_request',
    payload: { number: one.number, pull_request: pullRequest(one as PullRequest) },
  };
}

function association(at: FakeRepository, who: Account): string {
  if (who === at.owner) return 'OWNER';
  return at.roles.has(who.login.toLowerCase()) ? 'COLLABORATOR' : 'NONE';
}

export function comment(one: Comment): View {
  const { repository: at } = one.issue;
  const url = `${at.github.url}/repos/${at.fullName}/issues/comments/${one.id}`;
  const counts = (content: string) => one.reactions.filter((reaction) => reaction.content === content).length;
  return {
    id: one.id,
    node_id: `IC_${one.id}`,
    url,
    html_url: `${web}/${at.fullName}/issues/${one.issue.number}#issuecomment-${one.id}`,
    issue_url: `${at.github.url}/repos/${at.fullName}/issues/${one.issue.number}`,
    body: one.body,
    user: user(one.user),
    created_at: one.createdAt,
    updated_at: one.updatedAt,
    author_association: association(at, one.user),
    performed_via_github_app: viaApp(one.app),
    reactions: {
      url: `${url}/reactions`,
      total_count: one.reactions.length,
      '+1': counts('+1'),
      '-1': counts('-1'),
      laugh: counts('laugh'),
      confused: counts('confused'),
      heart: counts('heart'),
      hooray: counts('hooray'),
      eyes: counts('eyes'),
      rocket: counts('rocket'),
    },
  };
}

export function reaction(one: Omit<Reaction, 'createdAt'> & { createdAt: string }): View {
  return {
    id: one.id,
    node_id: `REA_${one.id}`,
    user: user(one.user),
    content: one.content,
    created_at: one.createdAt,
  };
}

const pullUrl = (one: Issue) =>
  `${one.repository.github.url}/repos/${one.repository.fullName}/pulls/${one.number}`;

export function pullRequest(one: PullRequest): View {
  const { pull } = one;
  const at = one.repository;
  const url = pullUrl(one);
  const page = `${web}/${at.fullName}/pull/${one.number}`;
  const end = (home: FakeRepository | null, ref: string, sha: string): View => ({
    label: `${home?.owner.login ?? 'unknown'}:${ref}`,
    ref,
    sha,
    user: home === null ? null : user(home.owner),
    repo: home === null ? null : repository(home),
  });
  return {
    id: pull.id,
    node_id: `PR_${pull.id}`,
    url,
    html_url: page,
    number: one.number,
    state: one.state,
    locked: one.locked,
    title: one.title,
    body: one.body,
    user: user(one.user),
    labels: one.labels.map(label),
    created_at: one.createdAt,
    updated_at: one.updatedAt,
    closed_at: one.closedAt,
    merged_at: pull.mergedAt,
    merged: pull.mergedAt !== null,
    merge_commit_sha: pull.mergeCommit,
    draft: pull.draft,
    head: end(pull.headRepository, pull.headRef, pull.headSha),
    base: end(at, pull.baseRef, pull.baseSha),
    author_association: association(at, one.user),
    _links: Object.fromEntries(
      ['self', 'html', 'issue', 'comments', 'review_comments', 'review_comment', 'commits', 'statuses'].map(
        (name) => [name, { href: name === 'html' ? page : url }],
      ),
    ),
  };
}

/** States are written large in the API, small in webhooks. */
export function review(pull: PullRequest, one: Review, form: 'api' | 'webhook'): View {
  const url = pullUrl(pull);
  const page = `${web}/${pull.repository.fullName}/pull/${pull.number}`;
  return {
    id: one.id,
    node_id: `PRR_${one.id}`,
    user: user(one.user),
    body: one.body,
    state: form === 'api' ? one.state : one.state.toLowerCase(),
    html_url: page,
    pull_request_url: url,
    commit_id: one.commit,
    submitted_at: one.submittedAt,
    author_association: association(pull.repository, one.user),
    _links: { html: { href: page }, pull_request: { href: url } },
  };
}

export function simpleCommit(one: Commit): View {
  const person = {
    name: one.author.login,
    email: `${one.author.login}@users.noreply.github.test`,
    date: one.date,
  };
  return {
    id: one.sha,
    tree_id: one.tree,
    message: one.message,
    timestamp: one.date,
    author: person,
    committer: person,
    distinct: true,
    url: `${web}/commit/${one.sha}`,
    added: [],
    removed: [],
    modified: [],
  };
}

export function checkRun(at: FakeRepository, one: CheckRun): View {
  const url = `${at.github.url}/repos/${at.fullName}/check-runs/${one.id}`;
  return {
    id: one.id,
    node_id: `CR_${one.id}`,
    name: one.name,
    head_sha: one.headSha,
    external_id: one.externalId,
    status: one.status,
    conclusion: one.conclusion,
    started_at: one.startedAt,
    completed_at: one.completedAt,
    details_url: one.detailsUrl,
    html_url: `${web}/${at.fullName}/runs/${one.id}`,
    url,
    app: app(one.app),
    check_suite: { id: one.app.id * 10_000 },
    pull_requests: [],
    output: {
      title: one.title,
      summary: one.summary,
      text: one.text,
      annotations_count: one.annotations.length,
      annotations_url: `${url}/annotations`,
    },
  };
}

export function status(at: FakeRepository, one: Status): View {
  return {
    id: one.id,
    node_id: `S_${one.id}`,
    url: `${at.github.url}/repos/${at.fullName}/statuses/${one.sha}`,
    state: one.state,
    context: one.context,
    description: one.description,
    target_url: one.targetUrl,
    created_at: one.createdAt,
    updated_at: one.createdAt,
    creator: user(one.creator),
    avatar_url: null,
  };
}

export function deployment(at: FakeRepository, one: Deployment): View {
  const url = `${at.github.url}/repos/${at.fullName}/deployments/${one.id}`;
  return {
    id: one.id,
    node_id: `DE_${one.id}`,
    url,
    sha: one.sha,
    ref: one.ref,
    task: one.task,
    environment: one.environment,
    original_environment: one.environment,
    production_environment: one.production,
    transient_environment: one.transient,
    description: one.description,
    payload: one.payload,
    creator: user(one.creator),
    created_at: one.createdAt,
    updated_at: one.statuses.at(-1)?.createdAt ?? one.createdAt,
    statuses_url: `${url}/statuses`,
    repository_url: `${at.github.url}/repos/${at.fullName}`,
    performed_via_github_app: viaApp(one.app),
  };
}

export function deploymentStatus(at: FakeRepository, of: Deployment, one: DeploymentStatus): View {
  const url = `${at.github.url}/repos/${at.fullName}/deployments/${of.id}`;
  return {
    id: one.id,
    node_id: `DES_${one.id}`,
    url: `${url}/statuses/${one.id}`,
    state: one.state,
    description: one.description,
    environment: of.environment,
    log_url: one.logUrl,
    target_url: one.logUrl,
    environment_url: '',
    creator: user(one.creator),
    created_at: one.createdAt,
    updated_at: one.createdAt,
    deployment_url: url,
    repository_url: `${at.github.url}/repos/${at.fullName}`,
  };
}

export function workflow(at: FakeRepository, one: Workflow): View {
  const url = `${at.github.url}/repos/${at.fullName}/actions/workflows/${one.id}`;
  return {
    id: one.id,
    node_id: `W_${one.id}`,
    name: one.name,
    path: one.path,
    state: one.state,
    created_at: one.createdAt,
    updated_at: one.createdAt,
    url,
    html_url: `${web}/${at.fullName}/blob/main/${one.path}`,
    badge_url: `${web}/${at.fullName}/workflows/${one.name}/badge.svg`,
  };
}

export function run(one: FakeRun): View {
  const at = one.repository;
  const url = `${at.github.url}/repos/${at.fullName}/actions/runs/${one.id}`;
  const commit = at.git.commits.get(one.headSha);
  return {
    id: one.id,
    node_id: `WFR_${one.id}`,
    name: one.workflow.name,
    display_title: one.title,
    path: one.workflow.path,
    workflow_id: one.workflow.id,
    run_number: one.number,
    run_attempt: one.attempt,
    event: one.event,
    status: one.status,
    conclusion: one.conclusion,
    head_sha: one.headSha,
    head_branch: one.headBranch,
    head_repository: one.headRepository === null ? null : repository(one.headRepository),
    head_commit: commit === undefined ? null : simpleCommit(commit),
    repository: repository(at),
    actor: user(one.actor),
    triggering_actor: user(one.actor),
    created_at: one.createdAt,
    updated_at: one.updatedAt,
    run_started_at: one.createdAt,
    url,
    html_url: `${web}/${at.fullName}/actions/runs/${one.id}`,
    artifacts_url: `${url}/artifacts`,
    pull_requests: one.pulls
      .filter((pull) => pull.state === 'open')
      .map((pull) => ({
        id: pull.pull.id,
        number: pull.number,
        url: pullUrl(pull),
        head: { ref: pull.pull.headRef, sha: pull.pull.headSha, repo: shortRepository(at) },
        base: { ref: pull.pull.baseRef, sha: pull.pull.baseSha, repo: shortRepository(at) },
      })),
  };
}

const shortRepository = (one: FakeRepository): View => ({
  id: one.id,
  name: one.name,
  url: `${one.github.url}/repos/${one.fullName}`,
});

export function artifact(at: FakeRepository, one: Artifact): View {
  const url = `${at.github.url}/repos/${at.fullName}/actions/artifacts/${one.id}`;
  return {
    id: one.id,
    node_id: `AR_${one.id}`,
    name: one.name,
    size_in_bytes: one.zip.length,
    url,
    archive_download_url: `${url}/zip`,
    expired: one.expired,
    created_at: one.createdAt,
    updated_at: one.createdAt,
    expires_at: one.createdAt,
    workflow_run: { id: one.run.id, repository_id: at.id, head_sha: one.run.headSha },
  };
}

export function installation(one: Installation, url: string): View {
  return {
    id: one.id,
    account: user(one.account),
    repository_selection: 'all',
    access_tokens_url: `${url}/app/installations/${one.id}/access_tokens`,
    repositories_url: `${url}/installation/repositories`,
    html_url: `${web}/organizations/${one.account.login}/settings/installations/${one.id}`,
    app_id: one.app.id,
    app_slug: one.app.slug,
    target_id: one.account.id,
    target_type: 'Organization',
    permissions: one.app.permissions,
    events: one.app.events,
    created_at: one.createdAt,
    updated_at: one.createdAt,
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
  };
}
