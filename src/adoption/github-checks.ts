import type { EnvironmentSetup, RepositorySetup } from '../github/repository-setup.ts';
import { type Level, missing, notLooked, ok, type SetupCheck, warn } from './check.ts';
import { environmentCheck } from './environment-check.ts';
import { type Judging, requiredCheck } from './required-check.ts';
import { type Heard, heardOf } from './schedule-check.ts';

export interface GitHubRequest {
  /** Those of modelgate.yaml, in their order. */
  environments: readonly string[];
  /** Those that the workflows of the repository enter. */
  entered: readonly string[];
  models: Judging['models'];
  /** Workflows that must be heard of, by the policy. */
  schedules: readonly Heard[];
  /** Those of the repository that a schedule starts and the policy does not name. */
  others: readonly Heard[];
  /** Whether status-page.yml is in the repository. */
  statusPage: boolean;
  label: string;
  /** Whether chatops.yml is in the repository. */
  chatops: boolean;
  now: Date;
}

const catalogue = {
  required_check: { level: 2, needed: true },
  environments: { level: 2, needed: true },
  production_guard: { level: 2, needed: false },
  variables: { level: 1, needed: true },
  commands: { level: 2, needed: false },
  schedule: { level: 1, needed: false },
  other_schedules: { level: 2, needed: false },
  status_page: { level: 2, needed: false },
  runner: { level: 1, needed: false },
  label: { level: 2, needed: false },
} as const satisfies Record<string, { level: Level; needed: boolean }>;
type Name = keyof typeof catalogue;
const of = (check: Name) => ({ check, ...catalogue[check] });

const rights = 'Give a token that may read administration, environments and variables of the repository.';

/** All of them, where nobody could look. */
export function githubUnseen(why: string, fix: string): SetupCheck[] {
  return (Object.keys(catalogue) as Name[]).map((name) => notLooked(of(name), why, fix));
}

/** How the repository is set up on GitHub. */
export async function githubChecks(setup: RepositorySetup, request: GitHubRequest): Promise<SetupCheck[]> {
  const branch = await setup.defaultBranch();
  const environments = await setup.environments();
  const variables = await setup.variables();
  const required = await setup.requiredChecks(branch);
  // beside chatops.yml the variable names Actions
  const app = variables?.includes('MODELGATE_BOT') === true && !request.chatops;
  return [
    required === null
      ? notLooked(of('required_check'), 'the token may not see the rules of branches', rights)
      : requiredCheck(of('required_check'), required, { branch, models: request.models, app }),
    environments === null
      ? notLooked(of('environments'), 'the token may not see environments', rights)
      : environmentCheck(of('environments'), { found: environments, wanted: withRole(request) }),
    productionCheck(environments, request.environments.at(-1) ?? 'production'),
    variableCheck(variables),
    commandCheck(variables, request.chatops),
    await scheduleCheck(setup, request),
    await otherSchedulesCheck(setup, request),
    statusPageCheck(environments, request.statusPage),
    runnerCheck(await setup.runners()),
    (await setup.hasLabel(request.label))
      ? ok(of('label'), `The label ${request.label} is there.`)
      : warn(of('label'), `The label ${request.label} is not there yet.`, 'The first drift issue makes it.'),
  ];
}

/** Environments that hold a role by the templates, and all others that are named. */
const withRole = ({ environments, entered }: GitHubRequest): string[] => [
  ...new Set([...environments, 'candidates', 'monitor', ...entered]),
];

function productionCheck(found: EnvironmentSetup[] | null, name: string): SetupCheck {
  if (found === null) return notLooked(of('production_guard'), 'the token may not see environments', rights);
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

function variableCheck(variables: string[] | null): SetupCheck {
  if (variables === null) return notLooked(of('variables'), 'the token may not see variables', rights);
  const lacking = ['MODELGATE_STORE', 'MODELGATE_REGION'].filter((name) => !variables.includes(name));
  return lacking.length > 0
    ? missing(
        of('variables'),
        `Not set: ${lacking.join(', ')}.`,
        'Set them under Settings, Variables, Actions (docs/workflows.md). Before MODELGATE_STORE is set, what a schedule or a push starts is skipped.',
      )
    : ok(of('variables'), 'The workflows know store and region.');
}

function commandCheck(variables: string[] | null, chatops: boolean): SetupCheck {
  if (variables?.includes('MODELGATE_BOT') === true)
    return ok(of('commands'), 'Commands come from the app of MODELGATE_BOT.');
  if (chatops) return ok(of('commands'), 'Commands in comments are heard by chatops.yml.');
  if (variables === null) return notLooked(of('commands'), 'the token may not see variables', rights);
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

function statusPageCheck(environments: EnvironmentSetup[] | null, wanted: boolean): SetupCheck {
  if (!wanted) return ok(of('status_page'), 'No status page is published: status-page.yml is not here.');
  if (environments === null)
    return notLooked(of('status_page'), 'the token may not see environments', rights);
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

function runnerCheck(runners: string[][] | null): SetupCheck {
  if (runners === null) return notLooked(of('runner'), 'the token may not see runners', rights);
  return runners.some((labels) => labels.includes('self-hosted') && labels.includes('gpu'))
    ? ok(
        of('runner'),
        "A runner with the labels self-hosted and gpu is online. It is the repository's own, so no runner group keeps a workflow of another branch away from it.",
      )
    : warn(
        of('runner'),
        'No runner of this repository with the labels self-hosted and gpu is online; those of the organisation are not seen here.',
        'Look at the runner groups of the organisation, or change `runs-on` in train.yml and release.yml.',
      );
}
