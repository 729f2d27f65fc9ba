import type { FakeRepository } from './repository.ts';
import type { FakeRun } from './runs.ts';

/** What GitHub keeps, in our words; render.ts turns it into GitHub's. */

export type RoleName = 'read' | 'triage' | 'write' | 'maintain' | 'admin';

export interface Account {
  id: number;
  login: string;
  type: 'User' | 'Bot' | 'Organization';
}

export interface App {
  id: number;
  slug: string;
  /** `slug[bot]`. */
  bot: Account;
  permissions: Record<string, 'read' | 'write'>;
  events: string[];
  /** Of its JWTs, PEM. */
  publicKey: string;
  privateKey: string;
}

export interface Installation {
  id: number;
  app: App;
  account: Account;
  createdAt: string;
}

/** Who makes a request, or an action in a test. */
export interface Actor {
  user: Account;
  /** The app that acts, itself or for a person. */
  app: App | null;
  /** Null: everything that the person may. */
  permissions: Readonly<Record<string, 'read' | 'write'>> | null;
  /** Full names; null: every one that it can see. */
  repositories: ReadonlySet<string> | null;
  installation: Installation | null;
  /** A JWT of the app itself, good for /app alone. */
  asApp: boolean;
  expiresAt: number;
}

export interface Commit {
  sha: string;
  tree: string;
  files: ReadonlyMap<string, Buffer>;
  parents: readonly string[];
  message: string;
  author: Account;
  date: string;
}

export interface Comment {
  id: number;
  issue: Issue;
  body: string;
  user: Account;
  app: App | null;
  createdAt: string;
  updatedAt: string;
  reactions: Reaction[];
}

export interface Reaction {
  id: number;
  user: Account;
  content: string;
  createdAt: string;
}

export interface Review {
  id: number;
  user: Account;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  body: string;
  commit: string;
  submittedAt: string;
}

/** An issue; a pull request is one with `pull`. */
export interface Issue {
  id: number;
  number: number;
  repository: FakeRepository;
  title: string;
  body: string;
  user: Account;
  app: App | null;
  state: 'open' | 'closed';
  stateReason: 'completed' | 'not_planned' | 'reopened' | null;
  closedBy: Account | null;
  closedAt: string | null;
  labels: string[];
  locked: boolean;
  comments: Comment[];
  createdAt: string;
  updatedAt: string;
  pull: Pull | null;
}

export interface Pull {
  id: number;
  /** Null once the fork was deleted. */
  headRepository: FakeRepository | null;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  mergedAt: string | null;
  mergeCommit: string | null;
  reviews: Review[];
}

export type PullRequest = Issue & { pull: Pull };

export interface Annotation {
  path: string;
  start_line: number;
  end_line: number;
  annotation_level: string;
  message: string;
  title: string | null;
}

export interface CheckRun {
  id: number;
  app: App;
  name: string;
  headSha: string;
  externalId: string;
  status: string;
  conclusion: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations: Annotation[];
  detailsUrl: string | null;
  startedAt: string;
  completedAt: string | null;
}

export interface Status {
  id: number;
  sha: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  context: string;
  description: string | null;
  targetUrl: string | null;
  createdAt: string;
  creator: Account;
}

export interface DeploymentStatus {
  id: number;
  state: string;
  description: string;
  logUrl: string;
  creator: Account;
  createdAt: string;
}

export interface Deployment {
  id: number;
  sha: string;
  ref: string;
  task: string;
  environment: string;
  production: boolean;
  transient: boolean;
  description: string | null;
  payload: unknown;
  creator: Account;
  app: App | null;
  createdAt: string;
  statuses: DeploymentStatus[];
}

export interface Environment {
  name: string;
  /** Apps whose custom protection rule must say yes. */
  protection: App[];
}

export interface Artifact {
  id: number;
  name: string;
  run: FakeRun;
  zip: Buffer;
  expired: boolean;
  createdAt: string;
}

export interface Workflow {
  id: number;
  name: string;
  path: string;
  state: 'active' | 'disabled_inactivity' | 'disabled_manually';
  createdAt: string;
}
