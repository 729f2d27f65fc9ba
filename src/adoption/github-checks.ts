import { type EnvironmentSetup, type RepositorySetup, Unseen } from '../github/repository-setup.ts';
import { actionsCheck, workflowPermissionsCheck } from './actions-checks.ts';
import { appCheck } from './app-check.ts';
import { type Level, missing, notLooked, ok, type SetupCheck, warn } from './check.ts';
import { environmentCheck } from './environment-check.ts';
import { environmentsOf } from './repository-workflows.ts';
import { type Judging, requiredCheck } from './required-check.ts';
import { runnerCheck } from './runner-checks.ts';
import { runnerGroupsCheck } from './runner-groups-check.ts';
import { type Heard, heardOf } from './schedule-check.ts';
import { tokenCheck } from './token-check.ts';
import { unseen } from './unseen.ts';
import { commandWorkflow, statusPage } from './workflow-checks.ts';
import type { Workflows } from './workflow-text.ts';

export interface GitHubRequest {
  /** Those of modelgate.yaml, in their order. */
  environments: readonly string[];
  /** Those of the repository, as `repositoryWorkflows` reads them. */
  workflows: Workflows;
  models: Judging['models'];
  /** Workflows that must be heard of, by the policy. */
  schedules: readonly Heard[];
  /** Those of the repository that a schedule starts and the policy does not name. */
  others: readonly Heard[];
  label: string;
  now: Date;
}

const catalogue = {
  token: { level: 0, needed: false },
  actions: { level: 1, needed: true },
  workflow_permissions: { level: 2, needed: false },
  required_check: { level: 2, needed: true },
  environments: { level: 2, needed: true },
  production_guard: { level: 2, needed: false },
  variables: { level: 1, needed: true },
  commands: { level: 2, needed: false },
  app: { level: 2, needed: false },
  schedule: { level: 1, needed: false },
  other_schedules: { level: 2, needed: false },
  status_page: { level: 2, needed: false },
  runner: { level: 1, needed: false },
  runner_groups: { level: 2, needed: false },
  label: { level: 2, needed: false },
} as const satisfies Record<string, { level: Level; needed: boolean }>;
type Variables = ReadonlyMap<string, string> | Unseen;
type Name = keyof typeof catalogue;
const of = (check: Name) => ({ check, ...catalogue[check] });

/** All of them, where nobody could look. */
export function githubUnseen(why: string, fix: string): SetupCheck[] {
  return (Object.keys(catalogue) as Name[]).map((name) => notLooked(of(name), why, fix));
}

/** How the repository is set up on GitHub. */
export async function githubChecks(setup: RepositorySetup, request: GitHubRequest): Promise<SetupCheck[]> {
  const { workflows, now } = request;
  const { branch, open } = await setup.about();
  const environments = await setup.environments();
  const variables = await setup.variables();
  const required = await setup.requiredChecks(branch);
  const runners = { own: await setup.runners(), groups: await setup.runnerGroups() };
  const production = request.environments.at(-1) ?? 'production';
  const chatops = workflows.has(commandWorkflow);
  const place = { ...setup.repository, branch };
  // beside chatops.yml the variable names Actions
  const app = !(variables instanceof Unseen) && variables.has('MODELGATE_BOT') && !chatops;
  const checks = [
    actionsCheck(of('actions'), await setup.actions(), { workflows, owner: place.owner }),
    workflowPermissionsCheck(of('workflow_permissions'), await setup.workflowPermissions()),
    required instanceof Unseen
      ? unseen(of('required_check'), 'the rules of branches', required, 'contents')
      : requiredCheck(of('required_check'), required, { branch, models: request.models, app }),
    environments instanceof Unseen
      ? unseen(of('environments'), 'environments', environments, 'actions')
      : environmentCheck(of('environments'), { found: environments, wanted: withRole(request) }),
    productionCheck(environments, production),
    variableCheck(variables),
    commandCheck(variables, chatops),
    await appCheck(of('app'), setup, { variables, environments, production, branch, open, chatops }),
    await scheduleCheck(setup, request),
    await otherSchedulesCheck(setup, request),
    statusPageCheck(environments, workflows.has(statusPage)),
    await runnerCheck(of('runner'), setup, { runners, workflows, place, now }),
    runnerGroupsCheck(of('runner_groups'), runners, open),
    labelCheck(await setup.hasLabel(request.label), request.label),
  ];
  return [tokenCheck(of('token'), await setup.token(), checks), ...checks];
}

