import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { octokitSetup } from '../../src/github/octokit/setup.ts';
import { GitHubUnavailable } from '../../src/github/port.ts';
import { tokenClient } from '../../src/github/token-client.ts';

const base = '/repos/acme/flights';
/** What a repository answers, by path; a number is a status without content. */
let answers: Record<string, unknown>;
let asked: IncomingMessage[];
let server: Server;

beforeEach(async () => {
  asked = [];
  answers = {
    [base]: { default_branch: 'main' },
    [`${base}/rules/branches/main`]: [
      { type: 'deletion' },
      {
        type: 'required_status_checks',
        parameters: {
          required_status_checks: [{ context: 'modelgate/gate', integration_id: 1 }, { context: 'lint' }],
        },
      },
    ],
    [`${base}/branches/main`]: {
      name: 'main',
      protection: {
        enabled: true,
        required_status_checks: {
          contexts: ['tests', 'lint'],
          checks: [
            { context: 'tests', app_id: -1 },
            { context: 'lint', app_id: null },
          ],
        },
      },
    },
    [`${base}/branches`]: [{ name: 'main' }],
    [`${base}/environments`]: {
      total_count: 2,
      environments: [
        {
          name: 'production',
          protection_rules: [{ type: 'required_reviewers' }, { type: 'branch_policy' }],
          deployment_branch_policy: { protected_branches: true, custom_branch_policies: false },
        },
        { name: 'a b/ü', protection_rules: [], deployment_branch_policy: null },
      ],
    },
    [`${base}/environments/production/deployment_protection_rules`]: {
      custom_deployment_protection_rules: [
        { enabled: true, app: { slug: 'modelgate' } },
        { enabled: false, app: { slug: 'other' } },
      ],
    },
    [`${base}/actions/variables`]: { variables: [{ name: 'MODELGATE_STORE', value: 's3://secret' }] },
    [`${base}/actions/runners`]: {
      runners: [
        { status: 'online', labels: [{ name: 'self-hosted' }, { name: 'gpu' }] },
        { status: 'offline', labels: [{ name: 'self-hosted' }] },
      ],
    },
    [`${base}/labels/modelgate-drift`]: { name: 'modelgate-drift' },
    [`${base}/actions/workflows/monitor.yml`]: { state: 'active' },
    [`${base}/actions/workflows/monitor.yml/runs`]: {
      workflow_runs: [
        { created_at: '2026-03-02T05:17:00Z', conclusion: 'skipped' },
        { created_at: '2026-03-01T05:17:00Z', conclusion: 'failure' },
        { created_at: '2026-02-28T05:17:00Z', conclusion: 'success' },
      ],
    },
  };
  server = createServer((request, response) => {
    asked.push(request);
    const answer = answers[decodeURI(request.url!.split('?')[0]!)] ?? 404;
    response.writeHead(typeof answer === 'number' ? answer : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(typeof answer === 'number' ? { message: 'no' } : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => void server.close());

function setup() {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return octokitSetup({
    client: tokenClient({ url, token: 'very-secret' }),
    repository: { owner: 'acme', repo: 'flights' },
  });
}

describe('the set-up of a repository, read with a token', () => {
  it('is read from rule sets, branch protection, environments, variables, runners and workflows', async () => {
    const one = setup();
    expect(await one.defaultBranch()).toBe('main');
    expect(await one.requiredChecks('main')).toEqual([
      { name: 'modelgate/gate', app: 1 },
      { name: 'lint', app: null },
      { name: 'tests', app: null },
    ]);
    expect(await one.environments()).toEqual([
      { name: 'production', reviewers: true, apps: ['modelgate'], branches: true },
      { name: 'a b/ü', reviewers: false, apps: [], branches: false },
    ]);
    expect(await one.variables()).toEqual(['MODELGATE_STORE']);
    expect(await one.runners()).toEqual([['self-hosted', 'gpu']]);
    expect([await one.hasLabel('modelgate-drift'), await one.hasLabel('none')]).toEqual([true, false]);
    expect(await one.schedule('monitor.yml')).toEqual({
      ...{ active: true, lastRun: '2026-03-01T05:17:00Z', skipped: true },
    });
    expect(await one.schedule('none.yml')).toBe(null);
    expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(asked.find(({ url }) => url?.includes('/runs'))?.url).toContain('event=schedule');
    expect(asked[0]?.headers.authorization).toBe('Bearer very-secret');
  });

  it.each<[string, boolean, object | null, { branches?: object[]; patterns?: string[] }]>([
    ['any branch', false, null, {}],
    ['protected branches, and one is', true, { custom_branch_policies: false }, {}],
    ['protected branches, and none is', false, { custom_branch_policies: false }, { branches: [] }],
    ['main', true, { custom_branch_policies: true }, { patterns: ['main', 'release/*'] }],
    ['a pattern for all', false, { custom_branch_policies: true }, { patterns: ['main', '*/*'] }],
    ['nothing', true, { custom_branch_policies: true }, { patterns: [] }],
  ])('an environment that takes %s is restricted: %s', async (_, restricted, policy, of) => {
    const environment = { name: 'candidates', deployment_branch_policy: policy };
    answers[`${base}/environments`] = { environments: [environment] };
    answers[`${base}/branches`] = of.branches ?? [{ name: 'main' }];
    answers[`${base}/environments/candidates/deployment-branch-policies`] = {
      branch_policies: (of.patterns ?? []).map((name) => ({ name })),
    };
    expect(await setup().environments()).toMatchObject([{ branches: restricted }]);
  });

  it('reads the required checks of branch protection also where GitHub names them alone', async () => {
    answers[`${base}/rules/branches/main`] = [];
    answers[`${base}/branches/main`] = { protection: { required_status_checks: { contexts: ['tests'] } } };
    expect(await setup().requiredChecks('main')).toEqual([{ name: 'tests', app: null }]);
  });

  it('gives null for what the token may not see', async () => {
    for (const path of ['rules/branches/main', 'environments', 'actions/variables', 'actions/runners']) {
      answers[`${base}/${path}`] = 403;
    }
    const one = setup();
    expect([
      await one.requiredChecks('main'),
      await one.environments(),
      await one.variables(),
      await one.runners(),
    ]).toEqual([null, null, null, null]);
  });

  it('throws where GitHub does not answer, or with something else', async () => {
    answers[base] = 502;
    await expect(setup().defaultBranch()).rejects.toThrow(GitHubUnavailable);
    answers[base] = { default_branch: 7 };
    await expect(setup().defaultBranch()).rejects.toThrow(GitHubUnavailable);
    answers[base] = 401;
    await expect(setup().defaultBranch()).rejects.toMatchObject({ code: 'github_denied' });
  });

  it('changes nothing but by the routes that it was made for, whatever it is asked', async () => {
    const at = { url: 'http://127.0.0.1:1', token: 't' };
    const [comment, start] = ['POST /repos/{owner}/{repo}/issues', 'POST /repos/{owner}/{repo}/dispatches'];
    await expect(tokenClient(at).request(comment)).rejects.toThrow(/may not/);
    const client = tokenClient({ ...at, changes: [start] });
    await expect(client.request(comment)).rejects.toThrow(/may not/);
    await expect(client.request(start, { owner: 'acme', repo: 'a' })).rejects.toThrow(/no answer/);
  });
});
