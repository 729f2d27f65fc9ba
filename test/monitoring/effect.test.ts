import { describe, expect, it } from 'vitest';
import { effectThreshold } from '../../src/monitoring/effect.ts';
import { toShares, totalVariation } from '../../src/stats/divergence.ts';
import { expectedTotalVariation, expectedWasserstein } from '../../src/stats/expected-distance.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { wassersteinFromCounts } from '../../src/stats/wasserstein.ts';

describe('expected distance', () => {
  it('is what two samples of one distribution lie apart on average', () => {
    const random = seededRandom(3);
    const shares = [0.4, 0.3, 0.2, 0.1];
    const positions = Float64Array.of(0, 1, 2, 5);
    const draw = (n: number) => {
      const counts = new Float64Array(4);
      for (let i = 0; i < n; i++) {
        const u = random.uniform();
        const at = u < 0.4 ? 0 : u < 0.7 ? 1 : u < 0.9 ? 2 : 3;
        counts[at] = (counts[at] as number) + 1;
      }
      return counts;
    };
    const [n, m, runs] = [400, 250, 2000];
    let [variation, distance] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const [first, second] = [draw(n), draw(m)];
      variation += totalVariation(toShares(first), toShares(second)) / runs;
      distance += (wassersteinFromCounts({ values: positions, first, second }) as number) / runs;
    }
    const pooled = { counts: shares.map((share) => share * (n + m)), n, m };
    expect(expectedTotalVariation(pooled) / variation).toBeCloseTo(1, 1);
    expect(expectedWasserstein({ ...pooled, positions }) / distance).toBeCloseTo(1, 1);
  });
});

describe('the threshold of an effect', () => {
  const points = { unit: 'points' as const, sd: 1 };
  /** Two categories in 40 blocks: the first takes 50 % in even weeks and 70 % in odd ones. */
  const season = Float64Array.from({ length: 80 }, (_, i) => {
    const share = (i >> 1) % 10 < 5 ? 50 : 70;
    return i % 2 === 0 ? share : 100 - share;
  });
  const counts = (blocks: number) => ({
    bins: 2,
    positions: null,
    reference: season,
    current: season.slice(0, 2 * blocks),
  });

  it('is learned from past periods of the same length where there are three of them', () => {
    const learned = effectThreshold(counts(5), points, { floor: { points: 1 }, weekdays: null });
    expect(learned.from).toBe('past_periods');
    // a period within one phase lies 10 · 40/35 points from the rest
    expect(learned.value).toBeCloseTo((10 * 40) / 35, 6);
    // where every period is like the others, chance is what is left
    const calm = effectThreshold(counts(10), points, { floor: { points: 0 }, weekdays: null });
    expect(calm.from).toBe('sampling_noise');
    expect(calm.value).toBeLessThan(2);
  });

  it('is learned from no period where the window has no block', () => {
    const learned = effectThreshold(counts(0), points, { floor: { points: 1 }, weekdays: null });
    expect(learned).toEqual({ value: 1, from: 'configured' });
  });

  it('is the sampling noise where the past is too short, and never under the configured floor', () => {
    expect(effectThreshold(counts(20), points, { floor: { points: 0 }, weekdays: null }).from).toBe(
      'sampling_noise',
    );
    expect(effectThreshold(counts(20), points, { floor: { points: 30 }, weekdays: null })).toEqual({
      value: 30,
      from: 'configured',
    });
    expect(effectThreshold(counts(5), points, { floor: { points: 30 }, weekdays: null })).toEqual({
      value: 30,
      from: 'configured',
    });
  });

  it('is learned from periods with the weekday mix of the window', () => {
    // of weekdays half the rows are of the first category, of weekend days nine in ten; ten weeks from a Monday
    const share = (day: number) => (day % 7 < 5 ? 50 : 90);
    const days = (n: number, from: number) =>
      Float64Array.from({ length: 2 * n }, (_, i) => {
        const first = share(from + (i >> 1));
        return i % 2 === 0 ? first : 100 - first;
      });
    const threshold = (n: number, from: number, known: boolean) =>
      effectThreshold({ bins: 2, positions: null, reference: days(70, 0), current: days(n, from) }, points, {
        floor: { points: 0 },
        weekdays: known
          ? Int32Array.from({ length: 70 + n }, (_, i) => (i < 70 ? i : from + i - 70) % 7)
          : null,
      });
    // Monday to Friday: such periods lie as far from the rest as weekdays do
    expect(threshold(5, 70, true)).toMatchObject({ from: 'past_periods' });
    expect(threshold(5, 70, true).value).toBeCloseTo(((2 / 7) * 40 * 70) / 65, 6);
    // Thursday to Monday hold both days of a weekend: the shift is another one
    expect(threshold(5, 73, true).value).toBeCloseTo((0.4 - 2 / 7) * 40 * (70 / 65), 6);
    // without weekdays both are held against the most extreme of all
    expect(threshold(5, 73, false).value).toBeCloseTo(threshold(5, 70, false).value, 6);
  });
});
