import { expect, it } from 'vitest';
import type { Blocks } from '../../src/data/blocks.ts';
import { blockSide } from '../../src/monitoring/block-side.ts';
import { categoricalFromBlocks, uncounted } from '../../src/monitoring/category-blocks.ts';

const day = (date: string, rows: number, categories: string[], counts: number[], other = 0) => ({
  day: date,
  blocks: {
    ...{ schema: 'modelgate.blocks/1', time: null, rows, blocks: [{ day: null, rows }] },
    columns: [
      {
        ...{
          name: 'c',
          type: 'string',
          physicalType: 'VARCHAR',
          distinct: categories.length,
          kind: 'category',
        },
        ...{ categories, complete: other === 0 },
        parts: [{ nulls: 0, counts, other }],
      },
    ],
  } satisfies Blocks,
});

it('days whose categories differ in number, or in one text, are added up by text', () => {
  const reference = blockSide(
    [
      day('2024-01-01', 9, ['a', 'b'], [0, 5, 1, 4]),
      day('2024-01-02', 8, ['a', 'b'], [1, 6]),
      day('2024-01-03', 7, ['a', 'c'], [0, 3, 1, 4]),
      day('2024-01-04', 6, ['a', 'b', 'c'], [2, 1], 5),
    ],
    'day',
  );
  const current = blockSide([day('2024-02-01', 2, ['d'], [0, 2])], 'day');
  const found = categoricalFromBlocks({ name: 'c', stored: 'c' }, { reference, current });
  expect(found.levels).toEqual(['b', 'a', uncounted, 'c', 'd']);
  expect(Array.from(found.reference.counts)).toEqual([10, 8, 5, 5, 0]);
  expect(Array.from(found.reference.byBlock)).toEqual([
    ...[4, 5, 0, 0, 0],
    ...[6, 0, 0, 0, 0],
    ...[0, 3, 0, 4, 0],
    ...[0, 0, 5, 1, 0],
  ]);
  expect(Array.from(found.reference.nullsByBlock)).toEqual([0, 2, 0, 0]);
  expect(Array.from(found.current.counts)).toEqual([0, 0, 0, 0, 2]);
});
