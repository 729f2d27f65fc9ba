import type { Permission, Role } from '../github/port.ts';
import { samePerson } from '../registry/approvals.ts';
import type { Command } from './command.ts';
import type { ChatopsContext, IncomingComment, ReasonCode } from './context.ts';
import { type Rule, rulesFor, type Subject } from './rules.ts';

/** Who asks, as GitHub says it at this moment. */
export interface Person {
  login: string;
  /** `User`, `Bot` …: only users command. */
  type: string;
  /** Whether another app wrote the comment in the person's name. */
  viaApp: boolean;
  permission: Permission;
  /** Of `organisation/team`; asked only where a rule names teams. */
  inTeam(team: string): Promise<boolean>;
}

export type Permit =
  | { allowed: true; person: Person }
  | { allowed: false; reason: ReasonCode; message: string; fix: string };

export interface PermissionRequest {
  command: Command;
  comment: Pick<IncomingComment, 'id' | 'author' | 'authorType' | 'viaApp'>;
  /** What the thread itself is about, e.g. a drift issue: model and environment are meant where none is named. */
  subject: Subject;
  /** Author of the pull request that the comment stands on. */
  pullAuthor: string | null;
  /** Who asked for what is to be approved or stopped, or holds the lock. Null: nobody, or decided later. */
  owner: string | null;
}

const roles: readonly Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];

export function atLeast(role: Role, floor: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(floor);
}

/** Asks GitHub for the person's rights now: nothing that was known earlier counts. */
export async function personOf(
  { github }: Pick<ChatopsContext, 'github'>,
  { author, authorType, viaApp }: Omit<PermissionRequest['comment'], 'id'>,
): Promise<Person> {
  const human = authorType === 'User';
  const known = new Map<string, Promise<boolean>>();
  return {
    login: author,
    type: authorType,
    viaApp,
    permission: human ? await github.permission(author) : { role: 'none', roleName: 'none' },
    inTeam: (team) => {
      const asked = known.get(team) ?? github.isTeamMember({ team, login: author });
      known.set(team, asked);
      return asked;
    },
  };
}

/**
 * Whether the comment's author may give this command, by the policy of the default branch. A refusal is logged with
 * its reason. Where the environment is not named and the thread does not say it, the person must have the right in
 * every environment that can be meant, which the last one never is.
 */
export async function authorise(context: ChatopsContext, request: PermissionRequest): Promise<Permit> {
  const person = await personOf(context, request.comment);
  const permit = await decide(rulesFor(context, request), person, request);
  if (!permit.allowed) {
    const { id, author } = request.comment;
    const { reason } = permit;
    const { roleName } = person.permission;
    const refusal = { comment: id, author, role: roleName, command: request.command.name, reason };
    context.logger.warn(`command refused ${JSON.stringify({ ...refusal, policy: context.base.sha })}`);
  }
  return permit;
}

/** The same decision for a person who is known already. All rules must hold. */
export async function decide(
  rules: readonly Rule[],
  person: Person,
  request: Pick<PermissionRequest, 'command' | 'pullAuthor' | 'owner'>,
): Promise<Permit> {
  if (person.type !== 'User')
    return no(`${person.login} is no person.`, 'A person with the right gives the command.');
  for (const rule of rules) {
    const refusal = (await againstRule(rule, person)) ?? againstPersons(rule, person, request);
    if (refusal !== null) return refusal;
  }
  return { allowed: true, person };
}

type Refused = Extract<Permit, { allowed: false }>;

async function againstRule(rule: Rule, person: Person): Promise<Refused | null> {
  const { who, last } = rule;
  const { role, roleName } = person.permission;
  const what = doing(rule);
  if (!atLeast(role, who.role)) {
    const has = role === 'none' ? 'has no role here' : `has ${roleName}`;
    return no(
      `It takes the role ${who.role} to ${what}; ${person.login} ${has}.`,
      `Ask somebody with the role ${who.role} or more.`,
    );
  }
  if (last && person.viaApp) {
    return no(
      `A command to ${what} is not taken from another app.`,
      'Write the comment yourself, on GitHub.',
    );
  }
  if (rule.right === 'train' && rule.fork === 'refused') {
    return {
      allowed: false,
      reason: 'fork_refused',
      message: 'Commits of forks are never trained here.',
      fix: 'Push the commit to a branch of this repository, once it has been read.',
    };
  }
  if (await isNamed(who, person)) return null;
  const named = [...(who.people ?? []), ...(who.teams ?? []).map((team) => `team ${team}`)];
  return no(
    `Only these may ${what}: ${named.slice(0, 20).join(', ') || 'nobody'}.`,
    'Ask one of them; chatops in modelgate.yaml of the default branch names them.',
  );
}

/** A rule that names nobody is for everybody with its role. */
async function isNamed({ people, teams }: Rule['who'], { login, inTeam }: Person): Promise<boolean> {
  if (people === undefined && teams === undefined) return true;
  if (people?.some((one) => samePerson(one, login)) === true) return true;
  for (const team of teams ?? []) if (await inTeam(team)) return true;
  return false;
}

/** What one person may do only with another, or only as the one whose thing it is. */
function againstPersons(
  rule: Rule,
  { login, permission }: Person,
  { command, pullAuthor, owner }: Pick<PermissionRequest, 'command' | 'pullAuthor' | 'owner'>,
): Refused | null {
  const mine = owner !== null && samePerson(owner, login);
  if (rule.only !== null && !rule.only.some((one) => samePerson(one, login))) {
    const named = rule.only.slice(0, 20).join(', ') || 'nobody';
    return no(
      `${login} may not ${rule.right === 'approve' ? 'approve for' : 'override the gate in'} ${rule.environment}.`,
      `These may: ${named}. They stand in the environment of modelgate.yaml.`,
    );
  }
  switch (command.name) {
    case 'approve':
      if (mine) return alone(`${login} asked for it, and cannot approve it too.`);
      return null;
    case 'promote': {
      const author = pullAuthor !== null && samePerson(pullAuthor, login);
      if (rule.separateAuthor && author)
        return alone(`${login} wrote the pull request, and cannot promote it to ${rule.environment} too.`);
      return null;
    }
    case 'cancel':
      if (mine || atLeast(permission.role, 'maintain')) return null;
      return no(
        'It takes the role maintain to stop what another person started.',
        'Ask the one who started it.',
      );
    case 'unlock':
    case 'release':
      if (owner === null || mine) return null;
      if (atLeast(permission.role, 'maintain') && command.reason !== null) return null;
      return no(
        `The lock belongs to ${owner}.`,
        `Ask ${owner}; with the role maintain and --reason it can be taken away.`,
      );
    default:
      return null;
  }
}

function doing({ right, environment }: Rule): string {
  if (environment === null) return right;
  return right === 'promote' || right === 'approve'
    ? `${right} to ${environment}`
    : `${right} in ${environment}`;
}

function no(message: string, fix: string): Refused {
  return { allowed: false, reason: 'not_permitted', message, fix };
}

function alone(message: string): Refused {
  return { allowed: false, reason: 'self_approval', message, fix: 'Another person with the right does it.' };
}
