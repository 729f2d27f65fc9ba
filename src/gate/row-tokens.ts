import { type Column, identifier, type SqlEngine } from '../data/engine.ts';

/** A column as near duplicates see it. `width`: what a numeric difference must not exceed; 0 for equal only. */
export interface TokenColumn {
  readonly name: string;
  readonly kind: 'number' | 'word' | 'text';
  readonly width: number;
}

/** Numbers in one row's slots, column after column; a slot is 32 bits. */
export interface TokenLayout {
  readonly columns: readonly (TokenColumn & { readonly start: number; readonly slots: number })[];
  readonly slots: number;
}

/** Texts of at least this mean length are compared by shingles, shorter ones as words. */
const textLength = 40;
const textSlots = 32;
const shingle = 5;
const wordTokens = { number: 2, word: 1, text: textSlots } as const;

/** From here on doubles leave whole numbers out: such a column holds names. */
const exactWhole = 2 ** 53;

/** Chooses how each column is compared: numbers by cells of `tolerance` standard deviations of the training rows. */
export async function layoutOf(
  engine: SqlEngine,
  input: {
    table: string;
    columns: readonly (Pick<Column, 'name'> & { numeric: boolean; whole: boolean })[];
    tolerance: number;
  },
): Promise<TokenLayout> {
  const parts = input.columns.map(({ name, numeric }, index) => {
    const column = identifier(name);
    const value = `CAST(${column} AS DOUBLE)`;
    return numeric
      ? `stddev_pop(${value}) FILTER (WHERE isfinite(${value}) AND abs(${value}) < 1e150) AS c${index}, max(abs(${value})) AS m${index}`
      : `avg(length(CAST(${column} AS VARCHAR))) AS c${index}`;
  });
  const row = (await engine.rows(`SELECT ${parts.join(', ')} FROM ${identifier(input.table)}`))[0] ?? {};
  let slots = 0;
  const columns = input.columns.map(({ name, numeric: holdsNumbers, whole }, index) => {
    const numeric = holdsNumbers && !(whole && Number(row[`m${index}`] ?? 0) >= exactWhole);
    const found = holdsNumbers && !numeric ? 0 : Number(row[`c${index}`] ?? 0);
    const kind = numeric ? ('number' as const) : found >= textLength ? ('text' as const) : ('word' as const);
    const start = slots;
    slots += wordTokens[kind];
    return { name, kind, width: numeric ? found * input.tolerance : 0, start, slots: wordTokens[kind] };
  });
  return { columns, slots };
}

/**
 * The slots of rows `from` to `to` (of the column `row`, ascending) of a table, row-major. A number has two: the
 * cells it lies in on two grids, the second moved by half a cell, so that a pair that one grid's edge divides is
 * seen on the other. A word has one: its hash, letter case and outer spaces aside. A text has 32: the least hash of
 * its 5-letter shingles in each of 32 parts (one-permutation MinHash). Nulls equal each other.
 */
export async function readTokens(
  engine: SqlEngine,
  input: { table: string; row: string; layout: TokenLayout; from: number; to: number },
): Promise<Uint32Array> {
  const { table, row, layout, from, to } = input;
  const hashed = (sql: string) => `CAST(hash(${sql}) % 4294967296 AS DOUBLE)`;
  const selected = layout.columns.flatMap(({ name, kind, width }) => {
    const column = identifier(name);
    if (kind === 'text') return [`lower(trim(CAST(${column} AS VARCHAR)))`];
    if (kind === 'word') return [hashed(`lower(trim(CAST(${column} AS VARCHAR)))`)];
    const value = `CAST(${column} AS DOUBLE)`;
    const cell = (offset: number) =>
      hashed(width > 0 ? `floor(${value} / ${width} + ${offset}) + 0.0` : `${value} + 0.0`);
    return [cell(0), cell(0.5)];
  });
  const vectors = await engine.columns(
    `SELECT ${selected.map((sql, i) => `${sql} AS c${i}`).join(', ')} FROM ${identifier(table)}
     WHERE ${identifier(row)} BETWEEN ${from} AND ${to} ORDER BY ${identifier(row)}`,
  );
  const rows = vectors[0]?.values.length ?? 0;
  const out = new Uint32Array(rows * layout.slots);
  let next = 0;
  for (const { kind, start, slots } of layout.columns) {
    if (kind === 'text') {
      const texts = vectors[next++]?.values as (string | null)[];
      for (let i = 0; i < rows; i++) {
        const at = i * layout.slots + start;
        sketchText(texts[i] ?? null, out.subarray(at, at + slots));
      }
      continue;
    }
    for (let k = 0; k < slots; k++) {
      const values = vectors[next++]?.values as Float64Array;
      for (let i = 0; i < rows; i++) out[i * layout.slots + start + k] = values[i] as number;
    }
  }
  return out;
}

/** One-permutation MinHash of a text's shingles; an empty part borrows from the next that is not (Shrivastava & Li 2014). */
export function sketchText(text: string | null, out: Uint32Array): void {
  const empty = 0xffffffff;
  out.fill(empty);
  if (text === null) {
    out.fill(0);
    return;
  }
  const plain = text.replace(/\s+/g, ' ');
  const size = Math.min(shingle, plain.length);
  for (let i = 0; i + size <= plain.length && size > 0; i++) {
    let hash = 0x811c9dc5;
    for (let k = 0; k < size; k++) hash = Math.imul(hash ^ plain.charCodeAt(i + k), 0x01000193);
    hash = mix(hash);
    const slot = hash % out.length;
    const rank = mix(hash ^ 0x5bd1e995);
    if (rank < (out[slot] as number)) out[slot] = rank;
  }
  const filled = Uint32Array.from(out);
  for (let slot = 0; slot < out.length; slot++) {
    for (let step = 1; out[slot] === empty && step < out.length; step++) {
      const other = filled[(slot + step) % out.length] as number;
      if (other !== empty) out[slot] = mix(other + step);
    }
  }
}

/** A 32-bit mixer (murmur3's finalizer), as an unsigned number. */
export function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
