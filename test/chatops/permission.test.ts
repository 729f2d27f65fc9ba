import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/chatops/command.ts';
import type { ChatopsContext, ConfiguredModel } from '../../src/chatops/context.ts';
import { parseComment } from '../../src/chatops/grammar.ts';
import { authorise, decide, type PermissionRequest } from '../../src/chatops/permission.ts';
import { ChatopsPolicy } from '../../src/chatops/policy.ts';
import type { GitHub, Role } from '../../src/github/port.ts';

const roles: Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];
const atLeast = (floor: Role) => roles.slice(roles.indexOf(floor));

interface World {
  policy?: unknown;
  role?: Role;
  roleName?: string;
  /** Teams of alice. */
  teams?: string[];
  environments?: object[];
  models?: string[];
}

function worldOf({
  policy = {},
  role = 'write',
  roleName,
  teams = [],
  environments,
  models = ['flights'],
}: World) {
  const logged: string[] = [];
  const asked: string[] = [];
  const github = {
    permission: async (login: string) => {
      asked.push(`permission ${login}`);
      return { role, roleName: roleName ?? role };
    },
    isTeamMember: async ({ team }: { team: string }) => {
      asked.push(`team ${team}`);
      return teams.includes(team);
    },
  } as unknown as GitHub;
  const config = {
    environments: environments ?? [{ name: 'dev' }, { name: 'staging' }, { name: 'production' }],
  };
  const context: ChatopsContext = {
    github,
    models: new Map(
      models.map((name) => [name, { file: 'modelgate.yaml', config } as unknown as ConfiguredModel]),
    ),
    policy: ChatopsPolicy.parse(policy),
    base: { branch: 'main', sha: 'a'.repeat(40) },
    now: () => new Date(0),
    logger: { info() {}, debug() {}, warn: (message) => logged.push(message) },
  };
  return { context, logged, asked };
}

const sha = 'c'.repeat(40);
const said = (line: string): Command => {
  const parsed = parseComment(line);
  if (parsed.kind !== 'command') throw new Error(line);
  return parsed.command;
};
const requestOf = (line: string, change: Partial<PermissionRequest> = {}): PermissionRequest => ({
  command: said(line),
  comment: { id: 7, author: 'alice', authorType: 'User', viaApp: false },
  subject: { model: null, environment: null },
  pullAuthor: null,
  owner: null,
  ...change,
});
/** The reason, or `allowed`. */
async function answer(world: World, line: string, change: Partial<PermissionRequest> = {}): Promise<string> {
  const permit = await authorise(worldOf(world).context, requestOf(line, change));
  return permit.allowed ? 'allowed' : permit.reason;
}

