import { type EnvironmentSetup, type RepositorySetup, Unseen } from '../github/repository-setup.ts';
import { visible } from '../visible.ts';
import { missing, notLooked, ok, type SetupCheck, warn } from './check.ts';
import { unseen } from './unseen.ts';

type Of = Pick<SetupCheck, 'check' | 'level' | 'needed'>;

export interface AppRequest {
  variables: ReadonlyMap<string, string> | Unseen;
  environments: readonly EnvironmentSetup[] | Unseen;
  production: string;
  branch: string;
  /** Whether anybody may read the repository: there, protection rules of apps are in every plan of GitHub. */
  open: boolean;
  chatops: boolean;
}

const actions = 'github-actions';

/**
 * Whether the app that MODELGATE_BOT names is installed here. Only the app itself may ask that of GitHub outright, so
 * its traces are looked for: the protection rule that it offers, and the newest commit that GitHub told it of.
 */
export async function appCheck(of: Of, setup: RepositorySetup, request: AppRequest): Promise<SetupCheck> {
  const { variables, environments, production, branch, open, chatops } = request;
  if (variables instanceof Unseen)
    return chatops
      ? ok(of, 'chatops.yml takes the place of the app.')
      : unseen(of, 'the variable that names the app', variables, 'variables');
  const login = variables.get('MODELGATE_BOT') ?? '';
  const slug = /^([A-Za-z0-9-]{1,100})\[bot\]$/.exec(login)?.[1]?.toLowerCase();
  if (login === '' || slug === actions)
    return ok(of, 'MODELGATE_BOT names no app, so none is looked for: `commands` says who hears comments.');
  if (slug === undefined)
    return warn(
      of,
      `MODELGATE_BOT is ${visible(login.slice(0, 100))}, which is no login of an app.`,
      'Set it to the login with which the app comments: its name in small letters, and [bot].',
    );
  const same = (other: string) => other.toLowerCase() === slug;

  const guarded = environments instanceof Unseen ? [] : environments.filter(({ apps }) => apps.some(same));
  if (guarded.length > 0)
    return ok(of, `${slug} is installed: its rule guards ${guarded.map(({ name }) => name).join(', ')}.`);
  // one that is not there offers nothing
  const asked =
    environments instanceof Unseen || environments.some(({ name }) => name === production)
      ? production
      : environments[0]?.name;
  const offered = asked === undefined ? null : await setup.offeredRules(asked);
  if (Array.isArray(offered) && offered.some(same))
    return ok(of, `${slug} is installed: ${production} may take its rule.`);
  const told = await setup.toldApps(branch);
  if (!(told instanceof Unseen) && told.some(same))
    return ok(of, `${slug} was installed when the newest commit of ${branch} came: GitHub told it of that.`);

  const fix = `Install it on this repository (docs/bot.md), or take MODELGATE_BOT away. GitHub shows to its administrators what is installed: Settings, GitHub Apps.`;
  if (offered instanceof Unseen) return unseen(of, `whether ${slug} is installed`, offered, 'administration');
  if (told instanceof Unseen) return unseen(of, `whether ${slug} is installed`, told, 'checks');
  return open && offered !== null
    ? missing(
        of,
        `${slug} is not installed here: no environment may take its rule, and GitHub did not tell it of ${branch}.`,
        fix,
      )
    : notLooked(of, `GitHub shows no trace of ${slug}, which may yet be installed`, fix);
}
