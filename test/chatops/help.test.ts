import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { type CommandName, commandNames } from '../../src/chatops/command.ts';
import type { ConfiguredModel } from '../../src/chatops/context.ts';
import { parseComment } from '../../src/chatops/grammar.ts';
import { type HelpRequest, help } from '../../src/chatops/help.ts';
import { decide } from '../../src/chatops/permission.ts';
import { ChatopsPolicy } from '../../src/chatops/policy.ts';
import { rulesFor } from '../../src/chatops/rules.ts';
import type { Role } from '../../src/github/port.ts';

function requestOf(
  role: Role,
  change: Partial<HelpRequest> & { policy?: unknown; models?: string[] } = {},
): HelpRequest {
  const { policy = {}, models = ['flights'], ...more } = change;
  const config = { environments: [{ name: 'staging' }, { name: 'production' }] };
  return {
    context: {
      models: new Map(models.map((name) => [name, { config } as unknown as ConfiguredModel])),
      policy: ChatopsPolicy.parse(policy),
      base: { branch: 'main', sha: 'abcdef'.repeat(7).slice(0, 40) },
    },
    person: {
      ...{ login: 'alice', type: 'User', viaApp: false, permission: { role, roleName: role } },
      inTeam: async (team) => team === 'acme/on-call',
    },
    place: 'pull_request',
    subject: { model: null, environment: null },
    pullAuthor: null,
    ...more,
  };
}

/** Commands that the answer lists, and the lines of its examples. */
function listed(markdown: string): { names: string[]; lines: string[] } {
  const tree = fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const table = tree.children.find((node) => node.type === 'table');
  const names = (table?.children.slice(1) ?? []).map((row) => {
    const code = row.children[0]?.children[0];
    return code?.type === 'inlineCode' ? code.value.slice(1) : '?';
  });
  const fence = tree.children.findLast((node) => node.type === 'code');
  return { names, lines: fence?.value.split('\n') ?? [] };
}

describe('/help', () => {
  it.each<[Role, CommandName[]]>([
    ['none', []],
    ['read', ['status', 'explain', 'help']],
    ['triage', ['status', 'explain', 'drift', 'help']],
    [
      'write',
      [
        'promote',
        'rollback',
        'approve',
        'retrain',
        'status',
        'lock',
        'unlock',
        'hold',
        'release',
        'explain',
        'drift',
        'cancel',
        'help',
      ],
    ],
    ['maintain', commandNames.filter((name) => name !== 'ok-to-train')],
  ])('lists what the role %s may give, each with a line that it may give', async (role, names) => {
    const request = requestOf(role);
    const { names: shown, lines } = listed(await help(request, null));
    expect(shown).toEqual(names);
    expect(lines).toHaveLength(names.length);
    for (const line of lines) {
      const parsed = parseComment(line);
      if (parsed.kind !== 'command') throw new Error(line);
      const { command } = parsed;
      const rules = rulesFor(request.context, { command, subject: request.subject });
      const owner = command.name === 'cancel' ? 'alice' : null;
      expect(await decide(rules, request.person, { command, pullAuthor: null, owner })).toMatchObject({
        allowed: true,
      });
    }
  });

  it('names the environments that are open to this person', async () => {
    const row = (markdown: string) => /^\| `\/promote` \|.*$/m.exec(markdown)?.[0];
    expect(row(await help(requestOf('write'), null))).toMatch(/\| `staging` \|$/);
    expect(row(await help(requestOf('maintain'), null))).toMatch(/\| `staging`, `production` \|$/);
    const policy = { environments: { production: { rollback: { role: 'write', teams: ['acme/on-call'] } } } };
    expect(await help(requestOf('write', { policy }), null)).toMatch(
      /^\| `\/rollback` \|.*\| `staging`, `production` \|$/m,
    );
  });

  it('follows the place and the policy', async () => {
    expect(listed(await help(requestOf('admin', { place: 'issue' }), null)).names).not.toContain('train');
    const policy = { allow_fork_training: true };
    expect(listed(await help(requestOf('maintain', { policy }), null)).names).toContain('ok-to-train');
    expect(listed(await help(requestOf('write', { models: ['flights', 'prices'] }), null)).lines[0]).toBe(
      '/promote flights to staging',
    );
  });

  it('explains each command: how it is written, its options, what this person lacks', async () => {
    for (const name of commandNames) {
      const text = await help(requestOf('read'), name);
      expect(text).toContain(`\`\`\`text\n/${name}`);
      expect(text).toContain('Your role is `read`; the policy is that of `abcdefabcdef`.');
    }
    const refused = await help(requestOf('write'), 'train');
    expect(refused).toContain('It takes the role maintain to train; alice has write.');
    expect(refused).not.toContain('For example');
    const partly = await help(requestOf('write'), 'promote');
    expect(partly).toContain('You may give it for: `staging`.');
    expect(partly).toContain('It takes the role maintain to promote to production; alice has write.');
    expect(partly).toContain('| `--dry-run` | Says what would be done and does nothing. |');
    expect(await help(requestOf('admin', { place: 'issue' }), 'train')).toContain(
      'It is a command for pull requests.',
    );
  });

  it('never begins a line with a command outside of code: other bots read it too', async () => {
    for (const role of ['read', 'admin'] as const)
      for (const about of [null, ...commandNames]) {
        const text = (await help(requestOf(role), about)).replace(/```[\s\S]*?```/g, '');
        expect(text).not.toMatch(/^\s*\//m);
      }
  });
});
