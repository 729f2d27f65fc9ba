import { describe, expect, it } from 'vitest';
import { compareMetric } from '../../src/stats/compare-metric.ts';
import { type Clusters, encodeClusters } from '../../src/stats/influence.ts';
import { estimateNdcg } from '../../src/stats/ndcg.ts';
import { pairedBootstrap } from '../../src/stats/paired-bootstrap.ts';
import { conclude } from '../../src/stats/paired-estimate.ts';
import type { PairedMetric } from '../../src/stats/paired-metrics.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { isUndefined, type Undefined } from '../../src/stats/undefined.ts';
import { expectClose, expectRelative, fixture } from './close.ts';

interface Rows {
  name: string;
  y: number[];
  a: number[];
  b: number[];
}
interface Want {
  a: number;
  b: number;
  se: number;
}
const { classes, rankings, calibration } = fixture<{
  classes: (Rows & {
    weights: number[] | null;
    clusters: number[] | null;
    expected: Record<'balanced_accuracy' | 'macro_f1', Want>;
  })[];
  rankings: (Rows & {
    queries: number[];
    places: number;
    expected: Want & { p: number; ci95: [number, number] };
  })[];
  calibration: (Rows & { expected: Want })[];
}>('more-metrics');

function defined<T extends object>(value: T | Undefined): T {
  if (isUndefined(value)) throw new Error(`${value.undefined}: ${value.detail}`);
  return value;
}

const columns = ({ y, a, b }: Rows) => ({
  y: Float64Array.from(y),
  a: Float64Array.from(a),
  b: Float64Array.from(b),
});

function expectSame(got: { estimateA: number; estimateB: number; se: number }, want: Want): void {
  expectClose(got.estimateA, want.a, 'A');
  expectClose(got.estimateB, want.b, 'B');
  expectClose(got.se, want.se, 'se');
}

describe.each(classes)('several classes equal scikit-learn and plain definitions: $name', (one) => {
  it.each(['balanced_accuracy', 'macro_f1'] as const)('%s', (metric) => {
    const weights = one.weights && Float64Array.from(one.weights);
    const clusters = one.clusters && encodeClusters(one.clusters);
    const data = { ...columns(one), classes: true, clusters, ...(weights ? { weights } : {}) };
    expectSame(defined(compareMetric(metric, data)), one.expected[metric]);
  });
});

describe('NDCG equals scikit-learn, its test SciPy', () => {
  it.each(rankings)('$name', ({ expected, queries, places, ...rows }) => {
    const clusters = encodeClusters(queries);
    const got = defined(compareMetric('ndcg', { ...columns(rows), clusters, places }));
    expectSame(got, expected);
    expect(got).toMatchObject({ method: 'paired_t', clusters: clusters.count, n: rows.y.length });
    const told = conclude(got, { alpha: 0.05, margin: 0.01 });
    expectRelative(told.pTwoSided, expected.p, 'p', 1e-9);
    expectClose(told.ciLow, expected.ci95[0], 'low');
    expectClose(told.ciHigh, expected.ci95[1], 'high');
    const single = defined(
      estimateNdcg({
        y: Float64Array.from(rows.y),
        score: Float64Array.from(rows.b),
        queries: clusters,
        places,
      }),
    );
    expectClose(single.value, expected.b, 'one model');
  });

  it('needs queries, and relevances of at least 0', () => {
    const y = Float64Array.of(1, 0, 2);
    expect(compareMetric('ndcg', { y, a: y, b: y })).toMatchObject({ undefined: 'no_groups' });
    const clusters = encodeClusters([1, 1, 2]);
    expect(compareMetric('ndcg', { y: Float64Array.of(-1, 0, 2), a: y, b: y, clusters })).toMatchObject({
      undefined: 'out_of_range',
    });
  });
});

