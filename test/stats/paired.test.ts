import { describe, expect, it } from 'vitest';
import { compareMetric } from '../../src/stats/compare-metric.ts';
import type { DeLongEstimate } from '../../src/stats/delong.ts';
import { encodeClusters } from '../../src/stats/influence.ts';
import { mcnemar } from '../../src/stats/mcnemar.ts';
import { conclude, type PairedEstimate } from '../../src/stats/paired-estimate.ts';
import { higherIsBetter, type PairedMetric } from '../../src/stats/paired-metrics.ts';
import { tangoInterval } from '../../src/stats/tango.ts';
import { isUndefined, type Undefined } from '../../src/stats/undefined.ts';
import { expectClose, expectRelative, fixture } from './close.ts';

interface Expected {
  a: number;
  b: number;
  diff: number;
  se: number;
  cov?: [[number, number], [number, number]];
  se_statsmodels?: number;
  p?: number | null;
  ci95?: [number, number] | null;
  b_c?: [number, number];
}
interface Case {
  name: string;
  y: number[];
  a: number[];
  b: number[];
  weights: number[] | null;
  clusters: number[] | null;
  expected: Partial<Record<PairedMetric, Expected>>;
}
interface Pair {
  b: number;
  c: number;
  n: number;
  p_exact: number;
  p_midp: number;
  p_worse: number;
  chi2: number;
  p_chi2: number;
  tango95: [number, number];
  tango90: [number, number];
}
const { cases, multiclass, discordant } = fixture<{
  cases: Case[];
  multiclass: {
    y: number[];
    a: number[];
    b: number[];
    expected: Record<string, { a: number; b: number; se: number }>;
  };
  discordant: Pair[];
}>('paired');

function defined<T extends object>(value: T | Undefined): T {
  if (isUndefined(value)) throw new Error(`undefined: ${value.undefined}, ${value.detail}`);
  return value;
}

function columns(one: Case) {
  return {
    y: Float64Array.from(one.y),
    a: Float64Array.from(one.a),
    b: Float64Array.from(one.b),
    weights: one.weights && Float64Array.from(one.weights),
    clusters: one.clusters && encodeClusters(one.clusters),
  };
}

describe.each(cases)('paired comparison: $name', (one) => {
  it.each(Object.keys(one.expected) as PairedMetric[])(
    '%s equals scikit-learn and the plain definitions',
    (metric) => {
      const want = one.expected[metric] as Expected;
      const got = defined(compareMetric(metric, columns(one)));
      expectClose(got.estimateA, want.a, 'A');
      expectClose(got.estimateB, want.b, 'B');
      expectClose(got.diff, want.diff, 'diff');
      expectClose(got.se, want.se, 'se');
      expect(
        higherIsBetter(metric) ? got.estimateB - got.estimateA : got.estimateA - got.estimateB,
      ).toBeCloseTo(got.diff, 12);
      if (want.se_statsmodels !== undefined) expectClose(got.se, want.se_statsmodels, 'statsmodels se');
      if (want.cov) {
        const { varianceA, varianceB, covariance } = got as DeLongEstimate;
        expectClose(varianceA, want.cov[0][0], 'var A');
        expectClose(varianceB, want.cov[1][1], 'var B');
        expectClose(covariance, want.cov[0][1], 'cov');
      }
      if (want.b_c) expect([got.discordant?.b, got.discordant?.c]).toEqual(want.b_c);
      const conclusion = conclude(got, { alpha: 0.05, margin: 0.01 });
      if (want.p != null) expectRelative(conclusion.pTwoSided, want.p, 'paired t p', 1e-9);
      if (want.ci95 != null) {
        expectClose(conclusion.ciLow, want.ci95[0], 'low');
        expectClose(conclusion.ciHigh, want.ci95[1], 'high');
      }
      const { deciding, ...told } = conclusion;
      for (const value of [...Object.values(told), deciding.pWorse, deciding.mde80])
        expect(Number.isFinite(value)).toBe(true);
      if (deciding.widened) return;
      expect(conclusion.ciLow).toBeLessThanOrEqual(conclusion.boundLow);
      expect(conclusion.boundHigh).toBeLessThanOrEqual(conclusion.ciHigh);
    },
  );
});