/** Environments that hold a role by the templates, and all others that are named. */
const withRole = ({ environments, workflows }: GitHubRequest): string[] => [
  ...new Set([...environments, 'candidates', 'monitor', ...environmentsOf(workflows)]),
];

function productionCheck(found: EnvironmentSetup[] | Unseen, name: string): SetupCheck {
  if (found instanceof Unseen) return unseen(of('production_guard'), 'environments', found, 'actions');
  const production = found.find((one) => one.name === name);
  const guards = [...(production?.reviewers === true ? ['reviewers'] : []), ...(production?.apps ?? [])];
  return guards.length === 0
    ? missing(
        of('production_guard'),
        `Nothing asks before a deployment to ${name}.`,
        'Give it required reviewers, or the protection rule of the app (docs/bot.md).',
      )
    : ok(of('production_guard'), `Deployments to ${name} ask ${guards.join(' and ')}.`);
}

function variableCheck(variables: Variables): SetupCheck {
  if (variables instanceof Unseen) return unseen(of('variables'), 'variables', variables, 'variables');
  const lacking = ['MODELGATE_STORE', 'MODELGATE_REGION'].filter((name) => !variables.has(name));
  return lacking.length > 0
    ? missing(
        of('variables'),
        `Not set: ${lacking.join(', ')}.`,
        'Set them under Settings, Variables, Actions (docs/workflows.md). Before MODELGATE_STORE is set, what a schedule or a push starts is skipped.',
      )
    : ok(of('variables'), 'The workflows know store and region.');
}

function commandCheck(variables: Variables, chatops: boolean): SetupCheck {
  if (!(variables instanceof Unseen) && variables.has('MODELGATE_BOT'))
    return ok(of('commands'), 'Commands come from the app of MODELGATE_BOT.');
  if (chatops) return ok(of('commands'), 'Commands in comments are heard by chatops.yml.');
  if (variables instanceof Unseen) return unseen(of('commands'), 'variables', variables, 'variables');
  return missing(
    of('commands'),
    'No app is named, and chatops.yml is not there: comments command nothing.',
    'Install the app and set the variable MODELGATE_BOT (docs/bot.md), or take chatops.yml.',
  );
}

async function scheduleCheck(
  setup: RepositorySetup,
  { schedules, now }: Pick<GitHubRequest, 'schedules' | 'now'>,
): Promise<SetupCheck> {
  return schedules.length === 0
    ? warn(of('schedule'), 'No schedule has to be heard of.', 'Name them under chatops.heartbeats.')
    : heardOf(of('schedule'), setup, { schedules, now });
}

async function otherSchedulesCheck(
  setup: RepositorySetup,
  { others, now }: Pick<GitHubRequest, 'others' | 'now'>,
): Promise<SetupCheck> {
  return others.length === 0
    ? ok(of('other_schedules'), 'No other workflow here is started by a schedule.')
    : heardOf(of('other_schedules'), setup, { schedules: others, now });
}

function statusPageCheck(environments: EnvironmentSetup[] | Unseen, wanted: boolean): SetupCheck {
  if (!wanted) return ok(of('status_page'), 'No status page is published: status-page.yml is not here.');
  if (environments instanceof Unseen)
    return unseen(of('status_page'), 'environments', environments, 'actions');
  const pages = environments.find(({ name }) => name === 'github-pages');
  if (pages === undefined) {
    return missing(
      of('status_page'),
      'status-page.yml is here, and GitHub Pages has no environment yet.',
      'Set the source of Pages to GitHub Actions under Settings, Pages (docs/site.md).',
    );
  }
  return pages.branches
    ? ok(of('status_page'), 'The default branch alone publishes the status page.')
    : warn(
        of('status_page'),
        'Any branch may publish the status page.',
        'Restrict the environment github-pages to the default branch.',
      );
}

function labelCheck(there: boolean | Unseen, label: string): SetupCheck {
  if (there instanceof Unseen) return unseen(of('label'), 'labels', there, 'issues');
  return there
    ? ok(of('label'), `The label ${label} is there.`)
    : warn(of('label'), `The label ${label} is not there yet.`, 'The first drift issue makes it.');
}