describe('squared calibration error', () => {
  it.each(calibration)('equals the double loops: $name', ({ expected, ...rows }) => {
    expectSame(defined(compareMetric('calibration_error', columns(rows))), expected);
  });

  it('has the same value with weights of one, and a bootstrap se of the same size', () => {
    const { a, b, y } = world(4000, 3, 1.4);
    const plain = defined(compareMetric('calibration_error', { y, a, b }));
    const weighted = defined(
      compareMetric('calibration_error', { y, a, b, weights: new Float64Array(y.length).fill(1), seed: 4 }),
    );
    expect(weighted.method).toBe('bootstrap');
    expectClose(weighted.estimateA, plain.estimateA, 'A');
    expectClose(weighted.diff, plain.diff, 'diff');
    expect(Math.abs(weighted.se / plain.se - 1)).toBeLessThan(0.12);
  });

  it('calls equally calibrated models worse about as often as alpha says, or less', () => {
    let worse = 0;
    let sum = 0;
    const runs = 1000;
    for (let run = 0; run < runs; run++) {
      const data = world(400, run + 1, 1);
      const got = defined(compareMetric('calibration_error', data));
      sum += got.estimateB;
      if (conclude(got, { alpha: 0.05, margin: null }).boundHigh < 0) worse++;
    }
    // three standard errors of a rate of .05 in 1,000 runs
    expect(worse / runs).toBeLessThan(0.071);
    // no bias: the plain value would come out near 10 bins × .17 / 400 = .004
    expect(Math.abs(sum / runs)).toBeLessThan(0.0004);
  });
});

/** Labels drawn from q; two models that each see q through noise of their own that leaves them calibrated. */
function world(n: number, seed: number, bend: number) {
  const random = seededRandom(seed);
  const y = new Float64Array(n);
  const a = new Float64Array(n);
  const b = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // what each model knows of the label's probability ½(s + t): its own half, and the other's mean
    const [s, t] = [random.uniform(), random.uniform()];
    y[i] = random.uniform() < (s + t) / 2 ? 1 : 0;
    a[i] = (s + 0.5) / 2;
    b[i] = ((t + 0.5) / 2) ** bend;
  }
  return { y, a, b };
}

describe('paired bootstrap', () => {
  const random = seededRandom(12);
  const n = 3000;
  const y = Float64Array.from({ length: n }, () => (random.uniform() < 0.3 ? 1 : 0));
  const score = (lift: number) => y.map((t) => Math.min(1, random.uniform() * 0.8 + t * lift));
  const [a, b] = [score(0.15), score(0.2)];
  const squares = (s: Float64Array) => s.map((p, i) => (p - (y[i] as number)) ** 2);
  const one = new Float64Array(n).fill(1);
  const root = ([sa = 0, sb = 0, rows = 0]: Float64Array) =>
    [Math.sqrt(sa / rows), Math.sqrt(sb / rows)] as const;
  const days: Clusters = { codes: Int32Array.from(y, (_, i) => i % 60), count: 60 };

  it.each([
    ['rows', null],
    ['clusters', days],
  ] as const)('agrees with the influence se of RMSE over %s, and repeats', (_, clusters) => {
    const exact = defined(compareMetric('rmse', { y, a, b, clusters }));
    const ask = () =>
      defined(
        pairedBootstrap({
          columns: [squares(a), squares(b), one],
          clusters,
          statistic: root,
          higherIsBetter: false,
          seed: 5,
        }),
      );
    const got = ask();
    expect(got).toMatchObject({ method: 'bootstrap', n, clusters: clusters === null ? null : 60 });
    expectClose(got.diff, exact.diff, 'diff');
    expect(Math.abs(got.se / exact.se - 1)).toBeLessThan(0.08);
    expect(ask()).toEqual(got);
  });

  it('never makes certainty of nothing: equal columns leave room for unseen rows', () => {
    const columns = [squares(a).subarray(0, 5), squares(a).subarray(0, 5), one.subarray(0, 5)];
    const got = defined(
      pairedBootstrap({ columns, clusters: null, statistic: root, higherIsBetter: false, seed: 5 }),
    );
    expect(conclude(got, { alpha: 0.05, margin: 0.01 }).boundLow).toBeLessThan(-0.1);
  });
});

