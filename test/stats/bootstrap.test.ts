import { describe, expect, it } from 'vitest';
import { sampleBinomial, sampleMultinomial } from '../../src/stats/binomial-sample.ts';
import {
  type BootstrapResult,
  bootstrapCells,
  bootstrapUnits,
  randomBuckets,
  sumByUnit,
} from '../../src/stats/bootstrap.ts';
import { bcaInterval, percentileInterval } from '../../src/stats/bootstrap-interval.ts';
import { compareMetric } from '../../src/stats/compare-metric.ts';
import { cellMetric, JOINT_STRATA, jointCells } from '../../src/stats/joint-cells.ts';
import { seededRandom, shuffle } from '../../src/stats/random.ts';
import { isUndefined, type Undefined } from '../../src/stats/undefined.ts';
import { fixture } from './close.ts';

function defined<T extends object>(value: T | Undefined): T {
  if (isUndefined(value)) throw new Error(value.detail);
  return value;
}

describe('random numbers', () => {
  it('are the same for a seed, differ between seeds, and lie in range', () => {
    const take = (seed: number) => {
      const random = seededRandom(seed);
      return [random.uint32(), random.uniform(), random.below(10)];
    };
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
    expect(take(7)).not.toEqual(take(7 + 2 ** 32));
    for (const { seed, values } of fixture<{ seed: number; values: number[] }[]>('random')) {
      const random = seededRandom(seed);
      expect(values.map(() => random.uint32())).toEqual(values);
    }
  });

  it('are uniform and shuffles are fair', () => {
    const random = seededRandom(1);
    let sum = 0;
    let square = 0;
    for (let i = 0; i < 1e5; i++) {
      const u = random.uniform();
      sum += u;
      square += u * u;
    }
    expect(sum / 1e5).toBeCloseTo(0.5, 2);
    expect(square / 1e5).toBeCloseTo(1 / 3, 2);
    const first = new Float64Array(5);
    for (let i = 0; i < 50000; i++) {
      const values = Int32Array.of(0, 1, 2, 3, 4);
      shuffle(values, random);
      first[values[0] as number]! += 1;
    }
    for (const count of first) expect(Math.abs(count - 10000)).toBeLessThan(4 * Math.sqrt(10000 * 0.8));
  });

  it.each([
    [20, 0.3],
    [1000, 0.4],
    [1e6, 0.77],
    [500, 0.004],
  ])('binomial draws of n=%d p=%d have the right mean and variance', (n, p) => {
    const random = seededRandom(3);
    const draws = 20000;
    let sum = 0;
    let square = 0;
    for (let i = 0; i < draws; i++) {
      const x = sampleBinomial(random, n, p) - n * p;
      sum += x;
      square += x * x;
    }
    const variance = n * p * (1 - p);
    expect(Math.abs(sum / draws)).toBeLessThan(4.5 * Math.sqrt(variance / draws));
    expect(Math.abs(square / draws / variance - 1)).toBeLessThan(0.06);
  });

  it('multinomial draws keep the total', () => {
    const out = new Float64Array(4);
    const random = seededRandom(2);
    for (let i = 0; i < 200; i++) {
      sampleMultinomial(random, { total: 50, weights: [3, 0, 5, 1], out });
      expect(out.reduce((s, x) => s + x, 0)).toBe(50);
      expect(out[1]).toBe(0);
    }
  });
});

describe('bootstrap', () => {
  const random = seededRandom(42);
  const n = 3000;
  const y = Float64Array.from({ length: n }, () => (random.uniform() < 0.3 ? 1 : 0));
  const score = (lift: number) =>
    y.map((t) => Math.min(0.999, Math.max(0.001, random.uniform() * 0.8 + t * lift)));
  const a = score(0.2);
  const b = score(0.25);
  const hard = (s: Float64Array) => s.map((x) => (x >= 0.5 ? 1 : 0));
  const cells = jointCells({ y, a: hard(a), b: hard(b) });

  it.each(['accuracy', 'f1', 'precision', 'recall'] as const)(
    'over joint cells agrees with the influence se: %s',
    (metric) => {
      const exact = defined(compareMetric(metric, { y, a, b }));
      const statistic = (c: Float64Array) => cellMetric(metric, c, 'b') - cellMetric(metric, c, 'a');
      const result = defined(
        bootstrapCells({ counts: cells, strata: null, statistic, replicates: 4000, seed: 1 }),
      );
      expect(result.observed).toBeCloseTo(exact.diff, 12);
      expect(result.se / exact.se).toBeGreaterThan(0.95);
      expect(result.se / exact.se).toBeLessThan(1.05);
      const again = defined(
        bootstrapCells({ counts: cells, strata: JOINT_STRATA, statistic, replicates: 500, seed: 1 }),
      );
      expect(again.values).toEqual(
        defined(bootstrapCells({ counts: cells, strata: JOINT_STRATA, statistic, replicates: 500, seed: 1 }))
          .values,
      );
    },
  );

  it('over 2,000 buckets of rows agrees with the influence se of RMSE, by both intervals', () => {
    const squares = [a, b].map((s) => s.map((p, i) => (p - (y[i] as number)) ** 2)) as [
      Float64Array,
      Float64Array,
    ];
    const exact = defined(compareMetric('rmse', { y, a, b }));
    const { codes, count } = randomBuckets(n, 9);
    expect(count).toBe(2000);
    const units = sumByUnit([...squares, new Float64Array(n).fill(1)], codes, count);
    const statistic = ([sa = 0, sb = 0, rows = 0]: Float64Array) =>
      Math.sqrt(sa / rows) - Math.sqrt(sb / rows);
    const result = defined(bootstrapUnits({ units, statistic, replicates: 2000, seed: 3 }));
    expect(result.observed).toBeCloseTo(exact.diff, 10);
    expect(Math.abs(result.se / exact.se - 1)).toBeLessThan(0.08);
    for (const { low, high } of [
      percentileInterval(result, 0.05),
      bcaInterval(result, { units, statistic, alpha: 0.05 }),
    ]) {
      expect(Math.abs(low - (exact.diff - 1.96 * exact.se))).toBeLessThan(0.2 * exact.se);
      expect(Math.abs(high - (exact.diff + 1.96 * exact.se))).toBeLessThan(0.2 * exact.se);
    }
  });

  it('says when nothing can be resampled', () => {
    const none = bootstrapCells({
      counts: new Float64Array(8),
      strata: null,
      statistic: (c) => cellMetric('f1', c, 'a'),
      replicates: 10,
      seed: 1,
    });
    expect(none).toMatchObject({ undefined: 'not_finite' });
    const one = bootstrapUnits({
      units: { count: 1, width: 1, sums: Float64Array.of(1) },
      statistic: () => 1,
      replicates: 10,
      seed: 1,
    });
    expect(one).toMatchObject({ undefined: 'too_few_clusters' });
    const sometimes = defined(
      bootstrapCells({
        counts: Float64Array.of(3, 0, 0, 0, 0, 0, 0, 1),
        strata: null,
        statistic: (c) => cellMetric('f1', c, 'a'),
        replicates: 200,
        seed: 1,
      }),
    ) as BootstrapResult;
    expect(sometimes.undefinedReplicates).toBeGreaterThan(20);
  });
});
