import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { octokitSetup } from '../../src/github/octokit/setup.ts';
import { GitHubUnavailable } from '../../src/github/port.ts';
import { type RepositorySetup, Unseen } from '../../src/github/repository-setup.ts';
import { tokenClient } from '../../src/github/token-client.ts';

const base = '/repos/acme/flights';
/** What a repository answers, by path; a number is a status without content. */
let answers: Record<string, unknown>;
/** Headers of every answer. */
let headers: Record<string, string>;
let asked: IncomingMessage[];
let server: Server;

beforeEach(async () => {
  asked = [];
  headers = {};
  answers = {
    [base]: { default_branch: 'main', private: true, owner: { type: 'Organization' } },
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
    [`${base}/environments/production/deployment_protection_rules/apps`]: {
      available_custom_deployment_protection_rule_integrations: [{ slug: 'modelgate' }],
    },
    [`${base}/commits/main/check-suites`]: {
      check_suites: [{ app: { slug: 'github-actions' } }, { app: null }, { app: { slug: 'github-actions' } }],
    },
    [`${base}/actions/variables`]: { variables: [{ name: 'MODELGATE_STORE', value: 's3://own' }] },
    [`${base}/actions/organization-variables`]: {
      variables: [
        { name: 'MODELGATE_STORE', value: 's3://shared' },
        { name: 'MODELGATE_REGION', value: 'eu-central-1' },
      ],
    },
    [`${base}/actions/permissions`]: {
      ...{ enabled: true, allowed_actions: 'selected', sha_pinning_required: true },
    },
    [`${base}/actions/permissions/selected-actions`]: {
      ...{ github_owned_allowed: true, verified_allowed: false, patterns_allowed: ['modelgate/*'] },
    },
    [`${base}/actions/permissions/workflow`]: {
      ...{ default_workflow_permissions: 'write', can_approve_pull_request_reviews: true },
    },
    '/orgs/acme/actions/runner-groups': {
      runner_groups: [
        {
          ...{ id: 3, name: 'trainers', restricted_to_workflows: true },
          selected_workflows: ['acme/flights/.github/workflows/train.yml@refs/heads/main'],
        },
        { id: 1, name: 'Default', restricted_to_workflows: false, selected_workflows: null },
      ],
    },
    '/orgs/acme/actions/runner-groups/3/runners': {
      runners: [{ status: 'online', labels: [{ name: 'self-hosted' }] }],
    },
    '/orgs/acme/actions/runner-groups/1/runners': { runners: [] },
    [`${base}/actions/workflows/train.yml/runs`]: { workflow_runs: [{ id: 9 }, { id: 8 }, { id: 7 }] },
    [`${base}/actions/runs/9/jobs`]: {
      jobs: [
        { labels: ['gpu'], runner_name: '', runner_group_name: '', started_at: '2026-03-02T05:00:00Z' },
        { labels: ['ubuntu-latest'], runner_name: 'x', started_at: '2026-03-02T05:00:00Z' },
      ],
    },
    [`${base}/actions/runs/7/jobs`]: { jobs: [] },
    [`${base}/actions/runs/8/jobs`]: {
      jobs: [
        {
          ...{ labels: ['gpu'], runner_name: 'one', runner_group_name: 'trainers' },
          started_at: '2026-03-01T05:00:00Z',
        },
      ],
    },
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
    response.writeHead(typeof answer === 'number' ? answer : 200, {
      ...{ 'content-type': 'application/json', ...headers },
    });
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
    kind: 'classic',
  });
}