describe('a pass needs evidence', () => {
  const metrics: PairedMetric[] = [
    ...(['accuracy', 'auc', 'f1', 'precision', 'recall', 'balanced_accuracy', 'macro_f1'] as const),
    ...(['log_loss', 'brier', 'rmse', 'mse', 'mae', 'mape', 'calibration_error'] as const),
  ];
  const models = (n: number, kind: 'identical' | 'perfect' | 'near') => {
    const random = seededRandom(6);
    const regression = (i: number) => 5 + (i % 5);
    const rows = (metric: PairedMetric) => {
      const numbers = ['rmse', 'mse', 'mae', 'mape'].includes(metric);
      const y = Float64Array.from({ length: n }, (_, i) => (numbers ? regression(i) : i % 2));
      const a = y.map((t) =>
        kind === 'perfect'
          ? t
          : numbers
            ? t * (0.8 + 0.4 * random.uniform())
            : Math.min(1, 0.6 * random.uniform() + 0.4 * t),
      );
      const b = kind === 'near' ? a.map((p) => p * (1 - 1e-9)) : a;
      return { y, a, b };
    };
    return rows;
  };

  it.each(metrics)('%s: equal models pass on 20,000 rows and never on 5', (metric) => {
    for (const kind of ['identical', 'perfect', 'near'] as const) {
      const bounds = (n: number) => {
        const got = defined(compareMetric(metric, models(n, kind)(metric)));
        return { got, told: conclude(got, { alpha: 0.05, margin: 0.01 }) };
      };
      const few = bounds(5);
      expect(few.told.boundLow, `${kind}, 5 rows`).toBeLessThan(-0.05);
      expect(few.told.boundHigh, `${kind}, 5 rows`).toBeGreaterThan(0.05);
      expect(few.told.deciding.mde80, `${kind}, 5 rows`).toBeGreaterThan(0.05);
      // the root of a share is far larger than the share: a perfect RMSE says less than another loss
      const least = metric === 'rmse' && kind === 'perfect' ? -0.12 : -0.01;
      expect(bounds(20000).told.boundLow, `${kind}, 20,000 rows`).toBeGreaterThan(least);
    }
  });

  it('nor with clusters, weights, or training noise', () => {
    const { y, a, b } = models(5, 'identical')('accuracy');
    const more = [
      { clusters: encodeClusters([1, 2, 3, 4, 5]) },
      { weights: Float64Array.of(1, 2, 1, 1, 1e9) },
    ];
    for (const metric of metrics.slice(0, 8)) {
      for (const extra of more) {
        const got = defined(compareMetric(metric, { y, a, b, ...extra }));
        expect(conclude(got, { alpha: 0.05, margin: 0.01 }).boundLow, metric).toBeLessThan(-0.1);
      }
    }
  });

  it('precision where every label is 1 is not proven by rows that cannot err', () => {
    const y = new Float64Array(5).fill(1);
    const a = Float64Array.of(0.9, 0.8, 0.2, 0.1, 0.9);
    const b = Float64Array.of(0.1, 0.8, 0.7, 0.9, 0.6);
    const got = defined(compareMetric('precision', { y, a, b }));
    expect(got).toMatchObject({ diff: 0, se: 0 });
    expect(conclude(got, { alpha: 0.05, margin: 0.01 }).boundLow).toBeLessThan(-0.5);
  });

  it('a difference with no spread is no certainty either', () => {
    const y = Float64Array.of(1, 2, 3, 4, 5);
    const worse = defined(compareMetric('mae', { y, a: y.map((v) => v + 1), b: y.map((v) => v + 1.5) }));
    const told = conclude(worse, { alpha: 0.05, margin: 0.01 });
    expect(told.boundHigh).toBeGreaterThan(0);
    expect(told.deciding).toMatchObject({ widened: true });
    expect(told.deciding.pWorse).toBeGreaterThan(0.05);
  });

  it('and the limit is the exact binomial one for hits', () => {
    const { y, a, b } = models(40, 'identical')('recall');
    const told = conclude(defined(compareMetric('recall', { y, a, b })), { alpha: 0.05, margin: 0.01 });
    expect(told.boundLow).toBeCloseTo(-(1 - 0.05 ** (1 / 20)), 12);
  });
});
