import { describe, expect, it } from 'vitest';
import { compareTrainings, largestDifference, type TrainingRecord } from '../../src/training/reproduction.ts';

const environment = {
  python: '3.12.3',
  implementation: 'CPython',
  platform: 'Linux x86_64',
  lock: 'a'.repeat(64),
  packages: { numpy: '2.3.1', 'scikit-learn': '1.8.0' },
};
const trained = (change: Partial<TrainingRecord> = {}): TrainingRecord => ({
  metrics: { auc: 0.75, log_loss: 0.5 },
  environment,
  ...change,
});
const compare = (again: TrainingRecord, tolerance = 1e-6) =>
  compareTrainings({ original: trained(), again, tolerance });

describe('a training and its repetition', () => {
  it('[TRN-7] is reproduced when every metric is inside the tolerance', () => {
    expect(compare(trained())).toMatchObject({ reproduced: true, differing: [] });
    const near = trained({ metrics: { auc: 0.75 * (1 + 0.9e-6), log_loss: 0.5 } });
    expect(compare(near)).toMatchObject({ reproduced: true, differing: [] });
    expect(compare(near).metrics[0]?.difference).toBeCloseTo(0.9e-6, 9);
  });

  it('[TRN-7] is not reproduced past the tolerance, and names the metrics', () => {
    const far = trained({ metrics: { auc: 0.75 * (1 + 1.2e-6), log_loss: 0.5 } });
    expect(compare(far)).toMatchObject({
      reproduced: false,
      differing: [{ field: 'metrics.auc', original: '0.75' }],
    });
    expect(compare(far, 1e-5).reproduced).toBe(true);
    expect(compare(far, 0).reproduced).toBe(false);
    expect(compare(trained(), 0).reproduced).toBe(true);
  });

  it('[TRN-7] names what else differs: Python, platform, lock, packages', () => {
    const again = trained({
      metrics: { auc: 0.7, log_loss: 0.5 },
      environment: {
        ...environment,
        python: '3.11.9',
        platform: 'macOS arm64',
        packages: { numpy: '2.4.0', scipy: '1.16.0' },
      },
    });
    expect(compare(again).differing).toEqual([
      { field: 'environment.python', original: '3.12.3', again: '3.11.9' },
      { field: 'environment.platform', original: 'Linux x86_64', again: 'macOS arm64' },
      { field: 'packages.numpy', original: '2.3.1', again: '2.4.0' },
      { field: 'packages.scikit-learn', original: '1.8.0', again: null },
      { field: 'packages.scipy', original: null, again: '1.16.0' },
      { field: 'metrics.auc', original: '0.75', again: '0.7' },
    ]);
    const sameMetrics = { ...again, metrics: trained().metrics };
    expect(compare(sameMetrics).reproduced).toBe(true);
    expect(compare(sameMetrics).differing).toHaveLength(5);
  });

  it('is not reproduced by a metric that is gone or new, or by none at all', () => {
    expect(compare(trained({ metrics: { auc: 0.75 } })).differing).toEqual([
      { field: 'metrics.log_loss', original: '0.5', again: null },
    ]);
    expect(compare(trained({ metrics: { ...trained().metrics, f1: 1 } })).reproduced).toBe(false);
    const none = trained({ metrics: {} });
    expect(compareTrainings({ original: none, again: none, tolerance: 1 }).reproduced).toBe(false);
  });

  it('counts a metric of zero as equal to zero alone', () => {
    const zero = trained({ metrics: { bias: 0 } });
    const tiny = trained({ metrics: { bias: 1e-12 } });
    const compared = (again: TrainingRecord) => compareTrainings({ original: zero, again, tolerance: 1e-6 });
    expect(compared(zero).reproduced).toBe(true);
    expect(compared(tiny)).toMatchObject({ reproduced: false, metrics: [{ difference: 1 }] });
  });
});

describe('the largest difference of predictions', () => {
  const numbers = (...values: number[]) => Float64Array.from(values);
  it.each([
    [numbers(1, 2, 3), numbers(1, 2.5, 2.75), 0.5],
    [numbers(1, 2), numbers(1, 2), 0],
    [numbers(1, Number.NaN), numbers(1, Number.NaN), 0],
    [numbers(1, Number.NaN), numbers(1, 2), Number.POSITIVE_INFINITY],
    [numbers(1), numbers(1, 2), Number.POSITIVE_INFINITY],
  ])('of %j and %j is %d', (a, b, expected) => {
    expect(largestDifference(a, b)).toBe(expected);
  });
});