describe('the set-up of a repository, read with a token', () => {
  it('is read from rule sets, branch protection, environments, variables, runners and workflows', async () => {
    const one = setup();
    expect(await one.about()).toEqual({ branch: 'main', open: false, organization: true });
    expect(await one.requiredChecks('main')).toEqual([
      { name: 'modelgate/gate', app: 1 },
      { name: 'lint', app: null },
      { name: 'tests', app: null },
    ]);
    expect(await one.environments()).toEqual([
      { name: 'production', reviewers: true, apps: ['modelgate'], branches: true },
      { name: 'a b/ü', reviewers: false, apps: [], branches: false },
    ]);
    expect(await one.variables()).toEqual(
      new Map([
        ['MODELGATE_STORE', 's3://own'],
        ['MODELGATE_REGION', 'eu-central-1'],
      ]),
    );
    expect(await one.runners()).toEqual([
      { labels: ['self-hosted', 'gpu'], online: true },
      { labels: ['self-hosted'], online: false },
    ]);
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

  it('is read of groups, jobs, permissions and apps', async () => {
    const one = setup();
    expect(await one.runnerGroups()).toEqual([
      {
        name: 'trainers',
        workflows: ['acme/flights/.github/workflows/train.yml@refs/heads/main'],
        runners: [{ labels: ['self-hosted'], online: true }],
      },
      { name: 'Default', workflows: null, runners: [] },
    ]);
    // those of other repositories are not asked for
    expect(asked.find(({ url }) => url?.includes('runner-groups?'))?.url).toContain(
      'visible_to_repository=flights',
    );
    expect(await one.jobs('train.yml')).toEqual([
      { labels: ['ubuntu-latest'], group: null, at: '2026-03-02T05:00:00Z' },
      { labels: ['gpu'], group: 'trainers', at: '2026-03-01T05:00:00Z' },
    ]);
    expect(await one.workflowPermissions()).toEqual({ writes: true, approves: true });
    expect(await one.actions()).toEqual({
      ...{ enabled: true, allowed: 'selected', pinned: true },
      selected: { github: true, verified: false, patterns: ['modelgate/*'] },
    });
    expect(await one.offeredRules('production')).toEqual(['modelgate']);
    expect(await one.toldApps('main')).toEqual(['github-actions']);
    answers[`${base}/actions/permissions`] = { enabled: true, allowed_actions: 'all' };
    expect(await one.actions()).toMatchObject({ allowed: 'all', pinned: false, selected: null });
  });

  it('has no groups, and variables of its own alone, where a person owns it', async () => {
    answers[base] = { default_branch: 'main', private: false, owner: { type: 'User' } };
    answers[`${base}/actions/organization-variables`] = 404;
    const one = setup();
    expect(await one.about()).toMatchObject({ open: true, organization: false });
    expect(await one.runnerGroups()).toEqual([]);
    expect(await one.variables()).toEqual(new Map([['MODELGATE_STORE', 's3://own']]));
    expect(asked.some(({ url }) => url?.startsWith('/orgs/'))).toBe(false);
  });

  it('tells the scopes of the token, where it has such', async () => {
    expect(await setup().token()).toEqual({ kind: 'classic', scopes: null });
    headers = { 'X-OAuth-Scopes': 'repo, read:org' };
    expect(await setup().token()).toEqual({ kind: 'classic', scopes: ['repo', 'read:org'] });
    headers = { 'X-OAuth-Scopes': '' };
    expect(await setup().token()).toEqual({ kind: 'classic', scopes: [] });
  });

  const reads: Record<string, [string, (one: RepositorySetup) => Promise<unknown>]> = {
    requiredChecks: [`${base}/rules/branches/main`, (one) => one.requiredChecks('main')],
    environments: [`${base}/environments`, (one) => one.environments()],
    variables: [`${base}/actions/variables`, (one) => one.variables()],
    runners: [`${base}/actions/runners`, (one) => one.runners()],
    runnerGroups: ['/orgs/acme/actions/runner-groups', (one) => one.runnerGroups()],
    jobs: [`${base}/actions/workflows/train.yml/runs`, (one) => one.jobs('train.yml')],
    workflowPermissions: [`${base}/actions/permissions/workflow`, (one) => one.workflowPermissions()],
    actions: [`${base}/actions/permissions`, (one) => one.actions()],
    offeredRules: [
      `${base}/environments/production/deployment_protection_rules/apps`,
      (one) => one.offeredRules('production'),
    ],
    toldApps: [`${base}/commits/main/check-suites`, (one) => one.toldApps('main')],
    hasLabel: [`${base}/labels/modelgate-drift`, (one) => one.hasLabel('modelgate-drift')],
    schedule: [`${base}/actions/workflows/monitor.yml`, (one) => one.schedule('monitor.yml')],
  };

  it.each(Object.entries(reads))('%s: says that the token may not see it', async (_, [path, read]) => {
    answers[path] = 403;
    expect(await read(setup())).toEqual(new Unseen());
    answers[path] = 502;
    await expect(read(setup())).rejects.toThrow(GitHubUnavailable);
  });

  it.each<[Record<string, string>, string | null]>([
    [{ 'X-Accepted-GitHub-Permissions': 'administration=read' }, 'administration=read'],
    [{ 'X-Accepted-GitHub-Permissions': 'a=read,b=write; c=read' }, 'a=read and b=write or c=read'],
    [{ 'X-Accepted-GitHub-Permissions': '<b>[x](y)' }, null],
    [{ 'X-Accepted-OAuth-Scopes': 'admin:org', 'X-OAuth-Scopes': 'repo' }, 'the scope admin:org'],
    [
      { 'X-Accepted-OAuth-Scopes': 'repo, public_repo', 'X-OAuth-Scopes': '' },
      'one of the scopes repo, public_repo',
    ],
    // the token has it; whose it is may not
    [{ 'X-Accepted-OAuth-Scopes': 'repo', 'X-OAuth-Scopes': 'repo' }, null],
    [{ 'X-GitHub-SSO': 'required; url=https://github.com/x' }, 'the single sign-on of the organisation'],
  ])('tells what GitHub wants for it: %j', async (told, needs) => {
    headers = told;
    answers[`${base}/actions/runners`] = 403;
    expect(await setup().runners()).toEqual(new Unseen(needs));
  });

  it('throws where GitHub does not answer, or with something else', async () => {
    answers[base] = 502;
    await expect(setup().about()).rejects.toThrow(GitHubUnavailable);
    answers[base] = { default_branch: 7 };
    await expect(setup().about()).rejects.toThrow(GitHubUnavailable);
    answers[base] = 401;
    await expect(setup().about()).rejects.toMatchObject({ code: 'github_denied' });
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
