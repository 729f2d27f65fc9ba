import { describe, expect, it } from 'vitest';
import {
  allBlocks,
  type BlockColumn,
  columnFrame,
  cumulativeTotal,
  prepareColumn,
  typicalComponent,
} from '../../src/stats/block-column.ts';
import { blockPermutation } from '../../src/stats/block-permutation.ts';
import { decileBins } from '../../src/stats/decile-shares.ts';
import { shiftSizes, significantShifts } from '../../src/stats/detectable-shift.ts';
import { normalQuantile } from '../../src/stats/distributions.ts';
import { commonLevels } from '../../src/stats/level-shares.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';

const bins = 60;
const days = 24;
const positions = Float64Array.from({ length: bins }, (_, i) => i);

/** Days of 80 rows: four bins are one standard deviation between days, ten one within a day. */
function counts(random: Random, shift: (day: number) => number): Float64Array {
  const normal = () => normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, random.uniform())));
  const out = new Float64Array(days * bins);
  for (let day = 0; day < days; day++) {
    const level = 30 + 4 * normal() + shift(day);
    for (let row = 0; row < 80; row++)
      out[day * bins + Math.min(bins - 1, Math.max(0, Math.round(level + 10 * normal())))]! += 1;
  }
  return out;
}

function test(all: Float64Array, seed: number) {
  const half = (days / 2) * bins;
  const column: BlockColumn = {
    ...{ bins, positions, statistic: 'combined' },
    reference: all.subarray(0, half),
    current: all.subarray(half),
  };
  const input = { columns: [column], referenceBlocks: days / 2, currentBlocks: days / 2, seed };
  const result = blockPermutation({ ...input, permutations: 399 });
  if (isUndefined(result)) throw new Error(result.detail);
  return { column, result: result.columns[0]! };
}

/** The same rows, `size` bins further. */
function moved(all: Float64Array, size: number): Float64Array {
  const out = new Float64Array(all.length);
  all.forEach((n, i) => {
    const bin = i % bins;
    out[i - bin + Math.min(bins - 1, bin + size)]! += n;
  });
  return out;
}

const smallest = (all: Float64Array, seed: number) => {
  const tested = test(all, seed);
  const isSignificant = significantShifts({ ...tested, strata: null, power: 0.8 });
  for (let size = 1; size < 30; size++) if (isSignificant(moved(all, size))) return size;
  return Number.NaN;
};

describe('the smallest significant shift', () => {
  it('is found in 80 of 100 new windows or some more, and half of it in far fewer', () => {
    const sizes = Array.from({ length: 15 }, (_, seed) =>
      smallest(
        counts(seededRandom(seed), () => 0),
        seed,
      ),
    );
    const middle = sizes.sort((a, b) => a - b)[7] as number;
    const found = (size: number) => {
      let alarms = 0;
      for (let seed = 100; seed < 200; seed++) {
        const all = counts(seededRandom(seed), (day) => (day >= days / 2 ? size : 0));
        if (test(all, seed).result.pMaxT <= 0.05) alarms++;
      }
      return alarms / 100;
    };
    // the best component alone is asked for 80 %; the others add to it
    expect(found(middle)).toBeGreaterThan(0.8);
    expect(found(middle)).toBeLessThan(0.97);
    expect(found(middle / 2)).toBeLessThan(0.65);
  });

  it('does not count what the window itself shows as noise', () => {
    const still = smallest(
      counts(seededRandom(5), () => 0),
      5,
    );
    const drifted = smallest(
      counts(seededRandom(5), (day) => (day >= days / 2 ? 12 : 0)),
      5,
    );
    expect(Math.abs(drifted - still)).toBeLessThanOrEqual(2);
  });
});

