import { gitFacts, repositoryOf } from '../../adoption/git.ts';
import { octokitSetup } from '../../github/octokit/setup.ts';
import type { RepositorySetup, TokenSetup } from '../../github/repository-setup.ts';
import { tokenClient } from '../../github/token-client.ts';

/** The repository's set-up on GitHub, by the token of the environment; null without a token or a repository. */
export async function setupFrom(folder: string, env: NodeJS.ProcessEnv): Promise<RepositorySetup | null> {
  const token = env.GITHUB_TOKEN || env.GH_TOKEN;
  if (token === undefined || token === '') return null;
  const named = env.GITHUB_REPOSITORY;
  const repository =
    named === undefined || named === ''
      ? (await gitFacts(folder)).repository
      : repositoryOf(`https://github.com/${named}`);
  if (repository === null) return null;
  const url = env.GITHUB_API_URL || 'https://api.github.com';
  return octokitSetup({ client: tokenClient({ url, token }), repository, kind: kindOf(token) });
}

const beginnings: readonly (readonly [string, TokenSetup['kind']])[] = [
  ['ghp_', 'classic'],
  ['gho_', 'oauth'],
  ['github_pat_', 'fine_grained'],
  ['ghu_', 'app_user'],
  ['ghs_', 'job'],
];

/** GitHub tells its tokens apart by how they begin. */
export function kindOf(token: string): TokenSetup['kind'] {
  return beginnings.find(([beginning]) => token.startsWith(beginning))?.[1] ?? 'unknown';
}
