import { z } from 'zod';
import type { JobSetup, RepositorySetup, RunnerGroupSetup, RunnerSetup } from '../repository-setup.ts';
import { collect, type GitHubApi } from './client.ts';
import { unlessDenied } from './unseen.ts';

const repo = '/repos/{owner}/{repo}';
/** Runs of a workflow that are looked through for jobs that a runner took: of the newest, one may still wait. */
const latestRuns = 3;

const Named = z.object({ name: z.string() });
const Runner = z.object({ status: z.string(), labels: z.array(Named) }).transform(
  ({ status, labels }): RunnerSetup => ({
    labels: labels.map(({ name }) => name),
    online: status === 'online',
  }),
);
const Group = z.object({
  id: z.number(),
  name: z.string(),
  restricted_to_workflows: z.boolean().default(false),
  selected_workflows: z
    .array(z.string())
    .nullish()
    .transform((workflows) => workflows ?? []),
});
const Runs = z.object({ workflow_runs: z.array(z.object({ id: z.number() })) });
const Job = z.object({
  labels: z.array(z.string()).default([]),
  runner_name: z.string().nullish(),
  runner_group_name: z.string().nullish(),
  started_at: z.string().nullish(),
});
const Permissions = z.object({
  enabled: z.boolean(),
  allowed_actions: z.enum(['all', 'local_only', 'selected']).default('all'),
  sha_pinning_required: z.boolean().default(false),
});
const Selected = z.object({
  github_owned_allowed: z.boolean().default(false),
  verified_allowed: z.boolean().default(false),
  patterns_allowed: z.array(z.string().max(1000)).default([]),
});
const TokenPermissions = z.object({
  default_workflow_permissions: z.enum(['read', 'write']),
  can_approve_pull_request_reviews: z.boolean(),
});

type Part = Pick<
  RepositorySetup,
  'runners' | 'runnerGroups' | 'jobs' | 'actions' | 'workflowPermissions' | 'variables'
>;

/** What Actions has in a repository: runners, variables, and what workflows may do. */
export function actionsSetup(api: GitHubApi, isOrganization: () => Promise<boolean>): Part {
  const groupRunners = (runner_group_id: number) =>
    collect(
      api.list(Runner, '/orgs/{org}/actions/runner-groups/{runner_group_id}/runners', {
        ...{ org: api.repository.owner, runner_group_id, key: 'runners' },
      }),
    );
  const variablesAt = async (route: string) =>
    (
      await collect(api.list(z.object({ name: z.string(), value: z.string() }), route, { key: 'variables' }))
    ).map(({ name, value }) => [name, value] as const);
  return {
    variables: () =>
      unlessDenied(async () => {
        const own = await variablesAt(`${repo}/actions/variables`);
        const shared = await unlessDenied(() => variablesAt(`${repo}/actions/organization-variables`));
        return new Map([...(Array.isArray(shared) ? shared : []), ...own]);
      }),

    runners: () =>
      unlessDenied(() => collect(api.list(Runner, `${repo}/actions/runners`, { key: 'runners' }))),

    runnerGroups: () =>
      unlessDenied(async () => {
        if (!(await isOrganization())) return [];
        const route = '/orgs/{org}/actions/runner-groups';
        const { owner, repo: visible_to_repository } = api.repository;
        const found = await collect(
          api.list(Group, route, { org: owner, visible_to_repository, key: 'runner_groups' }),
        );
        const groups: RunnerGroupSetup[] = [];
        for (const { id, name, restricted_to_workflows: restricted, selected_workflows: workflows } of found)
          groups.push({ name, workflows: restricted ? workflows : null, runners: await groupRunners(id) });
        return groups;
      }),

    jobs: (workflow_id) =>
      unlessDenied(async () => {
        const route = `${repo}/actions/workflows/{workflow_id}/runs`;
        const { workflow_runs: runs } = await api.get(Runs, route, { workflow_id, per_page: latestRuns });
        const taken: JobSetup[] = [];
        for (const { id: run_id } of runs.slice(0, latestRuns)) {
          const jobs = api.list(Job, `${repo}/actions/runs/{run_id}/jobs`, { run_id, key: 'jobs', pages: 1 });
          taken.push(...(await collect(jobs)).flatMap(takenJob));
        }
        return taken;
      }),

    workflowPermissions: () =>
      unlessDenied(async () => {
        const found = await api.get(TokenPermissions, `${repo}/actions/permissions/workflow`);
        return {
          writes: found.default_workflow_permissions === 'write',
          approves: found.can_approve_pull_request_reviews,
        };
      }),

    actions: () =>
      unlessDenied(async () => {
        const found = await api.get(Permissions, `${repo}/actions/permissions`);
        const { enabled, allowed_actions: allowed, sha_pinning_required: pinned } = found;
        if (!enabled || allowed !== 'selected') return { enabled, allowed, pinned, selected: null };
        const selected = await api.get(Selected, `${repo}/actions/permissions/selected-actions`);
        const { github_owned_allowed: github, verified_allowed: verified, patterns_allowed } = selected;
        return { enabled, allowed, pinned, selected: { github, verified, patterns: patterns_allowed } };
      }),
  };
}

/** One that waits, was skipped or ran nowhere has no runner. */
function takenJob({ labels, runner_name, runner_group_name, started_at }: z.infer<typeof Job>): JobSetup[] {
  return runner_name && started_at ? [{ labels, group: runner_group_name || null, at: started_at }] : [];
}
