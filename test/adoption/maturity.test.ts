import { describe, expect, it } from 'vitest';
import {
  type Level,
  maturity,
  missing,
  notLooked,
  ok,
  type SetupCheck,
  warn,
} from '../../src/adoption/check.ts';
import { githubChecks, githubUnseen } from '../../src/adoption/github-checks.ts';
import type { Workflows } from '../../src/adoption/workflow-text.ts';
import { type RepositorySetup, Unseen } from '../../src/github/repository-setup.ts';
import { guarded, setup, variables, workflowsOf } from './world.ts';

const at = (level: Level) => ({ check: `check-${level}`, level });
const all = (...changes: SetupCheck[]) => maturity([ok(at(0), ''), ok(at(1), ''), ok(at(2), ''), ...changes]);

describe('[MET-4] the maturity level', () => {
  it('is the highest whose checks and those below are met', () => {
    expect(all()).toEqual({ level: 2, possible: 2 });
    expect(all(missing(at(2), '', ''))).toEqual({ level: 1, possible: 1 });
    expect(all(missing(at(1), '', ''))).toEqual({ level: 0, possible: 0 });
    expect(all(missing(at(0), '', ''))).toEqual({ level: 0, possible: 0 });
    expect(all(missing(at(0), '', ''), missing(at(2), '', ''))).toEqual({ level: 0, possible: 0 });
  });

  it('does not fall with a warning', () => {
    expect(all(warn(at(1), '', ''))).toEqual({ level: 2, possible: 2 });
  });

  it('never counts what nobody looked at', () => {
    expect(all(notLooked(at(1), '', ''))).toEqual({ level: 0, possible: 2 });
    expect(all(notLooked(at(2), '', ''))).toEqual({ level: 1, possible: 2 });
  });
});

const now = new Date('2026-03-02T00:00:00Z');
const training =
  'on: push\njobs: { train: { runs-on: [self-hosted, gpu] }, gate: { runs-on: ubuntu-latest, environment: staging } }\n';
const request = {
  environments: ['staging', 'production'],
  workflows: workflowsOf({ 'train.yml': training }),
  models: [{ model: 'flights', config: 'modelgate.yaml' }],
  schedules: [{ workflow: 'monitor.yml', every: 26 * 3_600_000 }],
  others: [{ workflow: 'poll.yml', every: 24 * 3_600_000 }],
  label: 'modelgate-drift',
  now,
};
/** These beside those that train. */
const having = (texts: Readonly<Record<string, string>>): { workflows: Workflows } => ({
  workflows: new Map([...request.workflows, ...workflowsOf(texts)]),
});
const command = 'on: issue_comment\njobs: { command: { environment: chatops } }\n';
async function verdicts(changes: Partial<RepositorySetup>, more: Partial<typeof request> = {}) {
  const checks = await githubChecks(setup(changes), { ...request, ...more });
  return Object.fromEntries(
    checks.map(({ check, verdict, looked }) => [check, looked ? verdict : 'not looked']),
  );
}

