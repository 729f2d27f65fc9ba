import { describe, expect, it } from 'vitest';
import { NearIndex, rowsPerBand } from '../../src/gate/near-duplicates.ts';
import { sketchText, type TokenLayout } from '../../src/gate/row-tokens.ts';
import { runStage } from '../../src/stages/define.ts';
import { leakage } from '../../src/stages/leakage.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { normals, openContext, writeCsv } from './world.ts';

type Table = Record<string, (string | number | null)[]>;

/** 16 numbers and 4 words a row. */
function wide(rows: number, seed: number): Table {
  const random = seededRandom(seed);
  const normal = normals(random);
  const table: Table = {};
  for (let c = 0; c < 16; c++) table[`n${c}`] = Array.from({ length: rows }, () => 10 ** (c % 5) * normal());
  for (let c = 0; c < 4; c++) table[`w${c}`] = Array.from({ length: rows }, () => `word ${random.below(40)}`);
  return table;
}

const words = 'the a flight left late gate rain crew fuel delay wind snow night route slot tower'.split(' ');
const text = (random: ReturnType<typeof seededRandom>, length: number) =>
  Array.from({ length }, () => `${words[random.below(words.length)]}${random.below(60)}`).join(' ');

const run = (train: Table, evaluation: Table, threshold = 0.9) =>
  runStage(
    leakage,
    {
      train: writeCsv(train),
      evaluation: writeCsv(evaluation),
      key: null,
      time: null,
      threshold,
      seed: 1,
    },
    openContext(),
  );

/** The first `planted` rows of `into` become training rows 101, 102, …, changed. */
function plant(
  into: Table,
  train: Table,
  planted: number,
  change: (value: string | number | null, column: string, row: number) => string | number | null,
): Table {
  return Object.fromEntries(
    Object.entries(into).map(([name, values]) => [
      name,
      values.map((value, i) => (i < planted ? change(train[name]?.[i + 100] ?? null, name, i) : value)),
    ]),
  );
}

describe('near duplicates', () => {
  const train = wide(3000, 1);
  const clean = wide(1000, 2);

  it('[EVA-2] finds planted rows with one of 20 columns changed, and no other', async () => {
    const changed = plant(clean, train, 200, (value, column, row) =>
      column === `n${row % 16}` ? 1e6 : typeof value === 'string' ? ` ${value.toUpperCase()}` : value,
    );
    const { outputs, verdict } = await run(train, changed);
    // each is found with probability .99 or more
    expect(outputs.near).toBeGreaterThanOrEqual(196);
    expect(outputs.near).toBeLessThanOrEqual(200);
    expect(outputs).toMatchObject({ exact: 0, near_limited: 0 });
    expect(verdict).toBe('inconclusive');
    const [first] = outputs.examples ?? [];
    expect(first).toMatchObject({ kind: 'near', similarity: Math.round((19 / 21) * 1000) / 1000 });
    expect(first?.train_row).toBe((first?.evaluation_row ?? 0) + 100);
  });

  it('leaves rows apart that share 18 of 20 columns, and sees them at a lower threshold', async () => {
    const changed = plant(clean, train, 200, (value, column) =>
      column === 'n3' || column === 'w1' ? (column === 'n3' ? 1e9 : 'other') : value,
    );
    expect((await run(train, changed)).outputs.near).toBe(0);
    expect((await run(train, changed, 0.8)).outputs.near).toBeGreaterThanOrEqual(196);
  });

  it('sees through rounding and small noise in every number', async () => {
    const random = seededRandom(3);
    const noisy = plant(clean, train, 200, (value, column) =>
      typeof value === 'number'
        ? value + 0.003 * 10 ** (Number(column.slice(1)) % 5) * (random.uniform() - 0.5)
        : value,
    );
    expect((await run(train, noisy)).outputs.near).toBeGreaterThanOrEqual(190);
  });

  it('finds nothing in unrelated rows, and the same each time', async () => {
    const outcome = await run(train, clean);
    expect(outcome).toMatchObject({ verdict: 'pass', outputs: { exact: 0, near: 0, near_limited: 0 } });
  });

  it('compares long texts by shingles', async () => {
    const random = seededRandom(4);
    const notes = (rows: number): Table => ({ note: Array.from({ length: rows }, () => text(random, 60)) });
    const [known, fresh] = [notes(500), notes(300)];
    const edited = plant(fresh, known, 60, (value) =>
      String(value).replace('rain', 'RAIN').replace(/\w+$/, 'end'),
    );
    const { outputs } = await run(known, edited, 0.8);
    expect(outputs.near).toBeGreaterThanOrEqual(55);
    expect(outputs.near).toBeLessThanOrEqual(60);
  });

  it('says when more rows are alike than it compares', async () => {
    const many = Array.from({ length: 2500 }, (_, i) => i);
    const alike = (start: number): Table => ({
      ...Object.fromEntries(Array.from({ length: 12 }, (_, c) => [`same${c}`, many.map(() => 'x')])),
      a: many.map((i) => `a${start + i}`),
      b: many.map((i) => `b${start + i}`),
    });
    const { outputs, summary, verdict } = await run(alike(0), alike(10_000));
    expect(outputs.near).toBe(0);
    expect(outputs.near_limited).toBeGreaterThan(0);
    expect(summary).toContain('not all were compared');
    expect(verdict).toBe('inconclusive');
  });
});

describe('the index', () => {
  it('keeps its recall at every threshold', () => {
    for (const threshold of [0.5, 0.7, 0.9, 0.99]) {
      const rows = rowsPerBand(threshold);
      expect(1 - (1 - threshold ** rows) ** 8).toBeGreaterThanOrEqual(0.99);
    }
    expect(rowsPerBand(0.9)).toBe(5);
  });

  it('estimates the similarity of texts', () => {
    const a = new Uint32Array(32);
    const b = new Uint32Array(32);
    const random = seededRandom(8);
    const one = text(random, 200);
    sketchText(one, a);
    sketchText(`${one} and a little more`, b);
    expect(a.filter((x, i) => x === b[i]).length).toBeGreaterThan(28);
    sketchText(text(random, 200), b);
    expect(a.filter((x, i) => x === b[i]).length).toBeLessThan(12);
  });

  it('is the same for a seed, whatever the order of its calls', () => {
    const column = { name: 'x', kind: 'word', width: 0, start: 0, slots: 1 } as const;
    const layout: TokenLayout = { columns: [column], slots: 1 };
    const index = new NearIndex({ layout, capacity: 4, threshold: 0.9, seed: 3 });
    index.add(Uint32Array.of(5, 6, 7));
    expect(index.find(Uint32Array.of(6), 0)).toEqual({ row: 1, similarity: 1 });
    expect(index.find(Uint32Array.of(9), 0)).toBeNull();
    expect(index.limited).toBe(0);
  });
});
