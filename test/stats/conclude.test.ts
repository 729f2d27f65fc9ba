import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareMetric, type PairedPredictions } from '../../src/stats/compare-metric.ts';
import { tQuantile } from '../../src/stats/distributions.ts';
import { encodeClusters } from '../../src/stats/influence.ts';
import { benjaminiHochberg, holm } from '../../src/stats/multiplicity.ts';
import { addTrainingNoise, conclude, type PairedEstimate } from '../../src/stats/paired-estimate.ts';
import { pairedMean } from '../../src/stats/paired-mean.ts';
import { PAIRED_METRICS } from '../../src/stats/paired-metrics.ts';
import { pairedRatio } from '../../src/stats/paired-ratio.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { ratioOfSums } from '../../src/stats/ratio.ts';
import { isUndefined, type Undefined } from '../../src/stats/undefined.ts';

function defined<T extends object>(value: T | Undefined): T {
  if (isUndefined(value)) throw new Error(value.detail);
  return value;
}

const estimate: PairedEstimate = {
  method: 'paired_t',
  n: 400,
  clusters: null,
  estimateA: 0.5,
  estimateB: 0.49,
  diff: -0.01,
  se: 0.01,
  df: 399,
};
const options = { alpha: 0.05, margin: 0.02 };

describe('conclusions', () => {
  it('bounds are one-sided, the interval two-sided, and mde80 and rows follow', () => {
    const c = conclude(estimate, options);
    const [one, two] = [tQuantile(0.95, 399), tQuantile(0.975, 399)];
    expect(c.boundLow).toBeCloseTo(-0.01 - one * 0.01, 14);
    expect(c.ciHigh).toBeCloseTo(-0.01 + two * 0.01, 14);
    expect(c.confidence).toBe(0.95);
    expect(c.mde80).toBeCloseTo((one + tQuantile(0.8, 399)) * 0.01, 14);
    expect(c.rowsNeeded).toBe(Math.ceil(400 * (c.mde80 / 0.02) ** 2));
    expect(c.pWorse).toBeCloseTo(c.pTwoSided / 2, 14);
    expect(conclude(estimate, { alpha: 0.05, margin: null }).rowsNeeded).toBeNull();
  });

  it('no variance: identical models are not worse, a constant drop is certain', () => {
    const same = conclude({ ...estimate, diff: 0, se: 0 }, options);
    expect(same).toMatchObject({ pTwoSided: 1, pWorse: 1, ciLow: 0, ciHigh: 0, mde80: 0, rowsNeeded: 0 });
    expect(conclude({ ...estimate, se: 0 }, options)).toMatchObject({ pTwoSided: 0, pWorse: 0 });
    expect(conclude({ ...estimate, diff: 0.01, se: 0 }, options)).toMatchObject({ pTwoSided: 0, pWorse: 1 });
  });

  it('no discordant row: p is 1, and what the set cannot see is still said', () => {
    const y = Float64Array.from({ length: 50 }, (_, i) => i % 2);
    const c = conclude(defined(compareMetric('accuracy', { y, a: y, b: y })), options);
    expect(c).toMatchObject({ pTwoSided: 1, pWorse: 1 });
    expect(c.boundHigh).toBeCloseTo(1.6448536269514722 ** 2 / (50 + 1.6448536269514722 ** 2), 12);
    expect(c.mde80).toBeGreaterThan(0);
    expect(c.rowsNeeded).toBeGreaterThan(50);
  });

  it('training noise adds its variance and its degrees of freedom', () => {
    const noisy = addTrainingNoise(estimate, { sd: 0.01, df: 5 });
    expect(noisy.se).toBeCloseTo(Math.sqrt(3) * 0.01, 14);
    expect(noisy.df).toBeCloseTo(9 / (1 / 399 + 4 / 5), 10);
    expect(addTrainingNoise({ ...estimate, df: null }, { sd: 0.01, df: null }).df).toBeNull();
    expect(addTrainingNoise({ ...estimate, df: 3 }, { sd: 0, df: null }).df).toBeCloseTo(3, 12);
  });
});

