import { describe, expect, it } from 'vitest';
import type { Blocks, ColumnBlocks } from '../../src/data/blocks.ts';
import { blocksDifference } from '../../src/data/blocks-difference.ts';

const blocksOf = (rows: number, columns: ColumnBlocks[]): Blocks => ({
  schema: 'modelgate.blocks/1',
  time: null,
  rows,
  blocks: [{ day: null, rows }],
  columns,
});

/** Values as they are counted: bins of width 2^exponent. */
function numeric(name: string, values: readonly number[], { exponent = 0, nulls = 0 } = {}): ColumnBlocks {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const m2 = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const bins = new Map<number, number>();
  for (const value of values) {
    const index = Math.floor(value / 2 ** exponent);
    bins.set(index, (bins.get(index) ?? 0) + 1);
  }
  const sorted = [...bins].sort(([a], [b]) => a - b);
  const bounds = { min: Math.min(...values), max: Math.max(...values) };
  return {
    ...{ name, type: 'integer', physicalType: 'BIGINT', distinct: bins.size, kind: 'numeric', exponent },
    parts: [{ nulls, nonfinite: 0, ...bounds, mean, m2, bins: sorted.flat() }],
  };
}

function category(name: string, counts: Record<string, number>, complete = true): ColumnBlocks {
  const categories = Object.keys(counts);
  return {
    ...{ name, type: 'string', physicalType: 'VARCHAR', distinct: categories.length, kind: 'category' },
    ...{ categories, complete },
    parts: [{ nulls: 0, other: 0, counts: Object.values(counts).flatMap((rows, index) => [index, rows]) }],
  };
}

const effects = (before: ColumnBlocks, after: ColumnBlocks) =>
  blocksDifference(blocksOf(10, [before]), blocksOf(10, [after])).map(({ effect, unit }) => [effect, unit]);

describe('what two profiles differ in', () => {
  it('names columns that were added, removed and retyped, and shares of nulls', () => {
    const before = blocksOf(10, [
      numeric('a', [1, 2], { nulls: 8 }),
      numeric('b', [1]),
      category('c', { x: 1 }),
    ]);
    const after = blocksOf(20, [
      numeric('a', [1, 2], { nulls: 4 }),
      { ...category('b', { '1': 1 }), type: 'string' },
      numeric('d', [1]),
    ]);
    const told = blocksDifference(before, after).map(({ name, change, type_before, type_after }) => [
      ...[name, change],
      ...[type_before, type_after],
    ]);
    expect(told).toEqual([
      ['a', 'kept', 'BIGINT', 'BIGINT'],
      ['b', 'retyped', 'BIGINT', 'VARCHAR'],
      ['c', 'removed', 'VARCHAR', null],
      ['d', 'added', null, 'BIGINT'],
    ]);
    expect(blocksDifference(before, after)[0]).toMatchObject({
      null_rate_before: 0.8,
      null_rate_after: 0.2,
      effect: 0,
    });
  });

  it('measures a shift of numbers in standard deviations, on grids of different width too', () => {
    const values = [0, 2, 4, 6]; // sd √5
    const shifted = values.map((value) => value + 4);
    expect(effects(numeric('a', values), numeric('a', shifted))).toEqual([[4 / Math.sqrt(5), 'sd']]);
    const coarse = numeric('a', shifted, { exponent: 1 });
    expect(effects(numeric('a', values), coarse)).toEqual([[4 / Math.sqrt(5), 'sd']]);
    expect(effects(numeric('a', values), numeric('a', values))).toEqual([[0, 'sd']]);
    // a constant has no spread to measure by
    expect(effects(numeric('a', [3, 3]), numeric('a', [5, 5]))).toEqual([[null, 'sd']]);
    expect(effects(numeric('a', [3, 3]), numeric('a', [3]))).toEqual([[0, 'sd']]);
  });

  it('measures categories in percentage points of the rows, and tells nothing of identifiers', () => {
    const [before, after] = [category('a', { x: 6, y: 4 }), category('a', { y: 4, z: 6 })];
    expect(effects(before, after)).toEqual([[60, 'points']]);
    expect(effects(before, category('a', {}, false))).toEqual([[null, 'points']]);
  });
});
