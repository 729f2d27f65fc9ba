import { z } from 'zod';
import type { EnvironmentSetup, RepositorySetup, RequiredCheck, TokenSetup } from '../repository-setup.ts';
import { collect, GitHubApi, type OctokitClient } from './client.ts';
import { actionsSetup } from './setup-actions.ts';
import { scopesOf, unlessDenied } from './unseen.ts';

const repo = '/repos/{owner}/{repo}';

/** Branch protection writes -1 for every app. */
const App = z
  .number()
  .nullish()
  .transform((id) => (id === undefined || id === null || id < 0 ? null : id));
const Rule = z.object({
  type: z.string(),
  parameters: z
    .object({
      required_status_checks: z
        .array(
          z
            .object({ context: z.string(), integration_id: App })
            .transform(({ context, integration_id: app }): RequiredCheck => ({ name: context, app })),
        )
        .optional(),
    })
    .optional(),
});
const Branch = z.object({
  protection: z
    .object({
      required_status_checks: z
        .object({
          contexts: z.array(z.string()).default([]),
          checks: z.array(z.object({ context: z.string(), app_id: App })).optional(),
        })
        .transform(({ contexts, checks }): RequiredCheck[] =>
          checks === undefined
            ? contexts.map((name) => ({ name, app: null }))
            : checks.map(({ context, app_id: app }) => ({ name: context, app })),
        )
        .nullish(),
    })
    .optional(),
});
const Environment = z.object({
  name: z.string(),
  protection_rules: z.array(z.object({ type: z.string() })).default([]),
  deployment_branch_policy: z.object({ custom_branch_policies: z.boolean() }).nullish(),
});
const Rules = z.object({
  custom_deployment_protection_rules: z
    .array(z.object({ enabled: z.boolean(), app: z.object({ slug: z.string() }) }))
    .default([]),
});
const Named = z.object({ name: z.string() });
const Slug = z.object({ slug: z.string() });
const Offered = z.object({
  available_custom_deployment_protection_rule_integrations: z.array(Slug).default([]),
});
const Suite = z.object({ app: Slug.nullish() });
const Repository = z.object({
  default_branch: z.string(),
  private: z.boolean(),
  owner: z.object({ type: z.string() }),
});
const Run = z.object({ created_at: z.string(), conclusion: z.string().nullish() });

/** The set-up of a repository over an Octokit, or anything else with its method `request`. */
export function octokitSetup(options: {
  client: OctokitClient;
  repository: RepositorySetup['repository'];
  kind: TokenSetup['kind'];
}): RepositorySetup {
  const api = new GitHubApi(options);
  const about = async () => {
    const found = await api.get(Repository, repo);
    return {
      branch: found.default_branch,
      open: !found.private,
      organization: found.owner.type === 'Organization',
    };
  };
  /** Whether an environment's own list of branches and tags leaves any out. */
  const someOnly = async (environment_name: string): Promise<boolean> => {
    const route = `${repo}/environments/{environment_name}/deployment-branch-policies`;
    const patterns = api.list(Named, route, { environment_name, key: 'branch_policies' });
    return (await collect(patterns)).every(({ name }) => !/^[*/]+$/.test(name));
  };
  /** "Protected branches only" means all branches where none is protected. */
  const anyProtected = async (): Promise<boolean> =>
    (await collect(api.list(Named, `${repo}/branches`, { protected: true, pages: 1 }))).length > 0;
  return {
    repository: options.repository,
    about,
    ...actionsSetup(api, async () => (await about()).organization),

    async token() {
      const { 'x-oauth-scopes': scopes } = await api.headers(repo);
      return { kind: options.kind, scopes: typeof scopes === 'string' ? scopesOf(scopes) : null };
    },

    requiredChecks: (branch) =>
      unlessDenied(async () => {
        const rules = await collect(api.list(Rule, `${repo}/rules/branches/{branch}`, { branch }));
        const { protection } = await api.get(Branch, `${repo}/branches/{branch}`, { branch });
        const ruled = rules
          .filter(({ type }) => type === 'required_status_checks')
          .flatMap(({ parameters }) => parameters?.required_status_checks ?? []);
        const found = [...ruled, ...(protection?.required_status_checks ?? [])];
        return [...new Map(found.map((one) => [`${one.app} ${one.name}`, one])).values()];
      }),

    environments: () =>
      unlessDenied(async () => {
        const found = await collect(api.list(Environment, `${repo}/environments`, { key: 'environments' }));
        const setups: EnvironmentSetup[] = [];
        for (const { name, protection_rules: rules, deployment_branch_policy: policy } of found) {
          const route = `${repo}/environments/{environment_name}/deployment_protection_rules`;
          const custom = await api.find(Rules, route, { environment_name: name });
          setups.push({
            name,
            reviewers: rules.some(({ type }) => type === 'required_reviewers'),
            apps: (custom?.custom_deployment_protection_rules ?? [])
              .filter(({ enabled }) => enabled)
              .map(({ app }) => app.slug),
            branches:
              policy !== null &&
              policy !== undefined &&
              (policy.custom_branch_policies ? await someOnly(name) : await anyProtected()),
          });
        }
        return setups;
      }),

    offeredRules: (environment_name) =>
      unlessDenied(async () => {
        const route = `${repo}/environments/{environment_name}/deployment_protection_rules/apps`;
        const found = await api.get(Offered, route, { environment_name, per_page: 100 });
        return found.available_custom_deployment_protection_rule_integrations.map(({ slug }) => slug);
      }),

    toldApps: (ref) =>
      unlessDenied(async () => {
        const suites = api.list(Suite, `${repo}/commits/{ref}/check-suites`, { ref, key: 'check_suites' });
        return [...new Set((await collect(suites)).flatMap(({ app }) => app?.slug ?? []))];
      }),

    hasLabel: (name) =>
      unlessDenied(async () => (await api.find(Named, `${repo}/labels/{name}`, { name })) !== null),

    schedule: (file) =>
      unlessDenied(async () => {
        const route = `${repo}/actions/workflows/{workflow_id}`;
        const found = await api.find(z.object({ state: z.string() }), route, { workflow_id: file });
        if (found === null) return null;
        const runs = api.list(Run, `${route}/runs`, {
          workflow_id: file,
          event: 'schedule',
          key: 'workflow_runs',
          pages: 1,
        });
        const latest = await collect(runs);
        return {
          active: found.state === 'active',
          lastRun: latest.find(({ conclusion }) => conclusion !== 'skipped')?.created_at ?? null,
          skipped: latest[0]?.conclusion === 'skipped',
        };
      }),
  };
}