const predictions = fc
  .array(
    fc.record({
      y: fc.nat(1),
      a: fc.integer({ min: 1, max: 9 }),
      b: fc.integer({ min: 1, max: 9 }),
      g: fc.nat(5),
      w: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .map((rows) => ({
    y: Float64Array.from(rows, (r) => r.y),
    a: Float64Array.from(rows, (r) => r.a / 10),
    b: Float64Array.from(rows, (r) => r.b / 10),
    clusters: encodeClusters(rows.map((r) => r.g)),
    weights: Float64Array.from(rows, (r) => r.w),
  }));
const variants = fc
  .tuple(predictions, fc.constantFrom(...PAIRED_METRICS), fc.boolean(), fc.boolean())
  .map(([rows, metric, clustered, weighted]) => ({
    metric,
    data: {
      ...rows,
      clusters: clustered ? rows.clusters : null,
      weights: weighted ? rows.weights : null,
    } satisfies PairedPredictions,
  }));

describe('properties of paired comparisons', () => {
  it('everything is finite or undefined with a reason', () => {
    fc.assert(
      fc.property(variants, ({ metric, data }) => {
        const result = compareMetric(metric, data);
        if (isUndefined(result)) return result.detail.length > 0;
        const { deciding, ...told } = conclude(result, options);
        const numbers = [
          result.estimateA,
          result.estimateB,
          result.diff,
          result.se,
          ...Object.values(told),
          deciding.pWorse,
          deciding.mde80,
        ];
        return numbers.every((x) => Number.isFinite(x));
      }),
      { numRuns: 1000 },
    );
  });

  it('swapping the models mirrors difference, interval and bounds', () => {
    fc.assert(
      fc.property(variants, ({ metric, data }) => {
        const there = compareMetric(metric, data);
        const back = compareMetric(metric, { ...data, a: data.b, b: data.a });
        if (isUndefined(there) || isUndefined(back)) return isUndefined(there) && isUndefined(back);
        const [c, d] = [conclude(there, options), conclude(back, options)];
        const near = (x: number, z: number) => Math.abs(x - z) <= 1e-9 * Math.max(1, Math.abs(x));
        return (
          near(there.diff, -back.diff) &&
          near(there.se, back.se) &&
          near(c.boundLow, -d.boundHigh) &&
          near(c.ciHigh, -d.ciLow) &&
          near(c.pTwoSided, d.pTwoSided)
        );
      }),
      { numRuns: 500 },
    );
  });

  it('weights of one and clusters of one row change nothing but the name', () => {
    fc.assert(
      fc.property(
        predictions,
        fc.constantFrom('auc', 'f1', 'brier', 'log_loss', 'rmse' as const),
        (rows, metric) => {
          const { y, a, b } = rows;
          const plain = compareMetric(metric, { y, a, b });
          const weighted = compareMetric(metric, { y, a, b, weights: new Float64Array(y.length).fill(2) });
          const single = compareMetric(metric, { y, a, b, clusters: encodeClusters([...y.keys()]) });
          if (isUndefined(plain) || isUndefined(weighted) || isUndefined(single)) return true;
          const near = (x: number, z: number) => Math.abs(x - z) <= 1e-9;
          return (
            near(weighted.diff, plain.diff) &&
            near(single.diff, plain.diff) &&
            near(single.se, weighted.se) &&
            (metric === 'auc' || near(single.se, plain.se))
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('adjusted p-values keep the order of p and are never below it; Holm is never below BH', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (p) => {
          const [h, bh] = [holm(p), benjaminiHochberg(p)] as [number[], number[]];
          return p.every(
            (x, i) =>
              (bh[i] as number) >= x - 1e-15 &&
              (h[i] as number) >= (bh[i] as number) - 1e-12 &&
              (h[i] as number) <= 1,
          );
        },
      ),
    );
  });
});

describe('money and ratios', () => {
  it('a mean of money where higher is better', () => {
    const [a, b] = [Float64Array.of(10, 0, 5), Float64Array.of(12, 1, 5)];
    const result = defined(pairedMean({ a, b, weights: null, clusters: null, higherIsBetter: true }));
    expect(result.diff).toBeCloseTo(1, 14);
    expect(result.se).toBeCloseTo(1 / Math.sqrt(3), 14);
  });
  it('WAPE compares like recall does: the same ratio by two ways', () => {
    const random = seededRandom(4);
    const y = Float64Array.from({ length: 60 }, () => (random.uniform() < 0.5 ? 1 : 0));
    const [a, b] = [y.map(() => random.uniform()), y.map(() => random.uniform())];
    const columns = (p: Float64Array) => ({
      numerator: y.map((t, i) => (t === 1 && (p[i] as number) >= 0.5 ? 1 : 0)),
      denominator: y,
    });
    const rest = { weights: null, clusters: null, higherIsBetter: true };
    const byRatio = defined(pairedRatio({ a: columns(a), b: columns(b), ...rest }));
    expect(byRatio).toEqual(defined(compareMetric('recall', { y, a, b })));
  });
  it('a ratio without denominator is undefined', () => {
    expect(ratioOfSums({ numerator: [1, 2], denominator: [0, 0], weights: null })).toMatchObject({
      undefined: 'zero_denominator',
    });
  });
});
