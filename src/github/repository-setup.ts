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

/**
 * How a repository is set up on GitHub: only read, never changed. What the token may not see is null; that there is
 * nothing is an empty list. Other failures throw as those of the port `GitHub` do.
 */
export interface RepositorySetup {
  readonly repository: RepositoryName;
  defaultBranch(): Promise<string>;
  /** What a commit needs before it may enter the branch, by rule sets and by branch protection. */
  requiredChecks(branch: string): Promise<RequiredCheck[] | null>;
  environments(): Promise<EnvironmentSetup[] | null>;
  /** Names of the repository's variables for workflows. */
  variables(): Promise<string[] | null>;
  /** The labels of each self-hosted runner that is online and belongs to the repository itself. */
  runners(): Promise<string[][] | null>;
  hasLabel(name: string): Promise<boolean>;
  /** A workflow that a schedule starts; null: there is no such workflow. */
  schedule(file: string): Promise<ScheduleSetup | null>;
}
