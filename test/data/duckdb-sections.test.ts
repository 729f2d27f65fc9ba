import { expect, it } from 'vitest';
import { parquetSections } from '../../src/data/duckdb-sections.ts';

const rowsOf = (groups: number[], rows: number) =>
  parquetSections('f', groups, rows).map((sql) => /BETWEEN (\d+) AND (\d+)$/.exec(sql)?.slice(1).map(Number));

it('takes as many whole row groups together as have so many rows', () => {
  expect(rowsOf([100, 100, 100, 50], 200)).toEqual([
    [0, 199],
    [200, 349],
  ]);
  expect(rowsOf([300, 10, 10], 200)).toEqual([
    [0, 299],
    [300, 319],
  ]);
});

it('reads a file of one section without a condition', () => {
  for (const groups of [[], [0], [100, 100]])
    expect(parquetSections('f', groups, 200)).toEqual(['SELECT * FROM f']);
});

it('cuts row groups that are too large to be held', () => {
  const million = 2 ** 20;
  expect(rowsOf([2 * million + 5, 7], 2 ** 18)).toEqual([
    [0, million - 1],
    [million, 2 * million - 1],
    [2 * million, 2 * million + 11],
  ]);
});
