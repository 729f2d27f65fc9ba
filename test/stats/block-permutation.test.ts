import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockColumn, BlockStatistic } from '../../src/stats/block-column.ts';
import { type BlockPermutationInput, blockPermutation } from '../../src/stats/block-permutation.ts';
import { ksFromCounts } from '../../src/stats/ks.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import { wassersteinFromCounts } from '../../src/stats/wasserstein.ts';
import { expectClose } from './close.ts';

function run(input: BlockPermutationInput) {
  const result = blockPermutation(input);
  if (isUndefined(result)) throw new Error(result.detail);
  return result;
}

/** Blocks of 60 rows whose level moves by day, so that rows of one day are alike; `shift` moves every row. */
function blocks(random: Random, days: number, { bins = 20, shift = 0, spread = 1 } = {}): Float64Array {
  const out = new Float64Array(days * bins);
  for (let day = 0; day < days; day++) {
    const level = (random.uniform() - 0.5) * 6;
    for (let i = 0; i < 60; i++) {
      const noise = (random.uniform() + random.uniform() + random.uniform() - 1.5) * 4 * spread;
      const bin = Math.min(bins - 1, Math.max(0, Math.round(bins / 2 + level + noise + shift)));
      out[day * bins + bin]! += 1;
    }
  }
  return out;
}

function sums(counts: ArrayLike<number>, bins: number): Float64Array {
  const out = new Float64Array(bins);
  for (let i = 0; i < counts.length; i++) out[i % bins]! += counts[i] as number;
  return out;
}

const STATISTICS: BlockStatistic[] = [
  'ks',
  'total_variation',
  'wasserstein',
  'typical_block',
  'combined',
  'shares',
];

