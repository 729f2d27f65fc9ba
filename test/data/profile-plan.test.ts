import { describe, expect, it } from 'vitest';
import { bulkWidth } from '../../src/data/profile-plan.ts';

/** Quantiles at 5, 10, 20, … 90 and 95 %. */
const quantilesOf = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number;
  return [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95].map(at);
};
const rows = (count: number, value: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => value(i));

describe('the bulk of a column', () => {
  it('is what lies between the 5 % and the 95 % quantile, also of a heavy tail', () => {
    expect(bulkWidth(quantilesOf(rows(1000, (i) => i)))).toBe(900);
    const heavy = quantilesOf(rows(1000, (i) => ((i + 0.5) / 1000) ** (-1 / 0.9)));
    expect(bulkWidth(heavy)).toBe((heavy.at(-1) as number) - (heavy[0] as number));
  });

  it('is without what lies far outside of it, at either end, be it two rows in five', () => {
    for (const share of [0.06, 0.15, 0.3, 0.4]) {
      const near = rows(1000 * (1 - share), (i) => i / (1 - share));
      for (const far of [9999e3, -9999e3]) {
        const found = bulkWidth(quantilesOf([...near, ...rows(1000 * share, () => far)]));
        expect(found, `${share}`).toBeGreaterThan(700);
        expect(found, `${share}`).toBeLessThanOrEqual(1000);
      }
      const unit = bulkWidth(quantilesOf([...near, ...rows(1000 * share, (i) => 1e6 + 1e3 * i)]));
      expect(unit, `${share}`).toBeLessThanOrEqual(1000);
    }
  });

  it('is that of the rest where half of the rows are one value, and 0 where nearly all are', () => {
    expect(bulkWidth(quantilesOf([...rows(600, () => 0), ...rows(400, (i) => i)]))).toBeGreaterThan(300);
    const far = [...rows(600, () => 0), ...rows(340, (i) => i / 34), ...rows(60, () => 9999)];
    expect(bulkWidth(quantilesOf(far))).toBeLessThan(10);
    expect(bulkWidth(quantilesOf([...rows(960, () => 7), ...rows(40, (i) => i)]))).toBe(0);
    expect(bulkWidth(quantilesOf([...rows(920, () => 7), ...rows(80, () => 9)]))).toBe(2);
  });
});
