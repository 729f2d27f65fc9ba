import { describe, expect, it } from 'vitest';
import { aroundMean } from '../../src/monitoring/wide-bins.ts';

describe('bins wider than those that they are compared with', () => {
  const bins = [0, 90, 25, 10];

  it('go to their middles, the fullest to where the mean says', () => {
    const mean = (90 * 0.7 + 10 * 25.5 * 8) / 100;
    expect(aroundMean({ exponent: 3, bins, mean }, -7)).toEqual([Math.floor(0.7 * 128), 90, 204 * 128, 10]);
  });

  it('stay where they are known to be', () => {
    // the others lie at their beginnings, which would have the fullest lie below its own
    const mean = (10 * 25 * 8) / 100;
    expect(aroundMean({ exponent: 3, bins, mean }, -7)?.[0]).toBe(0);
    const above = (90 * 7.99 + 10 * 25.9 * 8) / 100;
    expect(aroundMean({ exponent: 3, bins, mean: above }, -7)?.[0]).toBe(8 * 128 - 1);
  });

  it('say nothing without a full one, and where the mean is far off', () => {
    const even = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i : 5));
    expect(aroundMean({ exponent: 3, bins: even, mean: 80 }, -7)).toBeNull();
    expect(aroundMean({ exponent: 3, bins, mean: 1e28 }, -7)).toBeNull();
    expect(aroundMean({ exponent: 3, bins: [], mean: null }, -7)).toBeNull();
  });
});
