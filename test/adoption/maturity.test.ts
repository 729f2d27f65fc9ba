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
import type { RepositorySetup } from '../../src/github/repository-setup.ts';
import { guarded, setup } from './world.ts';

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
const request = {
  environments: ['staging', 'production'],
  entered: ['candidates', 'monitor', 'staging'],
  models: [{ model: 'flights', config: 'modelgate.yaml' }],
  schedules: [{ workflow: 'monitor.yml', every: 26 * 3_600_000 }],
  others: [{ workflow: 'poll.yml', every: 24 * 3_600_000 }],
  statusPage: false,
  label: 'modelgate-drift',
  chatops: false,
  now,
};
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
    ['variables', 'missing', { variables: async () => ['MODELGATE_BOT', 'MODELGATE_STORE'] }],
    ['commands', 'missing', { variables: async () => ['MODELGATE_REGION', 'MODELGATE_STORE'] }],
    ['runner', 'warn', { runners: async () => [['self-hosted', 'linux']] }],
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
    const having = (...more: ReturnType<typeof guarded>[]) => ({
      environments: async () => [...['Candidates', 'staging', 'production', 'monitor'].map(guarded), ...more],
    });
    const wanted = { entered: ['chatops', 'candidates'] };
    expect(await verdicts(having())).toMatchObject({ environments: 'ok' });
    expect(await verdicts(having(), wanted)).toMatchObject({ environments: 'missing' });
    expect(await verdicts(having(guarded('chatops')), wanted)).toMatchObject({ environments: 'ok' });
    const open = { ...guarded('chatops'), branches: false };
    expect(await verdicts(having(open), wanted)).toMatchObject({ environments: 'missing' });
    // what nothing of ours enters is somebody else's
    expect(await verdicts(having({ ...open, name: 'docs' }))).toMatchObject({ environments: 'ok' });
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
    const there = { statusPage: true };
    expect(await verdicts(withPages([]), there)).toMatchObject({ status_page: 'missing' });
    expect(await verdicts(withPages([guarded('github-pages')]), there)).toMatchObject({ status_page: 'ok' });
    const open = { ...guarded('github-pages'), branches: false };
    expect(await verdicts(withPages([open]), there)).toMatchObject({ status_page: 'warn' });
  });

  it('warns where no schedule has to be heard of', async () => {
    expect(await verdicts({}, { schedules: [] })).toMatchObject({ schedule: 'warn' });
  });

  it('hears commands by chatops.yml where no app is named', async () => {
    expect(await verdicts({ variables: async () => null }, { chatops: true })).toMatchObject({
      commands: 'ok',
      variables: 'not looked',
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

  it('says "not looked at" of what the token may not see, never "missing"', async () => {
    const nothing = async () => null;
    expect(
      await verdicts({
        requiredChecks: nothing,
        environments: nothing,
        variables: nothing,
        runners: nothing,
      }),
    ).toMatchObject({
      required_check: 'not looked',
      environments: 'not looked',
      production_guard: 'not looked',
      variables: 'not looked',
      commands: 'not looked',
      runner: 'not looked',
      schedule: 'ok',
    });
  });

  it('names the same checks without a token', async () => {
    const names = (checks: SetupCheck[]) => checks.map(({ check }) => check).sort();
    expect(names(githubUnseen('', ''))).toEqual(names(await githubChecks(setup(), request)));
  });
});
