import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockPermutation } from '../../src/stats/block-permutation.ts';
import { centreStrata, worthStratifying } from '../../src/stats/block-strata.ts';
import { type Random, seededRandom, shuffle } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import { expectClose } from './close.ts';

const bins = 30;

/** Days with a level of their own beside their weekday's; the last 15 of 30 are shifted. */
function world(random: Random, { weekday, shift }: { weekday: number; shift: number }) {
  const days = Int32Array.from({ length: 30 }, (_, i) => i);
  shuffle(days, random);
  const levels = Array.from({ length: 7 }, () => (random.uniform() - 0.5) * weekday);
  const counts = new Float64Array(30 * bins);
  days.forEach((day, block) => {
    const level = 15 + (levels[day % 7] ?? 0) + (random.uniform() - 0.5) * 6 + (block >= 15 ? shift : 0);
    for (let row = 0; row < 100; row++) {
      const bin = Math.round(level + (random.uniform() - 0.5) * 8);
      counts[block * bins + Math.min(bins - 1, Math.max(0, bin))]! += 1;
    }
  });
  return { counts, strata: days.map((day) => day % 7) };
}

describe('strata of blocks', () => {
  it('centring keeps the rows of each block and the counts of each bin, and takes what strata differ in', () => {
    const some = fc.array(fc.nat(50), { minLength: 36, maxLength: 36 });
    fc.assert(
      fc.property(some, fc.array(fc.nat(2), { minLength: 12, maxLength: 12 }), (cells, labels) => {
        const counts = Float64Array.from(cells);
        const centred = centreStrata({ bins: 3, counts, strata: Int32Array.from(labels) });
        for (let block = 0; block < 12; block++) {
          const rows = (of: Float64Array) => of.subarray(3 * block, 3 * block + 3).reduce((s, n) => s + n, 0);
          expectClose(rows(centred), rows(counts), 'rows');
        }
        const bin = (of: Float64Array, b: number) =>
          of.filter((_, i) => i % 3 === b).reduce((s, n) => s + n, 0);
        const total = bin(counts, 0) + bin(counts, 1) + bin(counts, 2);
        for (const b of [0, 1, 2]) expectClose(bin(centred, b), bin(counts, b), 'bin');
        for (const stratum of new Set(labels)) {
          const of = (values: Float64Array) =>
            [0, 1, 2].map((b) =>
              values.reduce(
                (s, n, i) => (labels[Math.floor(i / 3)] === stratum && i % 3 === b ? s + n : s),
                0,
              ),
            );
          const rows = of(counts).reduce((s, n) => s + n, 0);
          for (const [b, n] of of(centred).entries())
            if (rows > 0) expectClose(n / rows, bin(counts, b) / total, 'share');
        }
      }),
      { seed: 2 },
    );
  });

  it('is worth it where weekdays differ, not where they do not, and never with too few assignments', () => {
    const random = seededRandom(4);
    const share = (weekday: number) =>
      Array.from({ length: 40 }, () => {
        const made = world(random, { weekday, shift: 0 });
        return worthStratifying({ ...made, bins, referenceBlocks: 15, ordered: true }) ? 1 : 0;
      }).reduce((sum: number, one) => sum + one, 0) / 40;
    expect(share(0)).toBeLessThan(0.3);
    expect(share(20)).toBeGreaterThan(0.9);
    const { counts } = world(random, { weekday: 20, shift: 0 });
    const apart = Int32Array.from({ length: 30 }, (_, i) => (i < 15 ? 0 : 1));
    expect(worthStratifying({ counts, bins, strata: apart, referenceBlocks: 15, ordered: true })).toBe(false);
  });

  it('keeps the level, and finds what weekdays hide', () => {
    const random = seededRandom(9);
    const p = (shift: number, stratified: boolean) => {
      const { counts, strata } = world(random, { weekday: 16, shift });
      const result = blockPermutation({
        columns: [
          {
            ...{ bins, stratified, statistic: 'combined' },
            reference: counts.subarray(0, 15 * bins),
            current: counts.subarray(15 * bins),
          },
        ],
        ...{ referenceBlocks: 15, currentBlocks: 15, permutations: 199, seed: 1, strata },
      });
      return isUndefined(result) ? Number.NaN : (result.columns[0]?.p ?? Number.NaN);
    };
    const rate = (shift: number, stratified: boolean, trials: number) =>
      Array.from({ length: trials }, () => p(shift, stratified)).filter((one) => one <= 0.05).length / trials;
    // .05 + 3 standard errors of 150 trials
    expect(rate(0, true, 150)).toBeLessThan(0.105);
    expect(rate(3, true, 40)).toBeGreaterThan(rate(3, false, 40) + 0.3);
  });
});
