import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlEngine } from '../../src/data/engine.ts';
import { parityRow, writeParityRows } from '../../src/evaluation/parity-rows.ts';
import { type TestContext, testContext } from '../data/context.ts';

let world: TestContext;
let engine: SqlEngine;
const features = [
  { name: 'a "b"', type: 'string' as const },
  { name: 'c', type: 'string' as const },
  { name: 'n', type: 'number' as const },
];

beforeAll(async () => {
  world = await testContext();
  engine = await world.engine();
  await engine.execute(
    `CREATE TABLE part AS SELECT i AS id, 'x' || i % 3 AS "a ""b""", 'y' AS c, i AS n, true AS label FROM range(40) AS r(i)`,
  );
});
afterAll(() => world.close());

async function write(options: { rows: number; seed?: number; features?: typeof features }) {
  const file = path.join(world.folder, `parity-${options.rows}-${options.seed}.parquet`);
  const kinds = await writeParityRows({
    engine,
    views: ['part'],
    key: 'id',
    features,
    seed: 1,
    file,
    ...options,
  });
  await engine.addFile('written', file);
  return { kinds, rows: await engine.rows(`SELECT * FROM written`) };
}

it('repeats rows until there are enough, and adds copies with unseen categories and nulls', async () => {
  const { kinds, rows } = await write({ rows: 100 });
  expect(kinds).toEqual([
    { kind: 'plain', rows: 100 },
    { kind: 'unseen', rows: 10 },
    { kind: 'null', rows: 10 },
  ]);
  expect(rows.map((row) => row[parityRow])).toEqual(Array.from({ length: 120 }, (_, i) => i));
  const plain = rows.slice(0, 100);
  expect(new Set(plain.map(({ n }) => n)).size).toBe(40);
  expect(plain.every((row) => /^x[012]$/.test(String(row['a "b"'])) && row.c === 'y')).toBe(true);
  const unseen = rows
    .slice(100, 110)
    .map((row) => [row['a "b"'], row.c].map((text) => /unseen/.test(String(text))));
  expect(unseen.slice(0, 3)).toEqual([
    [true, false],
    [false, true],
    [true, true],
  ]);
  const nulls = rows.slice(110).map((row) => [row['a "b"'], row.c, row.n].map((value) => value === null));
  expect(nulls.slice(0, 4)).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, true],
    [true, true, true],
  ]);
});

it('draws without repeating where there are enough, the same rows for the same seed', async () => {
  const drawn = async (seed: number) => (await write({ rows: 20, seed })).rows.slice(0, 20).map(({ n }) => n);
  const first = await drawn(1);
  expect(new Set(first).size).toBe(20);
  expect(await drawn(1)).toEqual(first);
  expect(await drawn(2)).not.toEqual(first);
});

it('has no unseen categories where no feature is a text', async () => {
  const { kinds } = await write({ rows: 30, features: features.slice(2) });
  expect(kinds.map(({ rows }) => rows)).toEqual([30, 0, 3]);
});
