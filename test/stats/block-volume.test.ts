import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BlockColumnResult, blockPermutation } from '../../src/stats/block-permutation.ts';
import { centreVolume } from '../../src/stats/block-volume.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import { expectClose } from './close.ts';

const sum = (values: Float64Array) => values.reduce((total, n) => total + n, 0);

describe('equal volume', () => {
  it('keeps the rows of each block and the counts of each bin, and leaves no slope', () => {
    const cells = fc.array(fc.nat(50), { minLength: 36, maxLength: 36 });
    const labels = fc.array(fc.nat(2), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(cells, fc.option(labels), (values, strata) => {
        const counts = Float64Array.from(values);
        const groups = strata === null ? null : Int32Array.from(strata);
        const centred = centreVolume({ bins: 3, counts, strata: groups });
        const row = (of: Float64Array, block: number) => of.subarray(3 * block, 3 * block + 3);
        for (let block = 0; block < 12; block++)
          expectClose(sum(row(centred, block)), sum(row(counts, block)), 'rows');
        for (const bin of [0, 1, 2]) {
          const of = (from: Float64Array) => sum(from.filter((_, i) => i % 3 === bin));
          expect(of(centred)).toBeCloseTo(of(counts), 8);
        }
        const again = centreVolume({ bins: 3, counts: centred, strata: groups });
        for (const [i, n] of again.entries()) expect(n).toBeCloseTo(centred[i] as number, 8);
      }),
      { seed: 3 },
    );
  });

  it('leaves blocks of the same volume as they are', () => {
    const counts = Float64Array.of(3, 7, 5, 5, 8, 2);
    expect(centreVolume({ bins: 2, counts, strata: null })).toEqual(counts);
  });

  it('shows a category of steady counts that grows while the volume of days comes and goes', () => {
    const random = seededRandom(23);
    // the first category has about 150 rows on every day; quiet days have fewer rows of the others
    const days = (extra: number) =>
      Array.from({ length: 15 }, (_, day) => {
        const others = day % 4 === 0 ? 250 : 420;
        return [150 + extra + random.below(12), others + random.below(20), others + random.below(20)];
      }).flat();
    const of = (extra: number): BlockColumnResult => {
      const column = { bins: 3, reference: days(0), current: days(extra), statistic: 'shares' as const };
      const result = blockPermutation({ columns: [column], referenceBlocks: 15, currentBlocks: 15, seed: 1 });
      if (isUndefined(result)) throw new Error(result.detail);
      return result.columns[0] as BlockColumnResult;
    };
    const moved = of(15);
    expect(moved.p).toBeLessThan(0.001);
    const size = ({ observed, mean, sd }: BlockColumnResult['components'][number]) => (observed - mean) / sd;
    const [asIs, atEqualVolume] = [moved.components.slice(0, 4), moved.components.slice(4)];
    expect(Math.max(...asIs.map(size))).toBeLessThan(2.5);
    expect(Math.max(...atEqualVolume.map(size))).toBeGreaterThan(4);
    expect(of(0).p).toBeGreaterThan(0.05);
  });
});
