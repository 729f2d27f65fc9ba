import { getOctokit } from '@actions/github';
import { ProbotOctokit } from 'probot';
import { type OctokitClient, octokitGitHub } from '../../src/github/octokit.ts';
import { type World, workflow } from './conformance.ts';
import { FakeGitHubServer } from './fake/server.ts';

export interface Clients {
  appSlug: string;
  make(world: Omit<World, 'github'>): OctokitClient;
}

/** Signed in as the app, as the bot is; `throttle` is about many requests and only slows tests. */
export const probot: Clients = {
  appSlug: 'modelgate',
  make: ({ server }) =>
    new ProbotOctokit({
      baseUrl: server.url,
      auth: {
        appId: server.app.id,
        privateKey: server.app.privateKey,
        installationId: server.installations.find(({ account }) => account.login === 'acme')!.id,
      },
      throttle: { enabled: false },
      log: { debug() {}, info() {}, warn() {}, error() {} },
    }),
};

/** With the token of a job, as chatops.yml has it. */
export const actions: Clients = {
  appSlug: 'github-actions',
  make: ({ server, repository }) => {
    const token = server.actionsToken(repository, {
      actions: 'write',
      checks: 'write',
      contents: 'write',
      deployments: 'write',
      issues: 'write',
      members: 'read',
      pull_requests: 'write',
      statuses: 'read',
    });
    return getOctokit(token, { baseUrl: server.url });
  },
};

export async function openWorld(
  clients: Clients,
  { enterprise = false, timeoutMilliseconds = 30_000 } = {},
): Promise<World> {
  const server = await FakeGitHubServer.start({ enterprise });
  const repository = server.repository('acme/flights', {
    files: { 'modelgate.yaml': 'version: 1', '.github/workflows/train.yml': workflow },
  });
  const github = octokitGitHub({
    client: clients.make({ server, repository }),
    repository: { owner: 'acme', repo: 'flights' },
    appSlug: clients.appSlug,
    now: () => server.now(),
    timeoutMilliseconds,
  });
  return { github, server, repository };
}
