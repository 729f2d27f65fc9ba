import { repositoryOf } from '../../adoption/git.ts';
import { UserError } from '../../errors.ts';
import { dispatchRoute } from '../../github/octokit/workflows.ts';
import { octokitGitHub } from '../../github/octokit.ts';
import type { GitHub } from '../../github/port.ts';
import { tokenClient } from '../../github/token-client.ts';

/** Tokens that act as a person. */
const personal = /^(ghp|github_pat|gho|ghu)_/;

/**
 * The repository of this job of GitHub Actions, by the job's token, which may start workflows and change nothing else;
 * null outside of such a job. Throws `usage` for a person's token: runs that it starts could not be told from others'.
 */
export function gitHubOfJob(env: NodeJS.ProcessEnv): GitHub | null {
  const token = env.GITHUB_TOKEN || env.GH_TOKEN || '';
  const repository = repositoryOf(`https://github.com/${env.GITHUB_REPOSITORY ?? ''}`);
  if (env.GITHUB_ACTIONS !== 'true' || token === '' || repository === null) return null;
  if (personal.test(token)) {
    throw new UserError({
      code: 'usage',
      message: "This is a person's token.",
      where: 'GITHUB_TOKEN',
      fix: "Give the job's own: GITHUB_TOKEN: $" + '{{ github.token }}',
    });
  }
  const url = env.GITHUB_API_URL || 'https://api.github.com';
  return octokitGitHub({
    client: tokenClient({ url, token, changes: [dispatchRoute] }),
    repository,
    appSlug: 'github-actions',
  });
}
