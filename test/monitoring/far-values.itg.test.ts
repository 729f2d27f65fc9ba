import { describe, expect, it } from 'vitest';
import { featurePart } from '../../src/monitoring/alert-feature.ts';
import { driftPage } from '../../src/monitoring/drift-page.ts';
import type { DriftColumn, DriftReport } from '../../src/monitoring/drift-report.ts';
import { plainSignal } from '../../src/monitoring/signal.ts';
import { compareBothWays } from './both-ways.ts';

const timeout = 60_000;
const uniform = (salt: string) => `((hash(i, '${salt}') % 1000003) + 0.5) / 1000003.0`;
const age = (salt: string) =>
  `(40 + 10 * sqrt(-2 * ln(${uniform(`${salt}1`)})) * cos(2 * pi() * ${uniform(`${salt}2`)}))`;
const level = (salt: string) =>
  `CASE WHEN ${uniform(`${salt}l`)} < 0.5 THEN 'a' WHEN ${uniform(`${salt}l`)} < 0.8 THEN 'b' ELSE 'c' END`;
const notKnown = (share: number, salt: string, other: string) =>
  `CASE WHEN ${uniform(`${salt}n`)} < ${share} THEN 9999 ELSE ${other} END`;
const table = (salt: string, { first, days, value }: { first: string; days: number; value: string }) =>
  `SELECT *, ${value} AS age FROM (SELECT i, ${level(salt)} AS level, DATE '${first}' + CAST(i // 200 AS INTEGER) AS moment
   FROM range(${200 * days}) t(i))`;

/** A month of ages against two weeks, from rows and from blocks: SQL over i (row) and level. */
async function ages(before: string, now: string): Promise<{ report: DriftReport; column: DriftColumn }[]> {
  const { rows, blocks } = await compareBothWays({
    reference: table('r', { first: '2020-01-01', days: 30, value: before }),
    current: table('c', { first: '2020-02-01', days: 14, value: now }),
  });
  return [rows, blocks].map((report) => ({
    report,
    column: report.columns.find(({ name }) => name === 'age') as DriftColumn,
  }));
}

const aspect = ({ aspects }: DriftColumn, name: string) => aspects.find((one) => one.aspect === name);
const byLevel = ({ segments }: DriftColumn) => {
  const own = segments.filter(({ dimension }) => dimension === 'level');
  return {
    own,
    sum: own.reduce((sum, { contribution }) => sum + contribution, 0),
    total: own[0]?.total ?? 0,
  };
};
const texts = ({ report, column }: { report: DriftReport; column: DriftColumn }) => ({
  // Markdown's escapes left out
  issue: featurePart(report, {
    ...plainSignal,
    signal: 'data_drift',
    name: 'age',
    verdict: 'alert',
    summary: '',
  })?.replaceAll('\\', ''),
  page: driftPage({ title: 'Drift', lead: '', report, predictions: null }),
  column,
});