describe('several classes', () => {
  it.each(Object.entries(multiclass.expected))('%s', (metric, want) => {
    const [y, a, b] = [multiclass.y, multiclass.a, multiclass.b].map((v) =>
      Float64Array.from(v),
    ) as Float64Array[];
    const got = defined(compareMetric(metric as PairedMetric, { y: y!, a: a!, b: b!, classes: true }));
    expectClose(got.estimateA, want.a, 'A');
    expectClose(got.estimateB, want.b, 'B');
    if (metric !== 'accuracy') expectClose(got.se, want.se, 'se');
  });
});

describe('McNemar and Tango', () => {
  it.each(discordant)('b=$b c=$c n=$n', (pair) => {
    const test = mcnemar(pair);
    expectRelative(test.pExact, pair.p_exact, 'exact', 1e-9);
    expectRelative(test.pMidP, pair.p_midp, 'mid-p', 1e-9);
    expectRelative(test.pWorseMidP, pair.p_worse, 'worse', 1e-9);
    expectClose(test.chi2, pair.chi2, 'chi2');
    expectRelative(test.pChi2, pair.p_chi2, 'p chi2', 1e-9);
    for (const [alpha, want] of [
      [0.05, pair.tango95],
      [0.1, pair.tango90],
    ] as const) {
      const { low, high } = tangoInterval(pair, alpha);
      expectClose(low, want[0], 'low');
      expectClose(high, want[1], 'high');
    }
  });
});

describe('what does not exist is said, never NaN', () => {
  const f = (...v: number[]) => Float64Array.from(v);
  const reason = (v: PairedEstimate | Undefined) => (isUndefined(v) ? v.undefined : 'defined');
  it.each([
    ['auc', f(1, 1, 1), f(0.1, 0.2, 0.3), 'one_class'],
    ['auc', f(0, 0, 0), f(0.1, 0.2, 0.3), 'one_class'],
    ['auc', f(1, 0, 0), f(0.1, 0.2, 0.3), 'too_few_rows'],
    ['auc', f(), f(), 'empty'],
    ['f1', f(0, 0, 0), f(0.9, 0.2, 0.3), 'no_positives'],
    ['recall', f(0, 0, 0), f(0.9, 0.2, 0.3), 'no_positives'],
    ['precision', f(0, 1, 0), f(0.1, 0.2, 0.3), 'no_predicted_positives'],
    ['balanced_accuracy', f(0, 0), f(0.1, 0.2), 'one_class'],
    ['mape', f(0, 1), f(0.1, 0.2), 'zero_target'],
    ['rmse', f(1), f(1), 'too_few_rows'],
    ['mae', f(1, Number.NaN), f(1, 2), 'not_finite'],
    ['log_loss', f(1, 0), f(1.5, 0.2), 'out_of_range'],
    ['accuracy', f(2, 0), f(1, 0.2), 'out_of_range'],
  ] as const)('%s', (metric, y, scores, want) => {
    expect(reason(compareMetric(metric, { y, a: scores, b: scores }))).toBe(want);
  });

  it('one cluster or no weight', () => {
    const rows = { y: f(1, 0, 1, 0), a: f(0.1, 0.2, 0.3, 0.4), b: f(0.2, 0.3, 0.1, 0.2) };
    expect(reason(compareMetric('brier', { ...rows, clusters: encodeClusters(['a', 'a', 'a', 'a']) }))).toBe(
      'too_few_clusters',
    );
    expect(reason(compareMetric('brier', { ...rows, weights: f(0, 0, 0, 0) }))).toBe('zero_weight');
    expect(reason(compareMetric('auc', { ...rows, weights: f(1, 0, 1, 0) }))).toBe('zero_weight');
  });
});
