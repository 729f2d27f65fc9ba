/**
 * What ModelGate asks of GitHub, in one repository. Everything that comes back was parsed: names, texts and files are
 * still strangers' data. Each method throws a `UserError` with `github_*` codes, or GitHubUnavailable when trying
 * again later may help. A method that creates something is never tried again by itself: whoever calls it first looks
 * for what an earlier try may have made, by its marker.
 */

export interface RepositoryName {
  owner: string;
  repo: string;
}

/** GitHub answers no, not now: 5xx, a limit, no connection. */
export class GitHubUnavailable extends Error {
  /** When trying again makes sense, as GitHub said it; null where it did not. */
  readonly retryAfterSeconds: number | null;
  /** Whether the request may have had its effect although no answer came. */
  readonly ambiguous: boolean;
  constructor(
    message: string,
    detail: { retryAfterSeconds: number | null; ambiguous: boolean },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'GitHubUnavailable';
    this.retryAfterSeconds = detail.retryAfterSeconds;
    this.ambiguous = detail.ambiguous;
  }
}

export type Role = 'none' | 'read' | 'triage' | 'write' | 'maintain' | 'admin';

export interface Permission {
  /** One of ours for a built-in role; for a custom role the built-in one that it is at least. */
  role: Role;
  /** As the repository names it: a custom role has a name of its own. */
  roleName: string;
}

export interface PullRequest {
  number: number;
  state: 'open' | 'closed';
  merged: boolean;
  draft: boolean;
  author: string;
  headSha: string;
  headRef: string;
  baseRef: string;
  /** Whether its head lies in another repository. */
  fork: boolean;
  /** What it became on its base when it was merged; null before, and where GitHub does not tell. */
  mergeCommit: string | null;
  labels: string[];
}

export interface Review {
  user: string;
  state: 'approved' | 'changes_requested' | 'commented' | 'dismissed' | 'pending';
  /** The commit that was looked at. */
  commit: string;
}

export interface Comment {
  id: number;
  body: string;
  author: string;
  /** Whether our app wrote it: found by marker alone, anybody could have. */
  ours: boolean;
  createdAt: string;
  url: string;
}

export interface Issue {
  number: number;
  state: 'open' | 'closed';
  title: string;
  body: string;
  labels: string[];
  ours: boolean;
  /** Who closed it, where it is closed and GitHub tells. */
  closedBy: string | null;
  updatedAt: string;
  url: string;
}

export type Reaction = 'eyes' | 'rocket' | '+1' | '-1' | 'confused';

export interface Annotation {
  path: string;
  line: number;
  level: 'notice' | 'warning' | 'failure';
  title: string;
  message: string;
}

export interface CheckRun {
  name: string;
  headSha: string;
  /** Ours to find it again: `external_id`. */
  externalId: string;
  /** Null: still running. */
  conclusion: 'success' | 'failure' | 'neutral' | 'cancelled' | 'action_required' | null;
  title: string;
  /** Markdown, at most 65,535 characters. */
  summary: string;
  annotations: Annotation[];
  detailsUrl: string | null;
}

/** Checks and statuses of a commit together. */
export interface Checks {
  /** The worst of them; `unknown` where GitHub can't say, or there is none at all. */
  state: 'success' | 'pending' | 'failure' | 'unknown';
  failed: string[];
  /** Those that have not ended, beside a failure too. */
  pending: string[];
}

export interface Workflow {
  /** `inactive`: GitHub itself has stopped its schedule, after 60 days without a commit. */
  state: 'active' | 'inactive' | 'disabled';
  createdAt: string;
}

export interface WorkflowRun {
  id: number;
  attempt: number;
  /** `.github/workflows/train.yml`. */
  path: string;
  /** As the run is shown (`display_title`): for a dispatch what `run-name` makes of it; it carries our op_id. */
  title: string;
  event: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  headSha: string;
  headBranch: string | null;
  /** owner/name of the repository that the head lies in: another one for a fork. */
  headRepository: string | null;
  actor: string;
  /** Whether our app started it: a name that carries our op_id, anybody can give. */
  ours: boolean;
  createdAt: string;
  /** When its newest attempt began. */
  startedAt: string;
  /** When it moved last; of a completed one, when that ended. */
  updatedAt: string;
  url: string;
  /** Numbers of the open pull requests that GitHub names; none for forks. */
  pullRequests: number[];
}

/** What `head` is to `base`. */
export interface Comparison {
  /** `behind`: an ancestor of `base`. */
  status: 'identical' | 'behind' | 'ahead' | 'diverged';
  /** Commits of `head` that `base` has not. */
  ahead: number;
  /** What these change: path and git's name of the content, null for a file that is gone. At most 300 and a few. */
  files: { path: string; blob: string | null }[];
}

