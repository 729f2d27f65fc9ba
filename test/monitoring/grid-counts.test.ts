import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countOnGrid, type GridPart } from '../../src/monitoring/grid-counts.ts';

/** The definition: every bin's number on the grid, and the rows of those with any. */
function byDefinition(parts: readonly GridPart[], to: number) {
  const own = parts.map(({ exponent, bins }) =>
    Array.from(bins).flatMap((bin, at): [number, number][] =>
      at % 2 === 1
        ? []
        : [[Math.floor((bin + (exponent > to ? 0.5 : 0)) * 2 ** (exponent - to)), bins[at + 1] as number]],
    ),
  );
  const filled = own.flat().filter(([, n]) => n > 0);
  const numbers = [...new Set(filled.map(([number]) => number))].sort((a, b) => a - b);
  const rowsOf = (side: 0 | 1) =>
    numbers.map((number) =>
      own
        .filter((_, i) => parts[i]?.side === side)
        .flat()
        .reduce((sum, [at, n]) => sum + (at === number ? n : 0), 0),
    );
  return { own, numbers, counts: [rowsOf(0), rowsOf(1)] };
}

const index = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -60, max: 60 }) },
  fc.integer({ min: -200_000, max: 200_000 }),
  fc.maxSafeInteger().map((n) => Math.trunc(n / 8)),
);
const bins = (of: fc.Arbitrary<number>) =>
  fc
    .uniqueArray(fc.tuple(of, fc.nat(3)), { maxLength: 12, selector: ([bin]) => bin })
    .map((list) => list.toSorted(([a], [b]) => a - b).flat());
const part = fc.record({
  exponent: fc.integer({ min: -2, max: 2 }),
  side: fc.constantFrom(0 as const, 1 as const),
  // as they are made, and as they are read
  bins: fc.oneof(
    bins(index),
    bins(fc.integer({ min: -200_000, max: 200_000 })).map((flat) => Int32Array.from(flat)),
  ),
});

it('rows are counted in the bins in which theirs lie, and in groups of these, however far apart they are', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.integer({ min: -1, max: 1 }), (parts, to) => {
      const grid = countOnGrid(parts, to);
      const expected = byDefinition(parts, to);
      expect(Array.from(grid.numbers)).toEqual(expected.numbers);
      expect(grid.counts.map((side) => Array.from(side))).toEqual(expected.counts);
      const totals = expected.own.map((own) => own.reduce((sum, [, n]) => sum + n, 0));
      expect(Array.from(grid.rows)).toEqual(totals);
      const groupOf = Int32Array.from(expected.numbers, (_, i) => i % 3);
      const add = grid.grouped(groupOf);
      parts.forEach((one, i) => {
        const groups = [0, 0, 0, 0];
        for (const [number, n] of expected.own[i] ?? [])
          if (n > 0) groups[1 + (groupOf[expected.numbers.indexOf(number)] as number)]! += n;
        const out = new Float64Array(4);
        add(one, out, 1);
        expect(Array.from(out)).toEqual(groups);
      });
    }),
    { seed: 5, numRuns: 200 },
  );
  expect(countOnGrid([], 0).numbers).toEqual(new Float64Array());
});
