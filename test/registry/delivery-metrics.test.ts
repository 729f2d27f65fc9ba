import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryMetrics } from '../../src/registry/delivery-metrics.ts';
import { drillsOf } from '../../src/registry/drills.ts';
import type { LogEntry } from '../../src/registry/entries.ts';
import { interventionOf } from '../../src/registry/interventions.ts';
import { LogWriter, step } from './delivery-world.ts';

const now = new Date('2026-03-20T00:00:00Z');
const asked = { environment: 'production', trainedAt: new Map(), checks: [], now, months: 12 };
const hour = 3600;

describe('[MET-1] delivery of a model', () => {
  it('tells frequency, lead time, failures and time to restore of a month', () => {
    const log = new LogWriter('2026-02-01T00:00:00Z');
    const trained = log.register('a');
    log.wait(5 * hour).promote(1, 'staging');
    log.wait(5 * hour).promote(1);
    log.register('b');
    log.wait(2 * hour).promote(2);
    log.wait(30 * hour).rollback(1);
    const metrics = deliveryMetrics({
      ...asked,
      entries: log.entries,
      trainedAt: new Map([[trained.manifest, '2026-01-31T22:00:00Z']]),
    });
    expect(metrics.months.map(({ month }) => month)).toEqual(['2026-03', '2026-02']);
    expect(metrics.months[1]).toMatchObject({
      deployments: 2,
      // 12 hours since training, 2 since registration
      lead_time: { median_seconds: 7 * hour, count: 2, by_second_sign: 1, why: null },
      change_failure: { share: 0.5, count: 1, of: 2 },
      time_to_restore: { median_seconds: 30 * hour, count: 1, by_second_sign: 1 },
    });
    expect(metrics.months[0]).toMatchObject({
      deployments: 0,
      lead_time: { median_seconds: null, why: 'nothing was promoted to production' },
      change_failure: { share: null, why: 'nothing was promoted to production' },
      time_to_restore: { median_seconds: null, why: 'nothing was rolled back in production' },
      override: { share: null, why: 'nothing was promoted' },
      false_block: { share: null, why: 'the gate blocked nothing' },
    });
    expect(metrics.deployments_per_month).toBe(1);
  });

  it('restores from the first alarm in the row that stood, where monitoring raised one', () => {
    const log = new LogWriter('2026-03-01T00:00:00Z');
    log.register('a');
    log.promote(1);
    log.register('b');
    log.promote(2).wait(100 * hour);
    log.rollback(1);
    const check = (at: string, alarm: boolean, version = 2) => ({
      ...{ environment: 'production', version, at: `2026-03-${at}:00:00Z`, alarm },
    });
    const restore = (checks: ReturnType<typeof check>[]) =>
      deliveryMetrics({ ...asked, entries: log.entries, checks }).whole.time_to_restore;
    const earlier = check('01T05', true);
    const standing = [check('03T12', true), check('03T00', true), check('02T00', false), earlier];
    expect(restore(standing)).toMatchObject({ median_seconds: 52 * hour, by_second_sign: 0 });
    for (const none of [[check('04T00', false), earlier], [check('03T00', true, 1)], [check('07T00', true)]])
      expect(restore(none)).toMatchObject({ median_seconds: 100 * hour, by_second_sign: 1 });
  });

  it('says that a begin is not known rather than a wrong number', () => {
    const log = new LogWriter('2026-03-05T00:00:00Z');
    const { manifest } = log.register('a');
    log.promote(1);
    for (const said of ['2026-03-06T00:00:00Z', 'yesterday', '']) {
      const { whole } = deliveryMetrics({
        ...asked,
        entries: log.entries,
        trainedAt: new Map([[manifest, said]]),
      });
      expect(whole.lead_time).toEqual({
        ...{ median_seconds: null, count: 0, unknown: 1, by_second_sign: 0 },
        why: 'when it began is not known',
      });
    }
  });

  it('leaves the month out in which a cut log begins, and all without a log', () => {
    const log = new LogWriter('2026-02-10T00:00:00Z');
    log.register('a');
    log.promote(1);
    const cut = log.entries.slice(1);
    expect(deliveryMetrics({ ...asked, entries: cut }).months.map(({ month }) => month)).toEqual(['2026-03']);
    const none = deliveryMetrics({ ...asked, entries: [] });
    expect(none).toMatchObject({ months: [], deployments_per_month: null, whole: { deployments: 0 } });
  });
});

describe('[MET-2] [MET-3] interventions, overrides and false blocks', () => {
  it('counts what was blocked and later overridden, or passed with the same package', () => {
    const log = new LogWriter('2026-03-01T00:00:00Z');
    log.register('a', 'inconclusive'); // overridden, and stood
    log.promote(1, 'production', true);
    log.register('b', 'fail'); // passed later
    log.register('b');
    log.register('c', 'inconclusive'); // overridden, and rolled back
    log.promote(4, 'production', true);
    log.rollback(1);
    log.register('d', 'fail'); // stayed blocked
    log.register('e', 'inconclusive', 'pass'); // was never blocked
    const { whole } = deliveryMetrics({ ...asked, entries: log.entries });
    expect(whole.false_block).toEqual({ share: 0.5, count: 2, of: 4, why: null });
    expect(whole.override).toEqual({ share: 1, count: 2, of: 2, why: null });
    expect(whole.interventions).toEqual({
      count: 3,
      classes: { promotion: 0, override: 2, rollback: 1 },
    });
  });

  it('takes a rollback drill for no failure and for nobody’s hand, and tells of it by itself', () => {
    const log = new LogWriter('2026-03-01T00:00:00Z');
    log.register('a');
    log.register('b');
    log.promote(1);
    log.promote(2);
    log.wait(hour).rollback(1, 'production', 'drill-7-1-back');
    log.wait(60).rollback(2, 'production', 'drill-7-1-restore');
    log.wait(hour).rollback(1, 'production', 'drill-8-1-back');
    const { whole } = deliveryMetrics({ ...asked, entries: log.entries });
    expect(whole).toMatchObject({
      deployments: 2,
      change_failure: { share: 0 },
      time_to_restore: { count: 0 },
      interventions: { count: 2, classes: { rollback: 0 } },
    });
    const drill = { environment: 'production', from: 2, to: 1 };
    expect(drillsOf(log.entries)).toEqual([
      {
        ...drill,
        name: 'drill-7-1',
        seq: 5,
        at: '2026-03-01T01:00:00.000Z',
        restored_at: '2026-03-01T01:01:00.000Z',
      },
      { ...drill, name: 'drill-8-1', seq: 7, at: '2026-03-01T02:01:00.000Z', restored_at: null },
    ]);
  });
});