describe('[ALR-1] values far outside of the rest, from rows and from blocks', () => {
  it('one decides neither the sentence nor the segments of a drift', { timeout }, async () => {
    const found = await ages(
      `CASE WHEN i = 1000 THEN -1e9 ELSE ${age('r')} END`,
      `CASE WHEN i = 1000 THEN 1e9 WHEN level = 'a' THEN 4 + ${age('c')} ELSE ${age('c')} END`,
    );
    for (const one of found) {
      const { column } = one;
      expect(column.verdict).toBe('drift');
      expect(column.summary).toMatch(
        /^age: mean [34]\d\.?\d* → 4\d\.?\d* \(\+[12]\.?\d*\), distributions 0\.\d+ sd apart, of the values from −\d+\.?\d* to \d+\.?\d*$/,
      );
      const { reference, current } = column.far_values as NonNullable<DriftColumn['far_values']>;
      expect([reference.below, current.above]).toEqual([1 / 6000, 1 / 2800]);
      const { own, sum, total } = byLevel(column);
      expect(sum).toBeCloseTo(total, 9);
      // a bin of a block is about a hundredth of the bulk wide
      expect(total).toBeCloseTo((current.mean_within ?? 0) - (reference.mean_within ?? 0), 1);
      expect(own[0]).toMatchObject({ segment: 'a', of: 'mean_difference' });
      expect(own[0]?.contribution).toBeGreaterThan(0.7 * total);
      // the fields that are promised of all values hold all
      expect(column.mean_current).toBeCloseTo(1e9 / 2800, -4);
      const { issue, page } = texts(one);
      expect(issue).toMatch(/\| Moved by \| mean [34]\d\.?\d* → 4\d/);
      expect(issue).toMatch(/\| With all values \| mean −166,6\d\d → 357,1\d\d /);
      expect(page).toContain('with all values mean −166,6');
    }
  });

  it('[MON-1] two rows in a hundred that are a thousand times too large are found and told', {
    timeout,
  }, async () => {
    const wild = `CASE WHEN level = 'b' AND ${uniform('w')} < 0.07 THEN 1000 ELSE 1 END * ${age('c')}`;
    for (const one of await ages(age('r'), wild)) {
      const { column } = one;
      const share = column.far_values?.current.above ?? 0;
      expect(share).toBeCloseTo(0.021, 2);
      expect(aspect(column, 'distribution')?.verdict).toBe('ok');
      expect(aspect(column, 'far_values')).toMatchObject({ verdict: 'drift', unit: 'points', threshold: 1 });
      expect(column).toMatchObject({
        verdict: 'drift',
        effect: expect.closeTo(100 * share, 9),
        effect_unit: 'points',
      });
      expect(column.summary).toMatch(/^age: 2\.?\d* % of the rows lie above 5\d\d\.?\d*, before 0 %$/);
      expect(column.since).toBe('2020-02-01');
      const { own, sum, total } = byLevel(column);
      expect(own[0]).toMatchObject({ segment: 'b', of: 'far_values', mean_reference: 0 });
      expect(own[0]?.contribution).toBeCloseTo(total, 9);
      expect(sum).toBeCloseTo(100 * share, 9);
      // what is drawn is the bulk
      expect(column.histogram?.edges?.at(-1)).toBeLessThan(100);
      const { issue, page } = texts(one);
      expect(issue).toMatch(/\| Far values \| 2\.?\d* % of the rows lie above 5\d\d\.?\d*, before 0 % \|/);
      expect(issue).toContain('far values of age');
      expect(page).toContain('Far values: effect');
      expect(page).toContain('parts of the shift of the share of far values');
    }
  });

  it('[MON-1] a value for "not known" in 3 % of the rows hides no shift of the others', {
    timeout,
  }, async () => {
    const before = notKnown(0.03, 'r', age('r'));
    for (const { column } of await ages(before, notKnown(0.03, 'c', age('c')))) {
      expect(column.verdict, column.summary).toBe('ok');
      expect(column.ends?.high).toBeLessThan(500);
    }
    for (const { column } of await ages(before, notKnown(0.03, 'c', `10 + ${age('c')}`))) {
      expect(aspect(column, 'far_values')?.verdict).toBe('ok');
      expect(column).toMatchObject({ verdict: 'drift', effect_unit: 'sd', effect: expect.closeTo(1, 1) });
      expect(column.smallest_detectable?.value).toBeLessThan(0.15);
    }
  });

  it('[MON-1] more rows with it are told as that, though days of blocks hold many', { timeout }, async () => {
    const now = notKnown(0.07, 'c', age('c'));
    for (const { column } of await ages(notKnown(0.03, 'r', age('r')), now)) {
      expect(aspect(column, 'distribution')?.verdict).toBe('ok');
      expect(column.summary).toMatch(
        /^age: [67]\.?\d* % of the rows lie above \d+\.?\d*, before [23]\.?\d* %$/,
      );
    }
  });

  it('[MON-1] nor does it where a third of the rows have it, or are in another unit', {
    timeout,
  }, async () => {
    const wild = `CASE WHEN ${uniform('w')} < 0.33 THEN 1000 ELSE 1 END * ${age('c')}`;
    for (const now of [notKnown(0.33, 'c', age('c')), wild]) {
      for (const { column } of await ages(age('r'), now)) {
        expect(aspect(column, 'distribution')?.verdict).toBe('ok');
        expect(aspect(column, 'distribution')?.effect).toBeLessThan(0.05);
        expect(column.summary).toMatch(/^age: 3\d\.?\d* % of the rows lie above 5\d\d\.?\d*, before 0 %$/);
      }
    }
  });

  it('[ALR-1] one in place of another, at the other end: the parts of its share do not cancel', {
    timeout,
  }, async () => {
    const now = `-1 * ${notKnown(0.05, 'c', `-${age('c')}`)}`;
    for (const { column } of await ages(notKnown(0.05, 'r', age('r')), now)) {
      expect(column.summary).toMatch(
        /^age: \d\.?\d* % of the rows lie below −\d+\.?\d*, before 0 %; 0 % of the rows lie above \d+\.?\d*, before \d/,
      );
      const { sum, total } = byLevel(column);
      expect(Math.abs(total)).toBeCloseTo(column.effect ?? 0, 9);
      expect(sum).toBeCloseTo(total, 9);
    }
  });

  it('a column that went there as a whole is told with how far', { timeout }, async () => {
    for (const { column } of await ages(age('r'), `365 * ${age('c')}`)) {
      expect(column).toMatchObject({ verdict: 'drift', effect: 100, decidable: true });
      expect(column.summary).toMatch(
        /^age: 100 % of the rows lie above 5\d\d\.?\d*, before 0 %; with all values mean \d+\.?\d* → 14,\d{3} /,
      );
    }
  });
});
