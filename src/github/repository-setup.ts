import type { RepositoryName } from './port.ts';

/** How an environment of the repository is guarded. */
export interface EnvironmentSetup {
  name: string;
  /** People or teams must approve each deployment. */
  reviewers: boolean;
  /** Apps whose own protection rule is asked, by their slug. */
  apps: string[];
  /** Only some branches may deploy to it: not with a pattern that all fit, nor with a list of those protected that is empty. */
  branches: boolean;
}

/** A check that a commit needs before it may enter a branch. */
export interface RequiredCheck {
  name: string;
  /** The number of the only app whose answer counts; null: whoever gives one. */
  app: number | null;
}

export interface ScheduleSetup {
  active: boolean;
  /** When the newest scheduled run began that was not skipped; null: none did among the latest. */
  lastRun: string | null;
  /** Whether the newest one was skipped: it looked at nothing. */
  skipped: boolean;
}

export interface RunnerSetup {
  labels: string[];
  online: boolean;
}

/** A group of self-hosted runners that the repository may use. */
export interface RunnerGroupSetup {
  name: string;
  /** The only workflows that it takes, as `owner/repo/.github/workflows/file@ref`; null: any of any branch. */
  workflows: string[] | null;
  runners: RunnerSetup[];
}

/** A job that a runner took. */
export interface JobSetup {
  labels: string[];
  /** Of its runner; null where there is none. */
  group: string | null;
  /** ISO 8601. */
  at: string;
}

/** What a workflow's own token may do where the workflow does not say. */
export interface WorkflowPermissions {
  writes: boolean;
  /** Whether it may approve pull requests. */
  approves: boolean;
}

/** Which actions may run. */
export interface ActionsSetup {
  enabled: boolean;
  /** `local_only`: those of the same owner. `selected`: those, and what `selected` says. */
  allowed: 'all' | 'local_only' | 'selected';
  selected: { github: boolean; verified: boolean; patterns: string[] } | null;
  /** Only with a full commit SHA. */
  pinned: boolean;
}

export interface TokenSetup {
  /** By its beginning. `job`: of an app's installation, as every job of Actions has one. */
  kind: 'classic' | 'oauth' | 'fine_grained' | 'app_user' | 'job' | 'unknown';
  /** Of `classic` and `oauth`; null where GitHub names none. */
  scopes: string[] | null;
}

/** The token may not see it; or GitHub hides it from the token. */
export class Unseen {
  /** What it would take, in GitHub's words; null where GitHub does not say. */
  readonly needs: string | null;
  constructor(needs: string | null = null) {
    this.needs = needs;
  }
}

/**
 * How a repository is set up on GitHub: only read, never changed. What the token may not see is `Unseen`; that there is
 * nothing is an empty list. Other failures throw as those of the port `GitHub` do.
 */
export interface RepositorySetup {
  readonly repository: RepositoryName;
  /** `open`: everybody may read it, and so propose a change from a fork. */
  about(): Promise<{ branch: string; open: boolean; organization: boolean }>;
  token(): Promise<TokenSetup>;
  /** What a commit needs before it may enter the branch, by rule sets and by branch protection. */
  requiredChecks(branch: string): Promise<RequiredCheck[] | Unseen>;
  environments(): Promise<EnvironmentSetup[] | Unseen>;
  /** Variables that workflows of the repository see, its own and those of its organisation, by name. */
  variables(): Promise<ReadonlyMap<string, string> | Unseen>;
  /** Self-hosted runners of the repository itself. */
  runners(): Promise<RunnerSetup[] | Unseen>;
  /** Groups of the organisation and the enterprise that the repository may use; none where it has no organisation. */
  runnerGroups(): Promise<RunnerGroupSetup[] | Unseen>;
  /** Jobs of the latest runs of a workflow that a runner took, the newest first. */
  jobs(file: string): Promise<JobSetup[] | Unseen>;
  workflowPermissions(): Promise<WorkflowPermissions | Unseen>;
  actions(): Promise<ActionsSetup | Unseen>;
  /** Slugs of installed apps whose protection rule an environment may take. */
  offeredRules(environment: string): Promise<string[] | Unseen>;
  /** Slugs of apps that GitHub told of the newest commit of a branch, as it does with those that may write checks. */
  toldApps(branch: string): Promise<string[] | Unseen>;
  hasLabel(name: string): Promise<boolean | Unseen>;
  /** A workflow that a schedule starts; null: there is no such workflow. */
  schedule(file: string): Promise<ScheduleSetup | null | Unseen>;
}
