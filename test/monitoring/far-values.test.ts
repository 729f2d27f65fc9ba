import fc from 'fast-check';
import { expect, it } from 'vitest';
import { farEnds } from '../../src/monitoring/far-values.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true });

it('ends lie ten widths outside of the quantiles, and only where a value lies beyond them', () => {
  fc.assert(
    fc.property(fc.tuple(number, number, number, number), (four) => {
      const [least, q01, q99, most] = four.toSorted((a, b) => a - b) as [number, number, number, number];
      const ends = farEnds({ q01, q99, least, most, shift: 0 });
      const width = q99 - q01;
      if (ends === null) {
        if (width === 0 || ![q01 - 10 * width, q99 + 10 * width].every(Number.isFinite)) return;
        expect(least).toBeGreaterThanOrEqual(q01 - 10 * width);
        expect(most).toBeLessThanOrEqual(q99 + 10 * width);
      } else {
        expect(least < ends.low || most > ends.high).toBe(true);
        expect(ends.low).toBeLessThanOrEqual(q01);
        expect(ends.high).toBeGreaterThanOrEqual(q99);
      }
    }),
  );
});

it('a column that is one value but for a few rows has none', () => {
  expect(farEnds({ q01: 0, q99: 0, least: 0, most: 1e9, shift: 0 })).toBeNull();
});
