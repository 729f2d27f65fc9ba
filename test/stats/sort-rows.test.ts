import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import { sortRows, sortScratch } from '../../src/stats/sort-rows.ts';

describe('sorting rows by value', () => {
  const random = seededRandom(5);
  const worlds: Record<string, () => number> = {
    'full precision, both signs': () => (random.uniform() - 0.5) * 1e300 ** random.uniform(),
    'whole numbers with ties': () => random.below(50) - 25,
    'equal in their upper halves': () => 1e9 + random.uniform() * 1e-4,
    'the smallest there are': () => 5e-324 * random.below(100),
    'zeros of both signs': () => (random.below(2) === 0 ? -0 : 0),
  };

  it.each(Object.entries(worlds))('%s: as a comparison does, each label with its value', (_, draw) => {
    for (const n of [0, 1, 2, 33, 3000]) {
      const values = Float64Array.from({ length: n }, draw);
      const labels = Uint16Array.from({ length: n }, () => random.below(65_536));
      const pairs = Array.from(values, (value, i) => `${value + 0} ${labels[i]}`).sort();
      const expected = Array.from(values, (value) => value + 0).sort((a, b) => a - b);
      sortRows(values, labels, sortScratch(n));
      expect(Array.from(values)).toEqual(expected);
      expect(Array.from(values, (value, i) => `${value} ${labels[i]}`).sort()).toEqual(pairs);
    }
  });
});
