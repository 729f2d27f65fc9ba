import { describe, expect, it } from 'vitest';
import { runStage } from '../../src/stages/define.ts';
import { leakage } from '../../src/stages/leakage.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { normals, openContext, writeCsv } from './world.ts';

const normal = normals(seededRandom(1));
const table = (rows: number, prefix: string, day: string) => ({
  id: Array.from({ length: rows }, (_, i) => `${prefix}${i}`),
  city: Array.from({ length: rows }, (_, i) => ['Oslo', 'Rome', null][i % 3] ?? null),
  size: Array.from({ length: rows }, () => 100 + 20 * normal()),
  price: Array.from({ length: rows }, () => 1000 * normal()),
  at: Array.from(
    { length: rows },
    (_, i) => `2013-${day}-${String(1 + (i % 28)).padStart(2, '0')}T05:00:00Z`,
  ),
});
const train = table(1000, 'a', '01');
const clean = table(300, 'b', '02');

/** Replaces rows of `into` from 0 on by rows of the training set, with a change. */
function plant(
  into: typeof clean,
  rows: number,
  change: Partial<Record<keyof typeof clean, (value: never, i: number) => unknown>> = {},
) {
  return Object.fromEntries(
    Object.entries(into).map(([name, values]) => [
      name,
      values.map((value, i) => {
        if (i >= rows) return value;
        const known = train[name as keyof typeof train][i + 10];
        const changed = change[name as keyof typeof clean];
        return changed === undefined ? known : changed(known as never, i);
      }),
    ]),
  ) as Record<string, unknown[]>;
}

const run = (evaluation: Record<string, unknown[]>, options: { key?: string; time?: string } = {}) =>
  runStage(
    leakage,
    {
      train: writeCsv(train),
      evaluation: writeCsv(evaluation),
      key: options.key ?? null,
      time: options.time ?? null,
      threshold: 0.9,
      seed: 0,
    },
    openContext(),
  );

describe('leakage', () => {
  it('finds nothing where nothing is', async () => {
    const outcome = await run(clean, { key: 'id', time: 'at' });
    expect(outcome).toMatchObject({
      verdict: 'pass',
      outputs: { exact: 0, near: 0, key: 0, temporal: 0, examples: [] },
    });
  });

  it('[EVA-2] counts equal rows, nulls included, with examples', async () => {
    const outcome = await run(plant(clean, 7));
    expect(outcome).toMatchObject({ verdict: 'fail', reason_code: 'evaluation_leak' });
    expect(outcome.outputs).toMatchObject({ exact: 7, near: 0, key: null, temporal: null, rows: 300 });
    expect(outcome.outputs.examples?.[0]).toEqual({
      kind: 'exact',
      evaluation_row: 1,
      train_row: 11,
      key: null,
    });
  });

  it('[EVA-2] counts nearly equal rows under new keys', async () => {
    const near = plant(clean, 9, {
      id: (_, i) => `new${i}`,
      city: (value: string | null) => value?.toUpperCase() ?? null,
      price: (value: number) => value + 0.001,
    });
    const outcome = await run(near, { key: 'id', time: 'at' });
    expect(outcome.outputs).toMatchObject({ exact: 0, near: 9, key: 0 });
  });

  it('counts known keys and rows that are not newer', async () => {
    const old = {
      ...clean,
      id: clean.id.map((id, i) => (i < 4 ? `a${i}` : id)),
      at: clean.at.map((at, i) => (i < 3 ? '2013-01-05 05:00:00' : at)),
    };
    const outcome = await run(old, { key: 'id', time: 'at' });
    expect(outcome.outputs).toMatchObject({ key: 4, temporal: 3 });
  });

  it('names the nearest column, and tables that share none', async () => {
    expect((await run(clean, { key: 'idd' })).error?.fix).toBe('Did you mean "id"?');
    const { error } = await run({ sizes: [1, 2] });
    expect(error?.code).toBe('usage');
    expect(error?.fix).toContain('"sizes" as "size"');
  });

  it('reads hostile column names as names', async () => {
    const name = 'x"; DROP TABLE leak_train; --';
    const outcome = await runStage(
      leakage,
      {
        train: writeCsv({ [name]: [1, 2] }),
        evaluation: writeCsv({ [name]: [2, 3] }),
        key: name,
        time: null,
        threshold: 0.9,
        seed: 0,
      },
      openContext(),
    );
    expect(outcome.outputs).toMatchObject({ exact: 1, key: 1 });
  });
});
