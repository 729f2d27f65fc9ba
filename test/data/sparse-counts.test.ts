import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packCounts, readSparseCounts } from '../../src/data/sparse-counts.ts';

const safe = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 }));
const sparse = fc
  .uniqueArray(fc.tuple(safe, fc.oneof(fc.nat(300), fc.maxSafeNat())), { selector: ([index]) => index })
  .map((pairs) => pairs.toSorted(([a], [b]) => a - b).flat());
const ok = (value: unknown) => readSparseCounts(value) !== null;

it('sparse counts are read as they were packed, in a third of the letters', () => {
  fc.assert(
    fc.property(sparse, (flat) => {
      expect(Array.from(readSparseCounts(packCounts(flat)) ?? [])).toEqual(flat);
      expect(readSparseCounts(flat)).toEqual(flat);
    }),
  );
  const bins = Array.from({ length: 800 }, (_, i) => [10_000 + i, 30 + ((i * 7) % 90)]).flat();
  expect(packCounts(bins).length).toBeLessThan(JSON.stringify(bins).length / 3);
});

it('texts that are none, or hold no sparse counts, are refused and read in no time', () => {
  fc.assert(fc.property(fc.base64String({ maxLength: 200 }), (text) => void ok(text)));
  const packed = (...bytes: number[]) => Buffer.from(bytes).toString('base64');
  expect(ok(packed(0, 5, 3, 1, 4))).toBe(true);
  expect(ok('')).toBe(true);
  // without a count; a sign that is none; a step of 0; a number without an end; one beyond what is exact
  const endless = packed(...Array.from({ length: 3000 }, () => 0x80));
  for (const wrong of [
    packed(0, 5),
    packed(2, 5, 3),
    packed(0, 5, 3, 0, 4),
    packed(0, 0x85),
    packed(0),
    endless,
  ])
    expect(ok(wrong), wrong).toBe(false);
  expect(ok(packed(0, ...Array.from({ length: 8 }, () => 0xff), 0x7f, 1))).toBe(false);
  expect(ok('A'.repeat(10_000_000))).toBe(false);
  for (const wrong of [null, 7, {}, ['1', 2], [0, 1, 0, 1], [0, -1], [0.5, 1], [1]])
    expect(ok(wrong)).toBe(false);
});
