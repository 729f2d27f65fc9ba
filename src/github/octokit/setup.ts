import { z } from 'zod';
import { UserError } from '../../errors.ts';
import type { EnvironmentSetup, RepositorySetup, RequiredCheck } from '../repository-setup.ts';
import { Repository } from './answers.ts';
import { collect, GitHubApi, type OctokitClient } from './client.ts';

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
const Runner = z.object({ status: z.string(), labels: z.array(Named) });
const Run = z.object({ created_at: z.string(), conclusion: z.string().nullish() });

/** The set-up of a repository over an Octokit, or anything else with its method `request`. */
export function octokitSetup(options: {
  client: OctokitClient;
  repository: RepositorySetup['repository'];
}): RepositorySetup {
  const api = new GitHubApi(options);
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
    defaultBranch: async () => (await api.get(Repository, repo)).default_branch,

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

    variables: () =>
      unlessDenied(async () =>
        (await collect(api.list(Named, `${repo}/actions/variables`, { key: 'variables' }))).map(
          ({ name }) => name,
        ),
      ),

    runners: () =>
      unlessDenied(async () =>
        (await collect(api.list(Runner, `${repo}/actions/runners`, { key: 'runners' })))
          .filter(({ status }) => status === 'online')
          .map(({ labels }) => labels.map(({ name }) => name)),
      ),

    hasLabel: async (name) => (await api.find(Named, `${repo}/labels/{name}`, { name })) !== null,

    async schedule(file) {
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
    },
  };
}

/** Null where the token may not see it, or GitHub hides it from the token. */
async function unlessDenied<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError && ['github_denied', 'github_missing'].includes(error.code)) return null;
    throw error;
  }
}
