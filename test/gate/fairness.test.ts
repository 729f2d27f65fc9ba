import { describe, expect, it } from 'vitest';
import { fairnessChecks } from '../../src/gate/checks/fairness.ts';
import { beyond, gapBand, rateOf, ratioBand, ratioOfRates } from '../../src/gate/fairness-rates.ts';
import { normalCdf } from '../../src/stats/distributions.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import { policyOf, scoresOf } from './world.ts';

/** Groups with so many rows, of which so many are selected; every second row is positive. */
function people(groups: Record<string, { rows: number; selected: number }>) {
  const value = Object.entries(groups).flatMap(([name, { rows }]) => Array<string>(rows).fill(name));
  const candidate = Object.values(groups).flatMap(({ rows, selected }) =>
    // selected among positives and negatives alike
    Array.from({ length: rows }, (_, i) => (Math.floor(i / 2) < selected / 2 ? 0.9 : 0.1)),
  );
  const names = Object.keys(groups);
  const label = Float64Array.from(value, (_, i) => i % 2);
  const scores = { label, candidate: Float64Array.from(candidate), champion: label.map(() => 0.5) };
  const codes = Int32Array.from(value, (name) => names.indexOf(name));
  return scoresOf(scores, { slices: [{ column: 'sex', values: names, codes }] });
}

const judge = (groups: Parameters<typeof people>[0], fairness: object = {}) =>
  fairnessChecks(people(groups), policyOf({ fairness: { group: ['sex'], ...fairness } }));

describe('the fairness audit', () => {
  it('[EVA-7] is three-valued on intervals: four fifths kept, broken, or not told', () => {
    const big = { rows: 10_000, selected: 5000 };
    const verdict = (selected: number, rows = 10_000) =>
      judge({ a: { rows: 10_000 + rows, selected: (10_000 + rows) / 2 }, b: { rows, selected } }).checks[0]
        ?.verdict;
    expect(judge({ a: big, b: big }).checks[0]?.verdict).toBe('pass');
    expect(verdict(4800)).toBe('pass');
    expect(verdict(3000)).toBe('fail');
    expect(verdict(4000)).toBe('inconclusive');
    // the group that is favoured too much is the same harm to the other
    expect(verdict(8000)).toBe('fail');
    expect(verdict(40, 100)).toBe('inconclusive');
  });

  it('judges gaps of both error rates, and names the worst group', () => {
    const groups = { a: { rows: 8000, selected: 4000 }, b: { rows: 4000, selected: 1000 } };
    const { checks, fairness } = judge(groups, { tpr_gap: 0.05, fpr_gap: 0.3 });
    expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['fairness:sex:selection_ratio', 'fail'],
      ['fairness:sex:tpr_gap', 'fail'],
      ['fairness:sex:fpr_gap', 'pass'],
    ]);
    expect(checks[1]?.reason).toMatch(/^sex b is found when positive at 0\.250, a at 0\.500: gap -?−?0\.25/);
    expect(fairness).toHaveLength(3);
    expect(fairness[0]).toMatchObject({ value: 'b', reference: 'a', n: 4000 });
  });

  it('takes the named reference, and none that is not there', () => {
    const groups = { a: { rows: 4000, selected: 2000 }, b: { rows: 2000, selected: 1000 } };
    expect(judge(groups, { reference: { sex: 'b' } }).fairness[0]?.value).toBe('a');
    expect(judge(groups, { reference: { sex: 'c' } }).checks[0]?.verdict).toBe('inconclusive');
  });

  it('passes nothing that is missing: one group, small groups, no positives, a regression', () => {
    expect(judge({ a: { rows: 500, selected: 250 } }).checks[0]?.verdict).toBe('inconclusive');
    const small = judge({ a: { rows: 500, selected: 250 }, b: { rows: 20, selected: 10 } });
    expect(small.checks[0]).toMatchObject({ verdict: 'inconclusive' });
    expect(small.fairness[0]).toMatchObject({ verdict: 'untested' });
    const none = people({ a: { rows: 500, selected: 250 }, b: { rows: 500, selected: 250 } });
    none.label.fill(0);
    const policy = policyOf({ fairness: { group: ['sex'], tpr_gap: 0.1 } });
    expect(fairnessChecks(none, policy).checks[1]?.verdict).toBe('inconclusive');
    none.label.fill(17.5);
    expect(fairnessChecks(none, policy).checks[0]?.verdict).toBe('inconclusive');
  });

  it('fails a group of which nobody is selected, though the log ratio does not exist', () => {
    expect(
      judge({ a: { rows: 4000, selected: 2000 }, b: { rows: 2000, selected: 0 } }).checks[0],
    ).toMatchObject({ verdict: 'fail' });
  });

  it('keeps alpha over groups by Holm', () => {
    // each at p just below .05: one alone fails, twenty together do not
    const at = { rows: 1000, selected: 370 };
    const one = judge({ a: { rows: 4000, selected: 2000 }, b: at });
    expect(one.fairness[0]?.p).toBeLessThan(0.05);
    expect(one.checks[0]?.verdict).toBe('fail');
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`g${i}`, at]));
    expect(judge({ a: { rows: 4000, selected: 2000 }, ...many }).checks[0]?.verdict).toBe('inconclusive');
  });
});

describe('rates', () => {
  const [reference, group] = [
    { count: 500, n: 1000 },
    { count: 360, n: 1000 },
  ];

  it('finds the p of the log ratio in closed form', () => {
    const se = Math.sqrt(1 / 500 - 1 / 1000 + 1 / 360 - 1 / 1000);
    const p = normalCdf(Math.log(0.72 / 0.8) / se);
    expect(beyond(ratioBand(reference, group, 0.8))).toBeCloseTo(p, 9);
    expect(beyond(gapBand(reference, group, 0.2))).toBe(1);
  });

  it('bounds a ratio with no successes by Wilson', () => {
    const interval = ratioOfRates(reference, { count: 0, n: 1000 }, 0.1);
    expect(isUndefined(interval)).toBe(false);
    expect(interval).toMatchObject({ estimate: 0, low: 0 });
    expect(ratioOfRates({ count: 0, n: 10 }, group, 0.1)).toMatchObject({ high: Number.POSITIVE_INFINITY });
  });

  it('counts clustered rows as the fewer that they are worth', () => {
    const hits = Float64Array.from({ length: 1000 }, (_, i) => Math.floor(i / 50) % 2);
    const codes = Int32Array.from({ length: 1000 }, (_, i) => Math.floor(i / 50));
    const { count, n } = rateOf(hits, { codes, count: 20 });
    expect(count / n).toBeCloseTo(0.5, 12);
    // whole clusters alike: about as many rows as there are clusters, fewer for what t with their df asks
    expect(n).toBeGreaterThan(16);
    expect(n).toBeLessThan(21);
    expect(rateOf(hits, null)).toEqual({ count: 500, n: 1000, few: null });
  });
});
