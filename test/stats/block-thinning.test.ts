import { expect, it } from 'vitest';
import { thinToSameVolume } from '../../src/stats/block-thinning.ts';

const sum = (counts: Float64Array) => counts.reduce((total, n) => total + n, 0);
/** `blocks` blocks of two bins with 3 : 1. */
const side = (blocks: number, rows: number) =>
  Float64Array.from({ length: 2 * blocks }, (_, i) => (i % 2 === 0 ? 0.75 : 0.25) * rows);

it('keeps of the side with the larger blocks as many rows a block as the other has', () => {
  const sides = { bins: 2, reference: side(50, 4000), current: side(10, 400) };
  const thinned = thinToSameVolume(sides, 1);
  expect(thinned.current).toBe(sides.current);
  expect(sum(thinned.reference) / 50 / 400).toBeCloseTo(1, 1);
  const first = thinned.reference.filter((_, i) => i % 2 === 0);
  expect(sum(first) / sum(thinned.reference)).toBeCloseTo(0.75, 1);
  // not all the same: as many as chance leaves
  expect(new Set(first).size).toBeGreaterThan(10);
  expect(thinToSameVolume(sides, 1)).toEqual(thinned);
  const turned = thinToSameVolume({ bins: 2, reference: sides.current, current: sides.reference }, 1);
  expect(turned.current).toEqual(thinned.reference);
});

it('leaves alone what is alike, what has no rows, and blocks without rows', () => {
  for (const [reference, current] of [
    [side(9, 100), side(9, 110)],
    [side(9, 100), side(9, 0)],
    [side(0, 1), side(9, 100)],
    [Float64Array.from([...side(3, 100), ...side(6, 0)]), side(3, 100)],
  ] as const) {
    const sides = { bins: 2, reference, current };
    expect(thinToSameVolume(sides, 1)).toBe(sides);
  }
});