describe('what GitHub says of the repository', () => {
  it('is all well where all is set up', async () => {
    expect(new Set(Object.values(await verdicts({})))).toEqual(new Set(['ok']));
  });

  it.each<[string, string, Partial<RepositorySetup>]>([
    ['required_check', 'missing', { requiredChecks: async () => [{ name: 'tests', app: null }] }],
    ['environments', 'missing', { environments: async () => [guarded('staging'), guarded('production')] }],
    [
      'production_guard',
      'missing',
      {
        environments: async () =>
          ['candidates', 'staging', 'production', 'monitor'].map((name) => ({
            ...guarded(name),
            reviewers: false,
          })),
      },
    ],
    ['variables', 'missing', { variables: async () => variables({ MODELGATE_REGION: null }) }],
    ['commands', 'missing', { variables: async () => variables({ MODELGATE_BOT: null }) }],
    ['runner', 'warn', { runnerGroups: async () => [] }],
    [
      'runner_groups',
      'warn',
      { runners: async () => [{ labels: ['self-hosted', 'linux', 'gpu'], online: true }] },
    ],
    [
      'workflow_permissions',
      'warn',
      { workflowPermissions: async () => ({ writes: true, approves: false }) },
    ],
    [
      'actions',
      'missing',
      { actions: async () => ({ enabled: false, allowed: 'all', selected: null, pinned: false }) },
    ],
    ['label', 'warn', { hasLabel: async () => false }],
  ])('%s is %s', async (check, verdict, changes) => {
    const found = await verdicts(changes);
    expect(found[check]).toBe(verdict);
    const others = Object.entries(found).filter(([name]) => name !== check);
    expect(new Set(others.map(([, value]) => value))).toEqual(new Set(['ok']));
  });

  it.each(['candidates', 'monitor', 'staging', 'production'])(
    '%s must be closed to other branches',
    async (open) => {
      const environments = async () =>
        ['candidates', 'staging', 'production', 'monitor'].map((name) => ({
          ...guarded(name),
          branches: name !== open,
        }));
      const checks = await githubChecks(setup({ environments }), request);
      expect(checks.find(({ check }) => check === 'environments')).toMatchObject({
        ...{ verdict: 'missing', needed: true },
        detail: expect.stringMatching(new RegExp(`^Any branch enters ${open}:`)),
        fix: expect.stringContaining('the default branch alone'),
      });
    },
  );

  it('every environment that a workflow enters is looked at, as GitHub writes its name', async () => {
    const there = (...more: ReturnType<typeof guarded>[]) => ({
      environments: async () => [...['Candidates', 'staging', 'production', 'monitor'].map(guarded), ...more],
    });
    const wanted = having({ 'chatops.yml': command });
    expect(await verdicts(there())).toMatchObject({ environments: 'ok' });
    expect(await verdicts(there(), wanted)).toMatchObject({ environments: 'missing' });
    expect(await verdicts(there(guarded('chatops')), wanted)).toMatchObject({ environments: 'ok' });
    const open = { ...guarded('chatops'), branches: false };
    expect(await verdicts(there(open), wanted)).toMatchObject({ environments: 'missing' });
    // what nothing of ours enters is somebody else's
    expect(await verdicts(there({ ...open, name: 'docs' }))).toMatchObject({ environments: 'ok' });
  });

  it.each<[string, Awaited<ReturnType<RepositorySetup['schedule']>>, RegExp]>([
    ['is not there', null, /knows no workflow/],
    ['is switched off', { active: false, lastRun: '2026-03-01T23:00:00Z', skipped: false }, /switched off/],
    ['never ran', { active: true, lastRun: null, skipped: false }, /never run/],
    ['fell silent', { active: true, lastRun: '2026-02-28T21:00:00Z', skipped: false }, /silent for longer/],
    ['is skipped', { active: true, lastRun: null, skipped: true }, /skipped.*looks at nothing/],
  ])('a schedule that %s is missing, whether the policy names it or not', async (_, state, says) => {
    for (const [check, workflow] of [
      ['schedule', 'monitor.yml'],
      ['other_schedules', 'poll.yml'],
    ] as const) {
      const alive = { active: true, lastRun: '2026-03-01T05:17:00Z', skipped: false };
      const schedule = async (file: string) => (file === workflow ? state : alive);
      expect(new Set(Object.entries(await verdicts({ schedule })).filter(([, one]) => one !== 'ok'))).toEqual(
        new Set([[check, 'missing']]),
      );
      const checks = await githubChecks(setup({ schedule }), request);
      expect(checks.find((one) => one.check === check)?.detail).toMatch(says);
    }
  });

  it('every silent schedule is named', async () => {
    const others = ['poll.yml', 'drill.yml'].map((workflow) => ({ workflow, every: 1 }));
    const checks = await githubChecks(setup(), { ...request, others });
    expect(checks.find(({ check }) => check === 'other_schedules')?.detail).toMatch(/poll\.yml.*drill\.yml/);
  });

  it('a status page needs Pages, and publishes from the default branch alone', async () => {
    const withPages = (pages: object[]) => ({
      environments: async () => [
        ...['candidates', 'staging', 'production', 'monitor'].map(guarded),
        ...(pages as ReturnType<typeof guarded>[]),
      ],
    });
    expect(await verdicts(withPages([]))).toMatchObject({ status_page: 'ok' });
    const there = having({ 'status-page.yml': 'on: push\njobs: {}\n' });
    expect(await verdicts(withPages([]), there)).toMatchObject({ status_page: 'missing' });
    expect(await verdicts(withPages([guarded('github-pages')]), there)).toMatchObject({ status_page: 'ok' });
    const open = { ...guarded('github-pages'), branches: false };
    expect(await verdicts(withPages([open]), there)).toMatchObject({ status_page: 'warn' });
  });

  it('warns where no schedule has to be heard of', async () => {
    expect(await verdicts({}, { schedules: [] })).toMatchObject({ schedule: 'warn' });
  });

  it('hears commands by chatops.yml where no app is named', async () => {
    const hidden = { variables: async () => new Unseen() };
    expect(await verdicts(hidden, having({ 'chatops.yml': command }))).toMatchObject({
      ...{ commands: 'ok', app: 'ok', variables: 'not looked' },
    });
  });

  it('takes the protection rule of an app for a guard', async () => {
    const environments = async () =>
      ['candidates', 'staging', 'production', 'monitor'].map((name) => ({
        ...guarded(name),
        reviewers: false,
        apps: ['modelgate'],
      }));
    expect(await verdicts({ environments })).toMatchObject({ production_guard: 'ok' });
  });

  it('says "not looked at" of what the token may not see, never "missing", and what it takes', async () => {
    const administration = new Unseen('administration=read');
    const blind = setup({
      token: async () => ({ kind: 'job', scopes: null }),
      ...{ requiredChecks: async () => new Unseen(), environments: async () => new Unseen() },
      ...{ variables: async () => new Unseen(), runners: async () => administration },
      ...{ runnerGroups: async () => new Unseen('the scope admin:org'), jobs: async () => new Unseen() },
      ...{ workflowPermissions: async () => administration, actions: async () => administration },
      ...{ offeredRules: async () => new Unseen(), toldApps: async () => new Unseen() },
      ...{ hasLabel: async () => new Unseen(), schedule: async () => new Unseen() },
    });
    const checks = await githubChecks(blind, {
      ...request,
      ...having({ 'status-page.yml': 'on: push\njobs: {}\n' }),
    });
    const [token, ...others] = checks;
    expect(others.filter(({ looked }) => looked)).toEqual([]);
    expect(token).toMatchObject({
      ...{ check: 'token', verdict: 'warn' },
      detail: expect.stringMatching(
        /^GitHub was asked with the token of a job or an app\. Not known with it: actions, .* and label\.$/,
      ),
      fix: expect.stringContaining('gh auth token'),
    });
    const fixes = Object.fromEntries(others.map(({ check, fix }) => [check, fix]));
    expect(fixes).toMatchObject({
      ...{ actions: expect.stringContaining('administration=read') },
      ...{ runner: expect.stringContaining('administration=read') },
      ...{ environments: expect.stringContaining('Actions: read'), label: expect.stringContaining('Issues') },
    });
  });

  it('one list that the token may not see takes no other check along', async () => {
    expect(await verdicts({ hasLabel: async () => new Unseen() })).toMatchObject({
      ...{ label: 'not looked', token: 'warn', schedule: 'ok', runner: 'ok' },
    });
  });

  it('prints no value of a variable', async () => {
    expect(JSON.stringify(await githubChecks(setup(), request))).not.toContain('secret');
  });

  it('names the same checks without a token', async () => {
    const names = (checks: SetupCheck[]) => checks.map(({ check }) => check).sort();
    expect(names(githubUnseen('', ''))).toEqual(names(await githubChecks(setup(), request)));
  });
});