it('a shift that the typical block alone tells is significant', () => {
  const all = counts(seededRandom(7), () => 0);
  const { column, result } = test(all, 7);
  const components = result.components.map((moments, k) =>
    k === typicalComponent ? moments : { observed: 0, mean: 1e9, sd: 1e9 },
  );
  const isSignificant = significantShifts({
    ...{ column, strata: null, power: 0.8 },
    result: { ...result, components },
  });
  expect([isSignificant(moved(all, 20)), isSignificant(all)]).toEqual([true, false]);
});

describe('the size of a shift in each component', () => {
  it.each(['combined', 'shares', 'typical_block', 'wasserstein'] as const)(
    'is that of all blocks with it against all blocks as they are, by weekday or not: %s',
    (statistic) => {
      const all = counts(seededRandom(11), (day) => (day % 7 === 0 ? 9 : 0));
      // a day without rows, and one of fewer
      all.fill(0, 5 * bins, 6 * bins);
      for (let bin = 0; bin < bins; bin++) all[9 * bins + bin]! *= 0.25;
      const column = { ...test(all, 0).column, statistic };
      const planted = moved(all, 3);
      for (const strata of [null, Int32Array.from({ length: days }, (_, day) => day % 7)]) {
        const both = { ...column, reference: allBlocks(column), current: planted };
        const twice = strata === null ? null : Int32Array.from([...strata, ...strata]);
        const prepared = prepareColumn(both, twice, columnFrame(column));
        const expected = new Float64Array(prepared.components);
        prepared.measure(
          Int32Array.from({ length: days }, (_, day) => days + day),
          days,
          expected,
        );
        const sizes = shiftSizes(column, strata)(planted);
        expect(sizes.length).toBe(expected.length);
        sizes.forEach((size, k) => {
          expect(size, `component ${k}`).toBeCloseTo(expected[k] as number, 10);
        });
      }
    },
  );
});

describe('a shift of shares', () => {
  it('is judged level by level, though it changes which level is the largest', () => {
    const random = seededRandom(31);
    // levels of nearly the same size, of which the second varies from day to day and the others hardly
    const all = Float64Array.from(
      Array.from({ length: days }, () => [100 + random.below(3), 60 + random.below(80), 101, 102]).flat(),
    );
    const half = (days / 2) * 4;
    const column = {
      ...{ bins: 4, statistic: 'shares' as const },
      ...{ reference: all.subarray(0, half), current: all.subarray(half) },
    };
    const sides = { referenceBlocks: days / 2, currentBlocks: days / 2 };
    const result = blockPermutation({ columns: [column], ...sides, seed: 2, permutations: 399 });
    if (isUndefined(result)) throw new Error(result.detail);
    const planted = (to: number) => {
      const out = Float64Array.from(all);
      for (let day = 0; day < days; day++) {
        out[day * 4 + to]! += 12;
        out[day * 4 + 3]! -= 12;
      }
      return out;
    };
    const found = (to: number) =>
      significantShifts({
        ...{ column, strata: null, power: 0.8 },
        result: { ...result.columns[0]!, components: onlyLevel(to) },
      })(planted(to));
    /** The component of one level alone: common levels stand by size after the total variation. */
    const onlyLevel = (level: number) => {
      const order = commonLevels(cumulativeTotal(column)).indexOf(level);
      return result.columns[0]!.components.map((moments, k) =>
        k === 1 + order ? moments : { observed: 0, mean: 1e9, sd: 1e9 },
      );
    };
    expect([found(0), found(1)]).toEqual([true, false]);
  });
});

describe('deciles', () => {
  it('are the bins that end nearest to them, each once, without the last', () => {
    expect(decileBins(Float64Array.from({ length: 10 }, (_, i) => 10 * (i + 1)))).toEqual(
      Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]),
    );
    expect(decileBins(Float64Array.of(0, 96, 100))).toEqual(Int32Array.of(0, 1));
    expect(decileBins(Float64Array.of(7))).toEqual(new Int32Array());
    expect(decileBins(Float64Array.of(0, 0))).toEqual(new Int32Array());
  });
});
