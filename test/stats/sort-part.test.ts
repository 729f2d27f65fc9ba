import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import { sortPart, sortRoom } from '../../src/stats/sort-part.ts';

const random = seededRandom(11);
const room = sortRoom();
const kinds: Record<string, () => number> = {
  'lie evenly': () => random.uniform(),
  'are a few, many times': () => random.below(5),
  'lie close together but for one': () => (random.below(50) === 0 ? 1e9 : random.uniform()),
  'are the largest there are': () => 1.7e308 * (2 * random.uniform() - 1),
  'are the smallest there are': () => 5e-324 * random.below(1000),
  'are one': () => 3,
};

describe.each(Object.entries(kinds))('values that %s', (_, draw) => {
  it.each([0, 1, 2, 24, 25, 400, 4096, 4097])('are sorted, %i of them, and the others left', (n) => {
    const values = Float64Array.from({ length: n + 7 }, draw);
    const expected = [...values.slice(0, 3), ...values.slice(3, 3 + n).sort(), ...values.slice(3 + n)];
    sortPart(values, 3, 3 + n, room);
    expect(Array.from(values)).toEqual(expected);
  });
});
