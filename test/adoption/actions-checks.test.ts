import { describe, expect, it } from 'vitest';
import { actionsCheck, workflowPermissionsCheck } from '../../src/adoption/actions-checks.ts';
import { workflowTemplates } from '../../src/adoption/workflow-files.ts';
import { type ActionsSetup, Unseen } from '../../src/github/repository-setup.ts';
import { workflowsOf } from './world.ts';

const sha = 'de0fac2e4500dabe0009e67214ff5f5447ce83dd';
const using = (...uses: string[]) =>
  workflowsOf({
    'train.yml': `on: push\njobs: { train: { steps: [${uses.map((one) => `{ uses: ${one} }`).join(', ')}] } }\n`,
  });
const all: ActionsSetup = { enabled: true, allowed: 'all', selected: null, pinned: false };
const selected = (changes: Partial<NonNullable<ActionsSetup['selected']>>): ActionsSetup => ({
  ...{ ...all, allowed: 'selected' },
  selected: { github: false, verified: false, patterns: [], ...changes },
});
const judge = (found: ActionsSetup | Unseen, ...uses: string[]) =>
  actionsCheck({ check: 'actions', level: 1, needed: true }, found, {
    ...{ workflows: using(...uses), owner: 'Acme' },
  });

describe('the actions that may run', () => {
  it('are all, or GitHub Actions is off', () => {
    expect(judge(all, 'a/b@v1')).toMatchObject({
      verdict: 'ok',
      detail: expect.stringContaining('1 action'),
    });
    expect(judge({ ...all, enabled: false })).toMatchObject({ verdict: 'missing', needed: true });
    expect(judge(new Unseen('administration=read'))).toMatchObject({
      ...{ looked: false, fix: expect.stringContaining('administration=read') },
    });
  });

  it.each<[string, ActionsSetup, string, 'ok' | 'missing' | 'warn']>([
    ['of the owner alone', { ...all, allowed: 'local_only' }, 'acme/tools@v1', 'ok'],
    ['of the owner alone', { ...all, allowed: 'local_only' }, 'actions/checkout@v6', 'missing'],
    ['of GitHub', selected({ github: true }), 'actions/checkout@v6', 'ok'],
    ['of GitHub', selected({ github: true }), 'modelgate/modelgate/actions/gate@v0', 'missing'],
    ['of the owner too', selected({}), 'ACME/tools@v1', 'ok'],
    ['by name', selected({ patterns: ['modelgate/*'] }), 'modelgate/modelgate/actions/gate@v0', 'ok'],
    ['by name', selected({ patterns: ['modelgate/modelgate'] }), 'modelgate/modelgate@v0', 'ok'],
    ['by version', selected({ patterns: ['a/b@v1*'] }), 'a/b@v1.2', 'ok'],
    ['by version', selected({ patterns: ['a/b@v1*'] }), 'a/b@v2', 'missing'],
    ['by name of another', selected({ patterns: ['*/b@*'] }), 'a/c@v1', 'missing'],
    ['but for one', selected({ patterns: ['a/*', '!a/b@*'] }), 'a/b@v1', 'missing'],
    ['of verified authors', selected({ verified: true }), 'aws-actions/x@v1', 'warn'],
    [
      'by a long pattern',
      selected({ patterns: [`${'*a'.repeat(400)}!`] }),
      `a/${'a'.repeat(200)}@v1`,
      'missing',
    ],
  ])('%s: %#', (_, found, uses, verdict) => {
    expect(judge(found, uses).verdict).toBe(verdict);
  });

  it('are named where they may not run', () => {
    expect(judge(selected({ github: true }), `actions/checkout@${sha}`, 'a/b@v1', 'c/d@v1')).toMatchObject({
      ...{ verdict: 'missing', detail: 'These actions may not run here: a/b@v1 and c/d@v1.' },
    });
  });

  it('must be pinned where GitHub wants it, ours too', async () => {
    const pinned = { ...all, pinned: true };
    expect(judge(pinned, `a/b@${sha}`, './local')).toMatchObject({ verdict: 'ok' });
    const workflows = workflowsOf(Object.fromEntries(await workflowTemplates()));
    const of = { check: 'actions', level: 1, needed: true } as const;
    expect(actionsCheck(of, all, { workflows, owner: 'acme' }).verdict).toBe('ok');
    const found = actionsCheck(of, pinned, { workflows, owner: 'acme' });
    expect(found).toMatchObject({ verdict: 'missing', fix: expect.stringContaining('full commit SHA') });
    expect(found.detail).toMatch(/these are not: modelgate\/modelgate\/actions\/.*more\.$/);
    expect(found.detail).not.toMatch(/actions\/checkout|aws-actions/);
  });
});

describe("what a workflow's token may do unless it says", () => {
  it.each([
    [false, false, 'ok', /reads/],
    [true, false, 'warn', /a token that writes/],
    [false, true, 'warn', /approve their own/],
    [true, true, 'warn', /writes.*approve/],
  ])('writes: %s, approves: %s', (writes, approves, verdict, detail) => {
    const of = { check: 'workflow_permissions', level: 2, needed: false } as const;
    expect(workflowPermissionsCheck(of, { writes, approves })).toMatchObject({
      ...{ verdict, detail: expect.stringMatching(detail) },
    });
    expect(workflowPermissionsCheck(of, new Unseen())).toMatchObject({ looked: false });
  });
});
