import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { throughputSignal, throughputSpans } from '../../src/monitoring/throughput.ts';

const dayMs = 86_400_000;
const day = (n: number) => new Date(Date.UTC(2013, 0, 1) + n * dayMs);
const name = (n: number) => day(n).toISOString().slice(0, 10);
const policy = MonitoringPolicy.parse({});

/** The signal of the days from `since` to `until`, where `volume` gives the predictions of each day since day 0. */
function signal(window: { since: number; until: number }, volume: (day: number) => number, own = policy) {
  const spans = throughputSpans({ since: day(window.since), until: day(window.until) });
  const rows = new Map(Array.from({ length: 400 }, (_, n) => [name(n), volume(n)]));
  return throughputSignal(spans, { rows, firstDay: name(0), policy: own });
}

describe('throughput', () => {
  const week = (n: number) => (n % 7 < 5 ? 1000 : 300);

  it('compares weekdays with the same weekdays: a weekend is no fall', () => {
    for (let until = 100; until < 107; until++)
      for (const length of [1, 2, 5, 7, 10, 28, 90])
        expect(signal({ since: until - length, until }, week)).toMatchObject({ verdict: 'ok' });
    expect(signal({ since: 99, until: 100 }, week).value).toBe(1000);
  });

  it('alerts when the newest days have less than half or more than three times as many', () => {
    const changed = (factor: number) => (n: number) => week(n) * (n >= 60 ? factor : 1);
    const of = (factor: number) => signal({ since: 0, until: 67 }, changed(factor));
    expect(of(0.6)).toMatchObject({ verdict: 'ok' });
    expect(of(0.4)).toMatchObject({ verdict: 'alert', value: 320, threshold: 400 });
    expect(of(0)).toMatchObject({ verdict: 'alert', value: 0 });
    expect(of(2.9)).toMatchObject({ verdict: 'ok' });
    expect(of(3.1)).toMatchObject({ verdict: 'alert', value: 2480, threshold: 2400 });
    const wide = MonitoringPolicy.parse({ service: { min_throughput: 0, max_throughput: 10 } });
    expect(signal({ since: 0, until: 67 }, changed(0.1), wide)).toMatchObject({ verdict: 'ok' });
  });

  it('takes a batch once a month as it comes', () => {
    const batch = (n: number) => (n % 30 === 0 ? 5000 : 0);
    for (let until = 100; until < 130; until++)
      expect(signal({ since: until - 14, until }, batch).verdict).not.toBe('alert');
    expect(signal({ since: 60, until: 91 }, (n) => (n === 90 ? 16_000 : batch(n)))).toMatchObject({
      ...{ verdict: 'alert', value: 16_000 / 7 },
      threshold: (3 * 5000) / 7,
    });
  });

  it('tells of an outage for two weeks, and never takes it for a recovery', () => {
    const stopped = (n: number) => (n < 60 ? week(n) : 0);
    for (let until = 61; until < 100; until++) {
      const { verdict } = signal({ since: until - 14, until }, stopped);
      expect(verdict).toBe(until <= 74 ? 'alert' : verdict);
      if (until > 74) expect(verdict).not.toBe('ok');
    }
  });

  it('tells of a day without a prediction at once, where such days have many', () => {
    const outage = (n: number) => (n === 99 ? 0 : 1000);
    expect(signal({ since: 70, until: 100 }, outage)).toMatchObject({
      ...{ verdict: 'alert', value: 0 },
      summary: 'no prediction on 2013-04-10, 1,000 on such a day before',
    });
    expect(signal({ since: 70, until: 101 }, outage)).toMatchObject({ verdict: 'ok' });
    const allowed = MonitoringPolicy.parse({ service: { min_throughput: 0 } });
    expect(signal({ since: 70, until: 100 }, outage, allowed)).toMatchObject({ verdict: 'ok' });
    // closed on Sundays: 2013-04-14 is one
    const sundays = (n: number) => ((n - 103) % 7 === 0 ? 0 : 1000);
    expect(signal({ since: 70, until: 104 }, sundays)).toMatchObject({ verdict: 'ok' });
  });

  it('does not decide where there is nothing to compare with', () => {
    const undecided = { verdict: 'not_enough_data', summary: expect.stringMatching(/^not enough data/) };
    // the log is younger than a week before the window
    expect(signal({ since: 3, until: 8 }, week)).toMatchObject(undecided);
    expect(signal({ since: 60, until: 61 }, () => 10)).toMatchObject(undecided);
    const hours = throughputSpans({ since: new Date(+day(60) + 3600e3), until: new Date(+day(60) + 7200e3) });
    expect(throughputSignal(hours, { rows: new Map(), firstDay: name(0), policy })).toMatchObject(undecided);
    const empty = throughputSpans({ since: day(60), until: day(61) });
    expect(throughputSignal(empty, { rows: new Map(), firstDay: null, policy })).toMatchObject(undecided);
  });

  it('compares whole days of the window alone, and as many with the same weekdays before', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 30, max: 100, noNaN: true }),
        fc.double({ min: 0.01, max: 95, noNaN: true }),
        (from, length) => {
          const window = { since: day(from), until: day(from + length) };
          const spans = throughputSpans(window);
          if (spans === null) {
            expect(length).toBeLessThan(2);
            return;
          }
          for (const span of [spans.recent, ...spans.before]) {
            expect(+span.since % dayMs).toBe(0);
            expect(+span.until - +span.since).toBe(+spans.recent.until - +spans.recent.since);
            expect((+spans.recent.since - +span.since) % (7 * dayMs)).toBe(0);
          }
          expect(+spans.recent.since).toBeGreaterThanOrEqual(+window.since);
          expect(+spans.recent.until).toBeLessThanOrEqual(+window.until);
        },
      ),
    );
  });
});
