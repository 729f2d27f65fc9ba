import { expect, it } from 'vitest';
import type { Blocks } from '../../src/data/blocks.ts';
import { isDay, packBlocks, readPackedBlocks } from '../../src/data/blocks-packed.ts';
import { CountsReader, CountsWriter } from '../../src/data/packed-counts.ts';

const numeric = { nulls: 1, nonfinite: 0, min: -1.5, max: 3, mean: 0.25, m2: 8, bins: [-3, 4, 6, 2] };
const blocks: Blocks = {
  ...{ schema: 'modelgate.blocks/1', time: 'at', rows: 16 },
  blocks: [
    { day: '2024-02-29', rows: 9 },
    { day: null, rows: 7 },
  ],
  columns: [
    {
      ...{ name: 'x', type: 'number', physicalType: 'DOUBLE', distinct: 4, kind: 'numeric', exponent: -1 },
      parts: [numeric, { ...numeric, mean: null, m2: null, bins: [2 ** 40, 1] }],
    },
    {
      ...{ name: 'c', type: 'string', physicalType: 'VARCHAR', distinct: 2, kind: 'category' },
      ...{ categories: ['a', 'b'], complete: true },
      parts: [
        { nulls: 0, counts: [0, 4, 1, 5], other: 0 },
        { nulls: 0, counts: [], other: 7 },
      ],
    },
    {
      ...{ name: 't', type: 'timestamp', physicalType: 'TIMESTAMP', distinct: 2, kind: 'plain' },
      parts: [
        { nulls: 0, min: 'a', max: 'b' },
        { nulls: 7, min: null, max: null },
      ],
    },
  ],
};

/** Reads it with one member changed. */
function read(path: (string | number)[] = [], value?: unknown): Blocks | null {
  const counts = new CountsWriter();
  const packed: unknown = JSON.parse(JSON.stringify(packBlocks(blocks, counts)));
  let at = packed as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  const last = path.at(-1);
  if (last !== undefined) at[last] = value;
  return readPackedBlocks(packed, new CountsReader(Uint32Array.from(counts.words)));
}

it('a profile is read as it was packed', () => {
  const plain = (one: Blocks | null) =>
    JSON.parse(
      JSON.stringify(one, (_, value) =>
        ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value,
      ),
    );
  expect(plain(read())).toEqual(plain(blocks));
  expect(plain(read(['columns', 0, 'parts', 0, 'more'], 1))).toEqual(plain(blocks));
});

it.each<[(string | number)[], unknown[]]>([
  [['schema'], ['modelgate.blocks/2', null]],
  [['time'], [7, undefined]],
  [['rows'], [-1, 0.5, '16']],
  [['blocks'], [null, {}, [], [{ day: null, rows: 1 }]]],
  [
    ['blocks', 0],
    [null, 7],
  ],
  [
    ['blocks', 0, 'day'],
    ['2023-02-29', '2024-2-29', '29.02.2024', 7, undefined],
  ],
  [
    ['blocks', 0, 'rows'],
    [-1, null],
  ],
  [['columns'], [null, {}, [null]]],
  [
    ['columns', 0, 'name'],
    [null, 7],
  ],
  [
    ['columns', 0, 'type'],
    ['real', null],
  ],
  [['columns', 0, 'physicalType'], [null]],
  [
    ['columns', 0, 'distinct'],
    [-1, '4'],
  ],
  [
    ['columns', 0, 'kind'],
    ['plain text', null, 'category'],
  ],
  [
    ['columns', 0, 'exponent'],
    [0.5, 1024, -1075, null],
  ],
  [
    ['columns', 0, 'parts'],
    [null, [], {}],
  ],
  [
    ['columns', 0, 'parts', 0],
    [null, 7, {}],
  ],
  [
    ['columns', 0, 'parts', 0, 'bins'],
    [-1, 1e9, 3, 'AAUD', [1, 1, 0, 1], null],
  ],
  [
    ['columns', 0, 'parts', 0, 'min'],
    ['1', undefined],
  ],
  [
    ['columns', 1, 'categories'],
    [null, ['a'], ['a', 2]],
  ],
  [
    ['columns', 1, 'complete'],
    [null, 1],
  ],
  [['columns', 1, 'parts', 0, 'other'], [-1]],
  [['columns', 2, 'parts', 0, 'max'], [1]],
])('is refused with another %j', (path, values) => {
  for (const value of values) expect(read(path, value), JSON.stringify(value)).toBeNull();
});

it('days are those of the calendar', () => {
  expect(['2024-02-29', '2026-12-31'].every(isDay)).toBe(true);
  for (const wrong of ['2023-02-29', '2024-13-01', '2024-01-32', '2024-1-1', '+02024-01', 'yesterday!', null])
    expect(isDay(wrong), String(wrong)).toBe(false);
});
