import { describe, expect, it } from 'vitest';
import { boundOf, estimateCandidate, type SingleEstimate } from '../../src/gate/metrics.ts';
import { isUndefined } from '../../src/stats/undefined.ts';

/** A model without a mistake on `rows` rows. */
function perfect(metric: 'accuracy' | 'auc' | 'f1', rows: number): SingleEstimate {
  const label = Float64Array.from({ length: rows }, (_, row) => row % 2);
  const estimate = estimateCandidate(
    { metric, threshold: 0.5 },
    { label, candidate: label, champion: null, clusters: null, losses: undefined },
  );
  if (isUndefined(estimate)) throw new Error(estimate.detail);
  return estimate;
}

describe('the bound of a floor', () => {
  it('has no certainty from a handful of rows without a mistake', () => {
    for (const metric of ['accuracy', 'auc', 'f1'] as const) {
      expect(boundOf(perfect(metric, 6), 'low', 0.05)).toBeLessThan(0.7);
      expect(boundOf(perfect(metric, 20_000), 'low', 0.05)).toBeGreaterThan(0.99);
    }
  });
});
