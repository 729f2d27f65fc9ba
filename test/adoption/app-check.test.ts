import { describe, expect, it } from 'vitest';
import { type AppRequest, appCheck } from '../../src/adoption/app-check.ts';
import { ok } from '../../src/adoption/check.ts';
import { tokenCheck } from '../../src/adoption/token-check.ts';
import { type RepositorySetup, Unseen } from '../../src/github/repository-setup.ts';
import { kindOf } from '../../src/stages/commands/github-setup.ts';
import { guarded, setup, variables } from './world.ts';

const request: AppRequest = {
  ...{ variables: variables(), environments: [guarded('production')], production: 'production' },
  ...{ branch: 'main', open: true, chatops: false },
};
const untold: Partial<RepositorySetup> = { offeredRules: async () => [], toldApps: async () => [] };
const judge = (changes: Partial<RepositorySetup>, more: Partial<AppRequest> = {}) =>
  appCheck({ check: 'app', level: 2, needed: false }, setup(changes), { ...request, ...more });

describe('whether the app is installed', () => {
  it.each<[string, Partial<RepositorySetup>, Partial<AppRequest>, RegExp]>([
    [
      'guards an environment',
      untold,
      { environments: [{ ...guarded('x'), apps: ['ACME-modelgate'] }] },
      /guards x/,
    ],
    ['offers its rule', { ...untold, offeredRules: async () => ['acme-modelgate'] }, {}, /may take its rule/],
    [
      'was told of a commit',
      { ...untold, toldApps: async () => ['acme-modelgate'] },
      {},
      /newest commit of main/,
    ],
    ['was told, the offers being hidden', { offeredRules: async () => new Unseen() }, {}, /newest commit/],
  ])('is seen where it %s', async (_, changes, more, detail) => {
    expect(await judge(changes, more)).toMatchObject({
      verdict: 'ok',
      detail: expect.stringMatching(detail),
    });
  });

  it('is denied only where GitHub would show it', async () => {
    expect(await judge(untold)).toMatchObject({
      ...{ verdict: 'missing', detail: expect.stringContaining('acme-modelgate is not installed') },
      fix: expect.stringContaining('docs/bot.md'),
    });
    // a private repository may have a plan without such rules, and an app may refuse to be told
    expect(await judge(untold, { open: false })).toMatchObject({ looked: false });
    expect(await judge(untold, { environments: [] })).toMatchObject({ looked: false });
    const hidden = async () => new Unseen();
    for (const changes of [{ offeredRules: hidden }, { toldApps: hidden }])
      expect(await judge({ ...untold, ...changes })).toMatchObject({ looked: false });
  });

  it('asks an environment that is there', async () => {
    const asked: string[] = [];
    const offeredRules = async (name: string) => {
      asked.push(name);
      return [];
    };
    await judge({ ...untold, offeredRules }, { environments: [guarded('staging')] });
    await judge({ ...untold, offeredRules }, { environments: new Unseen() });
    expect(asked).toEqual(['staging', 'production']);
  });

  it.each<[string | null, boolean, 'ok' | 'warn']>([
    [null, false, 'ok'],
    ['github-actions[bot]', true, 'ok'],
    ['acme-modelgate', false, 'warn'],
    ['a\u202eb[bot]', false, 'warn'],
  ])('is judged by the login %s', async (login, chatops, verdict) => {
    const found = await judge(untold, { variables: variables({ MODELGATE_BOT: login }), chatops });
    expect(found.verdict).toBe(verdict);
    expect(found.detail).not.toContain('\u202e');
  });

  it('is not known where nothing names it', async () => {
    expect(await judge({}, { variables: new Unseen() })).toMatchObject({ looked: false });
    expect(await judge({}, { variables: new Unseen(), chatops: true })).toMatchObject({ verdict: 'ok' });
  });
});

describe('the token', () => {
  it.each([
    ['ghp_x', 'classic'],
    ['gho_x', 'oauth'],
    ['github_pat_x', 'fine_grained'],
    ['ghu_x', 'app_user'],
    ['ghs_x', 'job'],
    ['0123456789abcdef', 'unknown'],
  ])('%s is told by its beginning', (token, kind) => {
    expect(kindOf(token)).toBe(kind);
  });

  it('is told with its scopes', () => {
    const of = { check: 'token', level: 0, needed: false } as const;
    const told = (scopes: string[] | null) =>
      tokenCheck(of, { kind: 'classic', scopes }, [ok(of, '')]).detail;
    expect(told(['repo', 'read:org'])).toBe(
      'GitHub was asked with a classic token with the scopes repo and read:org.',
    );
    expect([told([]), told(null)]).toEqual([
      'GitHub was asked with a classic token with no scope.',
      'GitHub was asked with a classic token.',
    ]);
  });
});
