/** What a CI says of the run that a process belongs to; null: it says nothing of it. */
export interface CiRun {
  commit: string | null;
  run: string | null;
  /** From 1. */
  attempt: number;
}

/**
 * The commit and run that stand in every manifest: what the workflow says (MODELGATE_COMMIT, MODELGATE_RUN), else what
 * GitHub Actions or GitLab CI do. A dispatched workflow may be about another commit than the one its file stands on.
 */
export function ciRun(env: NodeJS.ProcessEnv): CiRun {
  return {
    commit: env.MODELGATE_COMMIT || env.GITHUB_SHA || env.CI_COMMIT_SHA || null,
    run: env.MODELGATE_RUN || env.GITHUB_RUN_ID || env.CI_PIPELINE_ID || null,
    attempt: Number(env.GITHUB_RUN_ATTEMPT ?? 1) || 1,
  };
}