describe('[GOV-5] commands obey role and environment rules', () => {
  /** The lowest role that may give a command, by environment where it is about one; the last is production. */
  const table: [string, Role | { dev: Role; staging: Role; production: Role }][] = [
    ['/promote to ENV', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/approve flights@3 to ENV', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/rollback in ENV', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/lock ENV --reason=x', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/hold ENV --reason=x', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/unlock ENV', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/release ENV', { dev: 'write', staging: 'write', production: 'maintain' }],
    ['/status in ENV', { dev: 'read', staging: 'read', production: 'read' }],
    ['/promote', 'write'],
    ['/rollback', 'write'],
    ['/train', 'maintain'],
    ['/retrain', 'write'],
    ['/status', 'read'],
    ['/explain', 'read'],
    ['/drift run', 'triage'],
    ['/drift ack', 'triage'],
    ['/drift snooze 3', 'triage'],
    ['/help', 'read'],
    ['/cancel', 'maintain'],
  ];
  const cases = table.flatMap(([line, floor]) =>
    typeof floor === 'string'
      ? [[line, floor] as const]
      : Object.entries(floor).map(([environment, one]) => [line.replace('ENV', environment), one] as const),
  );

  it.each(cases)('%s from %s on', async (line, floor) => {
    for (const role of roles) {
      const expected = atLeast(floor).includes(role) ? 'allowed' : 'not_permitted';
      expect({ role, is: await answer({ role }, line) }).toEqual({ role, is: expected });
      // whatever the role: bots never
      const bot = { comment: { id: 7, author: 'alice', authorType: 'Bot', viaApp: false } };
      expect(await answer({ role }, line, bot)).toBe('not_permitted');
    }
  });

  it('ok-to-train is for those who train, where the policy takes forks at all', async () => {
    for (const role of roles)
      for (const allow_fork_training of [false, true]) {
        const may = atLeast('maintain').includes(role);
        expect(await answer({ role, policy: { allow_fork_training } }, `/ok-to-train ${sha}`)).toBe(
          !may ? 'not_permitted' : allow_fork_training ? 'allowed' : 'fork_refused',
        );
      }
  });

  it('the last environment does not take a comment that another app wrote', async () => {
    const viaApp = { comment: { id: 7, author: 'alice', authorType: 'User', viaApp: true } };
    for (const verb of ['promote to', 'approve to', 'rollback in', 'unlock']) {
      expect(await answer({ role: 'admin' }, `/${verb} production`, viaApp)).toBe('not_permitted');
      expect(await answer({ role: 'admin' }, `/${verb} staging`, viaApp)).toBe('allowed');
    }
    expect(await answer({ role: 'admin' }, '/promote', viaApp)).toBe('allowed');
    expect(await answer({ role: 'admin', environments: [{ name: 'live' }] }, '/promote', viaApp)).toBe(
      'not_permitted',
    );
    expect(await answer({ role: 'admin' }, '/status in production', viaApp)).toBe('allowed');
  });

  it('a rule names people and teams, who need its role too', async () => {
    const rule = { role: 'write', people: ['Alice', 'bob'], teams: ['acme/owners', 'acme/on-call'] };
    const policy = { environments: { production: { promote: rule } } };
    const line = '/promote to production';
    const by = (author: string) => ({ comment: { id: 7, author, authorType: 'User', viaApp: false } });
    expect(await answer({ policy }, line, by('ALICE'))).toBe('allowed');
    expect(await answer({ policy }, line, by('carol'))).toBe('not_permitted');
    expect(await answer({ policy, teams: ['acme/on-call'] }, line, by('carol'))).toBe('allowed');
    expect(await answer({ policy, teams: ['acme/other'] }, line, by('carol'))).toBe('not_permitted');
    expect(await answer({ policy, role: 'triage', teams: ['acme/on-call'] }, line, by('alice'))).toBe(
      'not_permitted',
    );
    const nobody = { environments: { production: { promote: { role: 'read', people: [] } } } };
    expect(await answer({ policy: nobody, role: 'admin' }, line)).toBe('not_permitted');
  });

  it('a rollback, and an approval, are for those who may promote, unless a rule of their own says else', async () => {
    const promote = { role: 'admin' };
    const policy = { environments: { production: { promote } } };
    for (const line of ['/promote to production', '/rollback in production', '/approve to production']) {
      expect(await answer({ policy, role: 'maintain' }, line)).toBe('not_permitted');
      expect(await answer({ policy, role: 'admin' }, line)).toBe('allowed');
    }
    const own = { environments: { production: { promote, rollback: { role: 'write' } } } };
    expect(await answer({ policy: own }, '/rollback in production')).toBe('allowed');
    expect(await answer({ policy: own, role: 'maintain' }, '/lock production --reason=x')).toBe('allowed');
  });

  it('without a name the right is needed wherever it may go, which the last environment is not', async () => {
    const strict = { environments: { staging: { promote: { role: 'admin' } } } };
    expect(await answer({ policy: strict }, '/promote')).toBe('not_permitted');
    expect(await answer({ policy: strict, role: 'admin' }, '/promote')).toBe('allowed');
    expect(await answer({ environments: [{ name: 'live' }] }, '/promote')).toBe('not_permitted');
    const issue = { subject: { model: 'flights', environment: 'production' } };
    // the handler refuses it there: the last one is always named
    expect(await answer({}, '/rollback', issue)).toBe('allowed');
    expect(await answer({ role: 'maintain' }, '/rollback', issue)).toBe('allowed');
    expect(await answer({}, '/rollback in staging', issue)).toBe('allowed');
  });

  it('what does not exist is told to those who may write', async () => {
    for (const line of ['/promote to nowhere', '/promote other to production', '/promote to constructor']) {
      expect(await answer({ role: 'triage' }, line)).toBe('not_permitted');
      expect(await answer({ role: 'write' }, line)).toBe('allowed');
    }
  });

  it('the one who asked cannot approve; approvers are those of the environment', async () => {
    const line = '/approve flights@3 to production';
    expect(await answer({ role: 'admin' }, line, { owner: 'Alice' })).toBe('self_approval');
    expect(await answer({ role: 'admin' }, line, { owner: 'bob' })).toBe('allowed');
    const environments = [{ name: 'staging' }, { name: 'production', approvers: ['carol', 'ALICE'] }];
    expect(await answer({ role: 'maintain', environments }, line, { owner: 'bob' })).toBe('allowed');
    const dan = { owner: 'bob', comment: { id: 7, author: 'dan', authorType: 'User', viaApp: false } };
    expect(await answer({ role: 'admin', environments }, line, dan)).toBe('not_permitted');
    expect(await answer({ role: 'read', environments }, line, { owner: 'bob' })).toBe('not_permitted');
  });

  it('the author does not promote where the two are separate', async () => {
    const policy = { environments: { production: { separate_author: true } } };
    const line = '/promote to production';
    expect(await answer({ policy, role: 'admin' }, line, { pullAuthor: 'ALICE' })).toBe('self_approval');
    expect(await answer({ policy, role: 'admin' }, line, { pullAuthor: 'bob' })).toBe('allowed');
    expect(await answer({ role: 'admin' }, line, { pullAuthor: 'alice' })).toBe('allowed');
    // taking back is never held up by who wrote it
    expect(await answer({ policy, role: 'admin' }, '/rollback in production', { pullAuthor: 'alice' })).toBe(
      'allowed',
    );
  });

  it('an override is for the people of the environment alone', async () => {
    const line = '/promote to production --override --reason=x';
    expect(await answer({ role: 'admin' }, line)).toBe('not_permitted');
    const environments = [{ name: 'staging' }, { name: 'production', override: ['alice'] }];
    expect(await answer({ role: 'admin', environments }, line)).toBe('allowed');
    expect(await answer({ role: 'write', environments }, line)).toBe('not_permitted');
  });

  it('what is mine I may stop and unlock; what is another person’s with maintain, and a reason', async () => {
    expect(await answer({ role: 'write' }, '/cancel', { owner: 'alice' })).toBe('allowed');
    expect(await answer({ role: 'triage' }, '/cancel', { owner: 'alice' })).toBe('not_permitted');
    expect(await answer({ role: 'write' }, '/cancel', { owner: 'bob' })).toBe('not_permitted');
    expect(await answer({ role: 'maintain' }, '/cancel', { owner: 'bob' })).toBe('allowed');
    expect(await answer({ role: 'write' }, '/unlock staging', { owner: 'alice' })).toBe('allowed');
    expect(await answer({ role: 'write' }, '/unlock staging --reason=x', { owner: 'bob' })).toBe(
      'not_permitted',
    );
    expect(await answer({ role: 'maintain' }, '/unlock staging', { owner: 'bob' })).toBe('not_permitted');
    expect(await answer({ role: 'maintain' }, '/unlock staging --reason=x', { owner: 'bob' })).toBe(
      'allowed',
    );
  });

  it('a role is asked for each time, and teams only where it matters', async () => {
    const world = worldOf({
      policy: { environments: { production: { promote: { teams: ['acme/a', 'acme/b'] } } } },
    });
    await authorise(world.context, requestOf('/promote to production'));
    await authorise(world.context, requestOf('/promote to staging'));
    expect(world.asked).toEqual(['permission alice', 'team acme/a', 'team acme/b', 'permission alice']);
    const bots = worldOf({});
    await authorise(
      bots.context,
      requestOf('/train', { comment: { id: 7, author: 'x[bot]', authorType: 'Bot', viaApp: false } }),
    );
    expect(bots.asked).toEqual([]);
  });

  it('a bot is no person, whatever role it has', async () => {
    const permission = { role: 'admin', roleName: 'admin' } as const;
    const person = { login: 'x[bot]', type: 'Bot', viaApp: false, permission, inTeam: async () => true };
    expect(await decide([], person, requestOf('/help'))).toMatchObject({
      allowed: false,
      reason: 'not_permitted',
    });
  });

  it('when GitHub cannot say, nobody is let through', async () => {
    const { context } = worldOf({});
    context.github.permission = async () => {
      throw new Error('502');
    };
    await expect(authorise(context, requestOf('/status'))).rejects.toThrow('502');
  });

  it('a refusal says what is missing and is logged with its reason, without words of the comment', async () => {
    const { context, logged } = worldOf({ roleName: 'deployer\n::error::' });
    const permit = await authorise(context, requestOf('/promote to production --reason="top secret"'));
    expect(permit).toEqual({
      allowed: false,
      reason: 'not_permitted',
      message: 'It takes the role maintain to promote to production; alice has deployer\n::error::.',
      fix: 'Ask somebody with the role maintain or more.',
    });
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toMatch(/secret|\n/);
    expect(JSON.parse(logged[0]!.slice('command refused '.length))).toEqual({
      ...{
        comment: 7,
        author: 'alice',
        role: 'deployer\n::error::',
        command: 'promote',
        reason: 'not_permitted',
      },
      policy: 'a'.repeat(40),
    });
  });
});