export interface Artifact {
  id: number;
  name: string;
  /** Of the archive, in bytes. */
  size: number;
  expired: boolean;
}

export interface Deployment {
  id: number;
  environment: string;
  sha: string;
  payload: unknown;
  createdAt: string;
}
export type DeploymentState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

export interface GitHub {
  readonly repository: RepositoryName;
  defaultBranch(): Promise<{ name: string; sha: string }>;
  /** A file of a commit, or null where there is none. Throws for one larger than `limit` bytes. */
  file(request: { path: string; sha: string; limit: number }): Promise<Buffer | null>;
  /** All plain files of a commit with git's names of their contents; null where there are more than GitHub lists. */
  tree(sha: string): Promise<{ path: string; blob: string }[] | null>;

  permission(login: string): Promise<Permission>;
  /** Whether a person is an active member (an invitation does not count) of `organisation/team`. */
  isTeamMember(request: { team: string; login: string }): Promise<boolean>;

  pullRequest(number: number): Promise<PullRequest | null>;
  pullRequestsOf(sha: string): Promise<PullRequest[]>;
  /** The newest word of each person. Throws `github_too_large` where there are more than 3,000. */
  reviews(number: number): Promise<Review[]>;
  createPullRequest(request: {
    title: string;
    body: string;
    head: string;
    base: string;
  }): Promise<{ number: number; url: string }>;
  /** Makes a branch with one commit that writes these files; what is there with the same name is left alone. */
  createBranch(request: {
    name: string;
    from: string;
    message: string;
    files: readonly { path: string; content: string }[];
  }): Promise<'made' | 'exists'>;

  /** The commit that a branch stands at, or null where there is none of this name. */
  branchHead(name: string): Promise<string | null>;
  /** Two commits by their SHA; null where GitHub does not know one, or they have nothing in common. */
  compare(request: { base: string; head: string }): Promise<Comparison | null>;

  /** Of an issue or pull request, all of them, the oldest first. Throws `github_too_large` beyond 3,000. */
  comments(number: number): AsyncIterable<Comment>;
  createComment(number: number, body: string): Promise<Comment>;
  updateComment(id: number, body: string): Promise<void>;
  /** Adding what is there does nothing. */
  react(commentId: number, reaction: Reaction): Promise<void>;

  issue(number: number): Promise<Issue | null>;
  /** Those with all these labels, open and closed, the newest first. */
  issues(request: { labels: readonly string[]; state: 'open' | 'closed' | 'all' }): AsyncIterable<Issue>;
  createIssue(request: { title: string; body: string; labels: readonly string[] }): Promise<Issue>;
  updateIssue(
    number: number,
    change: { body?: string; state?: 'open' | 'closed'; title?: string },
  ): Promise<void>;

  /** Our newest check run of that name and external id on the commit. */
  checkRun(request: { sha: string; name: string; externalId: string }): Promise<{ id: number } | null>;
  createCheckRun(check: CheckRun): Promise<{ id: number }>;
  updateCheckRun(id: number, check: CheckRun): Promise<void>;
  checksOf(sha: string): Promise<Checks>;

  /** Starts a workflow as a branch has it. Null where GitHub does not tell the run (older GitHub Enterprise). */
  dispatch(request: {
    workflow: string;
    branch: string;
    inputs: Readonly<Record<string, string>>;
  }): Promise<{ runId: number; url: string } | null>;
  /** A workflow by its file's name, or null where the repository has none. */
  workflow(file: string): Promise<Workflow | null>;
  run(id: number): Promise<WorkflowRun | null>;
  /** The newest first; `createdAfter` in ISO 8601. */
  runs(request: {
    workflow: string;
    event?: string;
    createdAfter?: string;
    headSha?: string;
  }): AsyncIterable<WorkflowRun>;
  cancelRun(id: number): Promise<void>;
  artifacts(runId: number): Promise<Artifact[]>;
  /** One file of an artifact's archive, read in memory. Throws when archive or file is larger than `limit` bytes. */
  artifactFile(request: { artifact: Artifact; name: RegExp; limit: number }): Promise<Buffer | null>;

  deployments(request: { environment: string; task?: string }): AsyncIterable<Deployment>;
  createDeployment(request: {
    sha: string;
    environment: string;
    task: string;
    production: boolean;
    description: string;
    payload: Readonly<Record<string, unknown>>;
  }): Promise<Deployment>;
  setDeploymentState(
    id: number,
    state: { state: DeploymentState; description: string; logUrl: string | null },
  ): Promise<void>;
  /** The answer of a custom deployment protection rule. */
  reviewDeployment(request: {
    runId: number;
    environment: string;
    state: 'approved' | 'rejected';
    comment: string;
  }): Promise<void>;
}
