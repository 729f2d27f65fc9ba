import { checksPart } from './octokit/checks.ts';
import { GitHubApi, type OctokitClient } from './octokit/client.ts';
import { conversationPart } from './octokit/conversation.ts';
import { repositoryPart } from './octokit/repository.ts';
import { workflowPart } from './octokit/workflows.ts';
import type { GitHub, RepositoryName } from './port.ts';

export type { OctokitClient };

export interface OctokitOptions {
  /** Signed in: Probot's for the repository's installation, or @actions/github's with the job's token. */
  client: OctokitClient;
  repository: RepositoryName;
  /** The app that writes, as in its address on GitHub; `github-actions` in a workflow. */
  appSlug: string;
  now?: () => Date;
  /** Without an answer for so long a request counts as lost; 30 s. Waiting in a queue of Octokit's does not count. */
  timeoutMilliseconds?: number;
}

/** GitHub over an Octokit. The library itself is loaded by whoever makes the client. */
export function octokitGitHub({ appSlug, ...options }: OctokitOptions): GitHub {
  const api = new GitHubApi(options);
  const identity = { slug: appSlug };
  return {
    repository: options.repository,
    ...repositoryPart(api),
    ...conversationPart(api, identity),
    ...checksPart(api, identity),
    ...workflowPart(api, identity),
  };
}