/** The same figures of one month, counted anew for each, entry by entry, as slowly as it is plain. */
function recount(all: readonly LogEntry[], month: string) {
  const log = all.filter(({ op_id }) => !op_id.startsWith('drill-'));
  const of = <T extends LogEntry['type']>(type: T) =>
    log.filter((entry): entry is Extract<LogEntry, { type: T }> => entry.type === type);
  const during = <T extends { at: string }>(some: T[]) => some.filter(({ at }) => at.slice(0, 7) === month);
  const inProduction = <T extends { environment: string }>(some: T[]) =>
    some.filter(({ environment }) => environment === 'production');
  const deployed = during(inProduction(of('promote')));
  const undoings = of('rollback').filter(({ from, version }) => from !== null && from !== version);
  const failed = deployed.filter((entry) =>
    inProduction(undoings).some(
      ({ from, seq }) =>
        from === entry.version &&
        seq > entry.seq &&
        !inProduction(of('promote')).some(
          (again) => again.version === from && again.seq > entry.seq && again.seq < seq,
        ),
    ),
  );
  const first = deployed.filter((entry) => {
    const moves = log.filter((one) => 'generation' in one && one.environment === 'production');
    return moves.find((one) => 'manifest' in one && one.manifest === entry.manifest) === entry;
  });
  const waits = first.map((entry) => {
    const known = of('register').find(({ manifest }) => manifest === entry.manifest);
    return (Date.parse(entry.at) - Date.parse(known?.at ?? '')) / 1000;
  });
  const packageOf = (version: number | null) =>
    of('register').find((one) => one.version === version)?.manifest;
  const blocked = during(of('register')).filter(
    ({ verdict, on_inconclusive }) =>
      verdict === 'fail' || (verdict === 'inconclusive' && on_inconclusive !== 'pass'),
  );
  const good = blocked.filter(({ manifest }) => {
    const last = log.findLast(
      (entry) =>
        (entry.type === 'register' && entry.manifest === manifest && entry.verdict === 'pass') ||
        (entry.type === 'promote' && entry.manifest === manifest && entry.override !== undefined) ||
        (entry.type === 'rollback' &&
          undoings.includes(entry) &&
          packageOf(entry.from) === manifest &&
          entry.manifest !== manifest),
    );
    return last !== undefined && last.type !== 'rollback';
  });
  return {
    deployments: deployed.length,
    failed: failed.length,
    waits: waits.sort((a, b) => a - b),
    restores: during(inProduction(undoings)).length,
    overridden: during(of('promote')).filter(({ override }) => override !== undefined).length,
    promotions: during(of('promote')).length,
    blocked: blocked.length,
    good: good.length,
    hands: during(all.filter((entry) => interventionOf(entry) !== null)).length,
  };
}

describe('the figures of any log', () => {
  it('are those of a naive recount, and the months add up to the whole', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        const log = new LogWriter('2025-10-01T00:00:00Z');
        for (const one of steps) log.wait(one.hours * 1800).step(one);
        const end = log.entries.at(-1)?.at ?? now.toISOString();
        const metrics = deliveryMetrics({ ...asked, entries: log.entries, now: new Date(end), months: 60 });
        for (const month of metrics.months) {
          const naive = recount(log.entries, month.month);
          const middle = naive.waits.length / 2;
          const median =
            naive.waits.length === 0
              ? null
              : ((naive.waits[Math.ceil(middle) - 1] as number) +
                  (naive.waits[Math.floor(middle)] as number)) /
                2;
          expect(month).toMatchObject({
            deployments: naive.deployments,
            change_failure: { count: naive.failed, of: naive.deployments },
            lead_time: { count: naive.waits.length },
            interventions: { count: naive.hands },
            override: { count: naive.overridden, of: naive.promotions },
            false_block: { count: naive.good, of: naive.blocked },
          });
          const { count, unknown } = month.time_to_restore;
          expect(count + unknown).toBe(naive.restores);
          if (median === null) expect(month.lead_time.median_seconds).toBeNull();
          else expect(month.lead_time.median_seconds).toBeCloseTo(median, 6);
        }
        const sum = (of: (month: (typeof metrics.months)[number]) => number) =>
          metrics.months.reduce((total, month) => total + of(month), 0);
        expect(metrics.whole.deployments).toBe(sum((month) => month.deployments));
        expect(metrics.whole.false_block.count).toBe(sum((month) => month.false_block.count));
        expect(metrics.whole.interventions.count).toBe(sum((month) => month.interventions.count));
      }),
      { seed: 8, numRuns: 150 },
    );
  });
});
