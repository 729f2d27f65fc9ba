import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alarmsOf,
  type Check,
  newCourse,
  quietStreak,
  withCheck,
} from '../../../src/chatops/drift/course.ts';
import { retrainChange } from '../../../src/chatops/drift/retrain-change.ts';
import { schedulesOf } from '../../../src/chatops/drift/schedules.ts';
import { type SeenSchedule, silentSchedules } from '../../../src/chatops/drift/watchman.ts';
import { ChatopsPolicy } from '../../../src/chatops/policy.ts';
import { codes } from '../../../src/codes.ts';
import { playbookOf } from '../../../src/monitoring/playbooks.ts';
import { triggerOf } from '../../../src/stages/trigger.ts';

const now = new Date('2026-03-10T12:00:00Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
const run = (
  hours: number,
  status: 'queued' | 'in_progress' | 'completed' = 'completed',
  conclusion: 'success' | 'skipped' | null = status === 'completed' ? 'success' : null,
) => ({
  ...{ id: 1000 - hours, url: 'https://github.test/runs/1', status, conclusion },
  ...{ createdAt: hoursAgo(hours), updatedAt: hoursAgo(hours) },
});
const seen = (runs: SeenSchedule['runs'], more: Partial<SeenSchedule> = {}): SeenSchedule => ({
  ...{ name: 'monitor', workflow: 'monitor.yml', every: 26 * 3_600_000, runs },
  state: { state: 'active', createdAt: '2026-01-01T00:00:00Z' },
  ...more,
});
const why = (one: SeenSchedule) => silentSchedules([one], now)[0]?.why ?? null;

describe('[OBS-1] the watchman', () => {
  it('hears a run of the last hours, also one that failed, and misses one that did not begin', () => {
    expect(why(seen([run(2)]))).toBeNull();
    expect(why(seen([run(26)]))).toBeNull();
    expect(why(seen([run(27)]))).toBe('late');
    expect(why(seen([]))).toBe('late');
  });

  it('does not take runs that were skipped for a sign of life', () => {
    expect(why(seen([run(2, 'completed', 'skipped')]))).toBe('skipped');
    expect(why(seen([run(2, 'completed', 'skipped'), run(30)]))).toBe('skipped');
    expect(why(seen([run(2, 'completed', 'skipped'), run(10)]))).toBeNull();
    expect(why(seen([run(2), run(30, 'completed', 'skipped')]))).toBeNull();
    const young = { state: { state: 'active', createdAt: hoursAgo(3) } } as const;
    expect(why(seen([run(2, 'completed', 'skipped')], young))).toBeNull();
  });

  it('gives a new workflow its first turn', () => {
    expect(why(seen([], { state: { state: 'active', createdAt: hoursAgo(3) } }))).toBeNull();
  });

  it('sees a run that does not move, also behind newer ones that wait', () => {
    expect(why(seen([run(30, 'in_progress')]))).toBe('stuck');
    expect(why(seen([run(2, 'queued'), run(30, 'in_progress')]))).toBe('stuck');
    expect(why(seen([run(2, 'in_progress')]))).toBeNull();
  });

  it('says what GitHub has stopped after 60 quiet days, what a person has, and what is not there', () => {
    const state = (one: 'inactive' | 'disabled') => ({ state: one, createdAt: '2026-01-01T00:00:00Z' });
    expect(why(seen([run(2)], { state: state('inactive') }))).toBe('inactive');
    expect(why(seen([run(2)], { state: state('disabled') }))).toBe('disabled');
    expect(why(seen([], { state: null }))).toBe('missing');
  });

  it('takes schedules from the policy, by the name of a workflow of ours or of a file', () => {
    const policy = ChatopsPolicy.parse({
      heartbeats: { monitor: '26h', verify: '8d', 'drill.yaml': '1d' },
      workflows: { monitor: 'drift.yml' },
    });
    expect(schedulesOf(policy)).toEqual([
      { name: 'monitor', workflow: 'drift.yml', every: 26 * 3_600_000 },
      { name: 'verify', workflow: 'verify.yml', every: 8 * 86_400_000 },
      { name: 'drill.yaml', workflow: 'drill.yaml', every: 86_400_000 },
    ]);
    expect(ChatopsPolicy.safeParse({ heartbeats: { 'a --> b': '1d' } }).success).toBe(false);
  });
});

describe('the course of an alarm', () => {
  const check = fc.record({
    run: fc.integer({ min: 1, max: 30 }),
    attempt: fc.integer({ min: 1, max: 3 }),
    at: fc.constant('2026-03-01T00:00:00.000Z'),
    moved: fc.boolean(),
  });

  it('[ALR-2] is the same in whatever order, and however often, its checks are heard of', () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(check, { maxLength: 25, selector: ({ run, attempt }) => `${run}/${attempt}` })
          .chain((checks) =>
            fc.tuple(
              fc.constant(checks),
              fc.shuffledSubarray([...checks, ...checks], { minLength: checks.length * 2 }),
            ),
          ),
        ([checks, shuffled]) => {
          const told = (all: readonly Check[]) => all.reduce(withCheck, newCourse('investigate'));
          expect(told(shuffled)).toEqual(told(checks));
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });

  it('counts alarms that it keeps no longer, and stays small', () => {
    const at = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString();
    let course = newCourse('investigate');
    for (let day = 1; day <= 100; day += 1) {
      course = withCheck(course, { run: day, attempt: 1, at: at(day), moved: day % 4 !== 0 });
    }
    expect(alarmsOf(course)).toEqual({ count: 75, since: at(1), last: at(99) });
    expect(course.checks).toHaveLength(30);
    expect(quietStreak(course)).toBe(1);
    // too old to be told apart from one that was counted
    expect(withCheck(course, { run: 3, attempt: 1, at: at(3), moved: true })).toBe(course);
  });
});

describe('the change that trains again', () => {
  const evidence = {
    ...{
      model: 'm',
      environment: 'production',
      version: 1,
      fingerprint: 'm/production/data_drift',
      issue: 3,
    },
    ...{ run: 9, reason: 'x', window: { since: '2026-02-28', until: '2026-03-01' }, drift: 'd'.repeat(64) },
  };
  const until = (text: string) => retrainChange(evidence, { path: 'modelgate.yaml', text }).until;

  it('moves a fixed end forward, never back, and leaves open ones and broken files alone', () => {
    expect(until('data: {window: {until: 2025-12-01}} # c\n')).toEqual({
      from: '2025-12-01',
      to: '2026-03-01',
    });
    expect(until('data: {window: {until: 2026-12-01}}')).toBeNull();
    expect(until('data: {window: {from: 2025-01-01}}')).toBeNull();
    expect(until('data: {window: {until: &a 2025-12-01}, other: *a}')).toBeNull();
    expect(until('data: [')).toBeNull();
    expect(until('extends: base.yaml')).toBeNull();
  });
});

describe('[ALR-6] playbooks of failures', () => {
  it('are one for each class, and only the unknown pages', async () => {
    const classes = new Set(Object.values(codes).map((code) => code.class));
    for (const one of classes) {
      const { class: name, page, steps } = await playbookOf(one);
      expect(name).toBe(one);
      expect(page).toBe(one === 'unknown');
      expect(steps.length).toBeGreaterThan(1);
    }
  });
});

describe('[TRG-1] the trigger of a run', () => {
  it('is one of code, data, schedule, alert and manual', () => {
    for (const trigger of ['code', 'data', 'schedule', 'alert', 'manual']) {
      expect(triggerOf({ MODELGATE_TRIGGER: trigger, GITHUB_EVENT_NAME: 'workflow_dispatch' })).toBe(trigger);
    }
    const by = (GITHUB_EVENT_NAME: string) => triggerOf({ GITHUB_EVENT_NAME });
    expect(['push', 'pull_request', 'merge_group', 'schedule', 'workflow_dispatch'].map(by)).toEqual([
      ...['code', 'code', 'code', 'schedule', 'manual'],
    ]);
    expect(triggerOf({})).toBe('manual');
    expect(triggerOf({ MODELGATE_TRIGGER: '', GITHUB_EVENT_NAME: 'push' })).toBe('code');
    expect(triggerOf({ GITHUB_EVENT_NAME: 'constructor' })).toBe('manual');
  });
});
