import { describe, expect, it } from 'vitest';
import { jointPoints } from '../../src/monitoring/joint-points.ts';

const columnOf = ({ points, dimensions }: ReturnType<typeof jointPoints>, d: number) =>
  Array.from(points).filter((_, i) => i % dimensions === d);

describe('rows as points', () => {
  it('hold numbers by middle ranks, equal ones alike, with a standard deviation of about 1', () => {
    const values = Float64Array.of(5, 1, 5, 1e300);
    const made = jointPoints([{ kind: 'numeric', values }], 4);
    expect(made.dimensions).toBe(1);
    // ranks 1/8, 4/8 twice, 7/8
    const expected = [0.5, 0.125, 0.5, 0.875].map((rank) => Math.sqrt(12) * (rank - 0.5));
    for (const [i, value] of columnOf(made, 0).entries()) expect(value).toBeCloseTo(expected[i] as number, 6);
    const many = jointPoints(
      [{ kind: 'numeric', values: Float64Array.from({ length: 500 }, (_, i) => -i) }],
      500,
    );
    const square = columnOf(many, 0).reduce((sum, value) => sum + value * value, 0);
    expect(square / 500).toBeCloseTo(1, 4);
  });

  it('put nulls in the middle, with a dimension of their own', () => {
    const made = jointPoints([{ kind: 'numeric', values: Float64Array.of(1, Number.NaN, 2) }], 3);
    expect(made.dimensions).toBe(2);
    expect(columnOf(made, 0)[1]).toBe(0);
    expect(columnOf(made, 1)).toEqual([0, 1, 0]);
  });

  it('give each common level a dimension, null among them, and one to all others', () => {
    const values = [...Array(150).fill('a'), ...Array(140).fill(null), 'rare', 'other'];
    const made = jointPoints([{ kind: 'categorical', values }], values.length);
    expect(made.dimensions).toBe(3);
    expect(columnOf(made, 0)).toEqual(values.map((value) => (value === 'a' ? 1 : 0)));
    expect(columnOf(made, 1)).toEqual(values.map((value) => (value === null ? 1 : 0)));
    expect(columnOf(made, 2).slice(-3)).toEqual([0, 1, 1]);
    const ids = Array.from({ length: 1000 }, (_, i) => `id ${i}`);
    expect(jointPoints([{ kind: 'categorical', values: ids }], 1000).dimensions).toBe(1);
  });
});