describe('block permutation', () => {
  it('observes the same distances as the row-level statistics', () => {
    const random = seededRandom(5);
    const [reference, current] = [blocks(random, 9), blocks(random, 5, { shift: 1 })];
    const positions = Float64Array.from({ length: 20 }, (_, i) => i * 0.5);
    const columns = (['ks', 'wasserstein'] as const).map((statistic) => ({
      bins: 20,
      reference,
      current,
      statistic,
      positions,
    }));
    const result = run({ columns, referenceBlocks: 9, currentBlocks: 5, seed: 1 });
    const [first, second] = [sums(reference, 20), sums(current, 20)];
    const ks = ksFromCounts({ first, second });
    expectClose(result.columns[0]!.observed, isUndefined(ks) ? Number.NaN : ks.statistic, 'ks');
    expectClose(
      result.columns[1]!.observed,
      wassersteinFromCounts({ values: positions, first, second }) as number,
      'w',
    );
    expect(result.exact).toBe(true);
    expect(result.assignments).toBe(2002);
  });

  it.each(STATISTICS)('lists every assignment of few blocks and agrees with brute force: %s', (statistic) => {
    // 3 against 2 blocks, all in one bin each: the observed split is the most extreme of the 10
    const column: BlockColumn = {
      bins: 3,
      reference: [9, 1, 0, 8, 2, 0, 9, 0, 1],
      current: [0, 3, 7, 1, 1, 8],
      statistic,
    };
    const result = run({ columns: [column], referenceBlocks: 3, currentBlocks: 2, seed: 1 });
    expect(result).toMatchObject({ assignments: 10, exact: true });
    // another split has the larger ratio of spreads, so the combined statistic ranks this one second
    const want = statistic === 'combined' ? 0.2 : 0.1;
    expect(result.columns[0]!.p).toBeCloseTo(want, 12);
    expect(result.columns[0]!.pMaxT).toBeCloseTo(want, 12);
  });

  it('is repeatable by seed and depends on it only a little', () => {
    const random = seededRandom(3);
    const column: BlockColumn = {
      bins: 20,
      reference: blocks(random, 20),
      current: blocks(random, 20, { shift: 1 }),
      statistic: 'ks',
    };
    const at = (seed: number) =>
      run({ columns: [column], referenceBlocks: 20, currentBlocks: 20, seed }).columns[0]!.p;
    expect(at(1)).toBe(at(1));
    expect(Math.abs(at(1) - at(2))).toBeLessThan(0.05);
  });

  it('keeps its level where rows of a day are alike, and finds a shift', () => {
    const random = seededRandom(11);
    let alarms = 0;
    let anyColumn = 0;
    let found = 0;
    const trials = 200;
    for (let trial = 0; trial < trials; trial++) {
      const columns = STATISTICS.map((statistic) => ({
        bins: 20,
        reference: blocks(random, 12),
        current: blocks(random, 12),
        statistic,
      }));
      const same = run({ columns, referenceBlocks: 12, currentBlocks: 12, permutations: 199, seed: trial });
      alarms += same.columns.filter((c) => c.p <= 0.05).length / STATISTICS.length;
      anyColumn += same.columns.some((c) => c.pMaxT <= 0.05) ? 1 : 0;
      if (trial % 10 > 0) continue;
      const moved = columns.map((c) => ({ ...c, current: blocks(random, 12, { shift: 5 }) }));
      found +=
        run({ columns: moved, referenceBlocks: 12, currentBlocks: 12, permutations: 199, seed: trial })
          .columns[0]!.p <= 0.05
          ? 1
          : 0;
    }
    // .05 ± 3 standard errors of 200 trials
    expect(alarms / trials).toBeLessThan(0.08);
    expect(anyColumn / trials).toBeLessThan(0.1);
    expect(found / (trials / 10)).toBeGreaterThan(0.9);
  });

  it('sees a change of spread by the combined statistic', () => {
    const random = seededRandom(8);
    const column: BlockColumn = {
      bins: 40,
      reference: blocks(random, 15, { bins: 40 }),
      current: blocks(random, 15, { bins: 40, spread: 2.5 }),
      statistic: 'combined',
    };
    expect(
      run({ columns: [column], referenceBlocks: 15, currentBlocks: 15, seed: 4 }).columns[0]!.p,
    ).toBeLessThan(0.01);
  });

  it('permutes within strata only', () => {
    // weekday and weekend differ, the sides do not: without strata a lopsided mix of days looks like drift
    const reference = [...Array(8).fill([10, 0]), ...Array(2).fill([0, 10])].flat();
    const current = [...Array(2).fill([10, 0]), ...Array(8).fill([0, 10])].flat();
    const column: BlockColumn = { bins: 2, reference, current, statistic: 'ks' };
    const strata = Int32Array.from([...Array(8).fill(0), 1, 1, 0, 0, ...Array(8).fill(1)]);
    const input = { columns: [column], referenceBlocks: 10, currentBlocks: 10, seed: 2 };
    expect(run(input).columns[0]!.p).toBeLessThan(0.05);
    expect(run({ ...input, strata, columns: [{ ...column, stratified: true }] }).columns[0]!.p).toBe(1);
  });

  it('holds for any counts: p in (0, 1], max-T at least p for one column, never NaN', () => {
    const counts = (n: number) => fc.array(fc.nat(20), { minLength: n, maxLength: n });
    fc.assert(
      fc.property(counts(12), counts(9), fc.constantFrom(...STATISTICS), (reference, current, statistic) => {
        const column = { bins: 3, reference, current, statistic };
        const { columns, assignments } = run({
          columns: [column, column],
          referenceBlocks: 4,
          currentBlocks: 3,
          seed: 1,
        });
        for (const { p, pMaxT, observed } of columns) {
          expect(Number.isFinite(observed)).toBe(true);
          expect(p).toBeGreaterThanOrEqual(1 / assignments);
          expect(p).toBeLessThanOrEqual(1);
          expect(pMaxT).toBeGreaterThanOrEqual(p - 1e-12);
        }
      }),
    );
  });

  it('needs a block on each side', () => {
    expect(blockPermutation({ columns: [], referenceBlocks: 0, currentBlocks: 3, seed: 1 })).toMatchObject({
      undefined: 'too_few_clusters',
    });
  });

  it.each([
    [[3, 1, 9, 4, 12, 7], [8, 14, 11, 2, 13], 0.24675324675324672],
    [[1, 2, 3, 4, 6], [5, 7, 8, 9, 10, 11], 0.008658008658008658],
  ])("typical_block with a row a block is SciPy's exact Mann-Whitney: %j against %j", (first, second, p) => {
    const positions = Float64Array.from([...first, ...second]).sort();
    const row = (value: number) => Array.from(positions, (position) => (position === value ? 1 : 0));
    const column: BlockColumn = {
      ...{ bins: positions.length, positions, statistic: 'typical_block' },
      reference: first.flatMap(row),
      current: second.flatMap(row),
    };
    const result = run({
      columns: [column],
      referenceBlocks: first.length,
      currentBlocks: second.length,
      seed: 1,
    });
    expect(result.exact).toBe(true);
    expectClose(result.columns[0]!.p, p, 'p');
  });

  it('sees that typical days moved behind a few wild ones', () => {
    const random = seededRandom(6);
    const days = (shift: number) =>
      Array.from({ length: 15 }, (_, day) => {
        const level = (day % 5 === 0 ? 40 * random.uniform() : random.uniform()) + shift;
        return Array.from({ length: 60 }, (_, bin) => (Math.abs(bin - 10 - level) < 3 ? 20 : 0));
      }).flat();
    const column = { bins: 60, reference: days(0), current: days(3) };
    const p = (statistic: BlockStatistic) =>
      run({ columns: [{ ...column, statistic }], referenceBlocks: 15, currentBlocks: 15, seed: 1 })
        .columns[0]!.p;
    expect(p('typical_block')).toBeLessThan(p('wasserstein') / 20);
  });

  it('sees early rows come later where late rows differ from day to day', () => {
    const random = seededRandom(9);
    // most rows of a day lie anywhere above bin 12; a quarter lies in bins 4 to 7 on every day
    const days = (shift: number) =>
      Array.from({ length: 15 }, () => {
        const level = 12 + random.below(30);
        return Array.from({ length: 60 }, (_, bin) => {
          if (bin >= 4 + shift && bin < 8 + shift) return 10;
          return bin >= level && bin < level + 12 ? 10 : 0;
        });
      }).flat();
    const column = { bins: 60, reference: days(0), current: days(2) };
    const p = (statistic: BlockStatistic) =>
      run({ columns: [{ ...column, statistic }], referenceBlocks: 15, currentBlocks: 15, seed: 1 })
        .columns[0]!.p;
    expect(p('combined')).toBeLessThan(0.001);
    for (const statistic of ['ks', 'wasserstein', 'typical_block'] as const)
      expect(p(statistic)).toBeGreaterThan(0.05);
  });

  it('sees one steady category grow among others that come and go', () => {
    const random = seededRandom(17);
    const days = (extra: number) =>
      Array.from({ length: 15 }, () => [
        200 + extra + random.below(8),
        ...Array.from({ length: 8 }, () => 20 + random.below(160)),
      ]).flat();
    const column = { bins: 9, reference: days(0), current: days(20) };
    const p = (statistic: BlockStatistic) =>
      run({ columns: [{ ...column, statistic }], referenceBlocks: 15, currentBlocks: 15, seed: 1 })
        .columns[0]!.p;
    expect(p('shares')).toBeLessThan(p('total_variation') / 4);
  });

  it('steps down: what moved with certainty takes nothing from the columns that are left', () => {
    const random = seededRandom(21);
    const still = { bins: 20, statistic: 'ks' as const };
    const weak = { ...still, reference: blocks(random, 12), current: blocks(random, 12, { shift: 2 }) };
    const strong = Array.from({ length: 6 }, () => ({
      ...{ ...still, reference: blocks(random, 12), current: blocks(random, 12, { shift: 9 }) },
    }));
    const of = (columns: BlockColumn[]) => run({ columns, referenceBlocks: 12, currentBlocks: 12, seed: 3 });
    const [alone] = of([weak]).columns;
    const together = of([weak, ...strong]).columns;
    expect(together[0]!.pMaxT).toBeCloseTo(alone!.p, 12);
    for (const { pMaxT } of together.slice(1)) expect(pMaxT).toBeLessThanOrEqual(together[0]!.pMaxT);
  });
});
