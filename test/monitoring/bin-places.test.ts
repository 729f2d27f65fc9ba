import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type GridCounts, placeOnGrid } from '../../src/monitoring/bin-places.ts';

/** The definition: every bin's number on the grid, and where it stands among all of them. */
function byDefinition(profiles: readonly GridCounts[], to: number) {
  const numbersOf = ({ exponent, bins }: GridCounts) =>
    Array.from(bins)
      .filter((_, at) => at % 2 === 0)
      .map((bin) => Math.floor((bin + (exponent > to ? 0.5 : 0)) * 2 ** (exponent - to)));
  const numbers = [...new Set(profiles.flatMap(numbersOf))].sort((a, b) => a - b);
  return { numbers, places: profiles.map((one) => numbersOf(one).map((number) => numbers.indexOf(number))) };
}

const index = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -60, max: 60 }) },
  fc.integer({ min: -200_000, max: 200_000 }),
  fc.maxSafeInteger().map((n) => Math.trunc(n / 8)),
);
const profile = fc.record({
  exponent: fc.integer({ min: -2, max: 2 }),
  bins: fc
    .uniqueArray(index, { maxLength: 12 })
    .map((list) => list.toSorted((a, b) => a - b).flatMap((bin) => [bin, 3])),
});

it('bins stand where their numbers do among all, however far apart they are', () => {
  fc.assert(
    fc.property(fc.array(profile, { maxLength: 6 }), fc.integer({ min: -1, max: 1 }), (profiles, to) => {
      const { numbers, places } = placeOnGrid(profiles, to);
      const expected = byDefinition(profiles, to);
      expect(Array.from(numbers)).toEqual(expected.numbers);
      expect(places.map((own) => Array.from(own))).toEqual(expected.places);
    }),
    { seed: 5, numRuns: 400 },
  );
  expect(placeOnGrid([], 0)).toEqual({ numbers: new Float64Array(), places: [] });
});
