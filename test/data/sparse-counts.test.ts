import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CountsReader, CountsWriter } from '../../src/data/packed-counts.ts';
import { readSparseCounts } from '../../src/data/sparse-counts.ts';

const safe = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
);
const count = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
const sparse = fc
  .uniqueArray(fc.tuple(safe, count), { selector: ([index]) => index })
  .map((pairs) => pairs.toSorted(([a], [b]) => a - b).flat());

it('sparse counts are read as they were packed, in the same order', () => {
  fc.assert(
    fc.property(fc.array(sparse, { maxLength: 5 }), (all) => {
      const writer = new CountsWriter();
      const written = all.map((flat) => writer.write(flat));
      const reader = new CountsReader(Uint32Array.from(writer.words));
      expect(written.map((one) => Array.from(reader.read(one) ?? [Number.NaN]))).toEqual(all);
    }),
    { seed: 3 },
  );
});

it('packed counts take a word for each bin of a day', () => {
  const bins = Array.from({ length: 800 }, (_, i) => [10_000 + i, 30 + ((i * 7) % 90)]).flat();
  const writer = new CountsWriter();
  expect(writer.write(bins)).toBe(802);
  expect(writer.words).toHaveLength(802);
});

it('words that are no sparse counts are refused', () => {
  const read = (words: number[], length: unknown = words.length) =>
    new CountsReader(Uint32Array.from(words)).read(length);
  const word = (step: number, n: number) => ((step << 20) | n) >>> 0;
  expect(Array.from(read([0, 5, 3, word(2, 4), 0, 2 ** 20, 7]) ?? [])).toEqual([5, 3, 7, 4, 7 + 2 ** 20, 7]);
  expect(Array.from(read([0, 2 ** 32 - 5, 3, word(1, 4)]) ?? [])).toEqual([-5, 3, -4, 4]);
  expect(Array.from(read([]) ?? [1])).toEqual([]);
  for (const wrong of [
    // no first index, the words of an index cut off, a step of 0, an index and a count beyond 32 bits
    [word(1, 4)],
    [0],
    [0, 5],
    [0, 5, 3, word(0, 4)],
    [0, 5, 3, 0, 0, 4],
    [0, 5, 3, 0, 4],
    [0, 2 ** 31 - 1, 3, word(1, 1)],
    [0, 5, 3, 0, 2 ** 32 - 1, 1],
    [0, 5, 2 ** 31],
  ])
    expect(read(wrong), String(wrong)).toBeNull();
  for (const length of [5, -1, 0.5, Number.NaN, '4', null, {}])
    expect(read([0, 5, 3, word(1, 1)], length)).toBeNull();
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 32 - 1), { maxLength: 30 }), (words) => {
      const counts = read(words);
      expect(counts === null || readSparseCounts(Array.from(counts)) !== null).toBe(true);
    }),
    { seed: 4 },
  );
});

it('flat arrays are read as they are, or refused', () => {
  fc.assert(
    fc.property(sparse, (flat) => void expect(readSparseCounts(flat)).toEqual(flat)),
    { seed: 5 },
  );
  for (const wrong of [null, 7, {}, 'AAUD', ['1', 2], [0, 1, 0, 1], [0, -1], [0.5, 1], [1]])
    expect(readSparseCounts(wrong)).toBeNull();
});
