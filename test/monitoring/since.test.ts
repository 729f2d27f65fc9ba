import { describe, expect, it } from 'vitest';
import { movedSince } from '../../src/monitoring/since.ts';

describe('movedSince', () => {
  const reference = Float64Array.from([60, 40, 55, 45, 65, 35, 58, 42]);
  const counts = (...current: number[]) => ({
    bins: 2,
    positions: null,
    reference,
    current: Float64Array.from(current),
  });

  it('finds the first block from which the shares stay moved', () => {
    expect(movedSince(counts(61, 39, 57, 43, 20, 80, 25, 75, 22, 78))).toBe(2);
    expect(movedSince(counts(20, 80, 25, 75))).toBe(0);
  });

  it('does not take a short visit for a lasting move', () => {
    expect(movedSince(counts(20, 80, 60, 40, 61, 39, 62, 38, 20, 80, 25, 75))).toBe(4);
  });

  it('passes over blocks without rows, and knows nothing where nothing differs', () => {
    expect(movedSince(counts(60, 40, 0, 0, 20, 80))).toBe(2);
    expect(movedSince({ ...counts(), current: reference })).toBeNull();
  });
});
