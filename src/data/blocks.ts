import { z } from 'zod';
import { addMoments } from '../stats/moments.ts';
import {
  type CategoryPart,
  type NumericPart,
  type PlainPart,
  type ReadPart,
  readCategoryPart,
  readNumericPart,
  readParts,
  readPlainPart,
} from './blocks-parts.ts';
import { addSparse, readSparseCounts, type SparseCounts } from './sparse-counts.ts';

export type { CategoryPart, NumericPart, PlainPart };

const count = z.number().int().nonnegative();
/** A schema of parts that reads them by hand. */
function partsOf<Part>(read: ReadPart<Part>, problem: string) {
  return z.unknown().transform((value, context): Part[] => {
    const parts = readParts(value, read, readSparseCounts);
    if (parts !== null) return parts;
    context.issues.push({ code: 'custom', message: problem, input: value });
    return z.NEVER;
  });
}

export const columnTypes = ['boolean', 'integer', 'number', 'string', 'timestamp', 'date', 'other'] as const;
const column = {
  name: z.string(),
  type: z.enum(columnTypes),
  physicalType: z.string(),
  /**
   * Distinct values without null: of texts exact for one table, of numbers an estimate to some per cent (HyperLogLog);
   * a lower bound after a merge unless categories tell.
   */
  distinct: count,
};
export const NumericColumn = z.object({
  ...column,
  kind: z.literal('numeric'),
  exponent: z.number().int().min(-1074).max(1023),
  parts: partsOf(readNumericPart, 'expected counts, min, max, mean, m2 and bins'),
});
export const CategoryColumn = z.object({
  ...column,
  kind: z.literal('category'),
  /** Sorted by code units. Empty for a column with too many values to count, such as an identifier. */
  categories: z.custom<string[]>(
    (value) => Array.isArray(value) && value.every((text) => typeof text === 'string'),
    'expected texts',
  ),
  /** Whether `categories` holds every value, so that `other` is 0. */
  complete: z.boolean(),
  parts: partsOf(readCategoryPart, 'expected counts of nulls, of categories and of others'),
});
/** Timestamps and dates (min and max in ISO 8601), and nested values (nulls only). */
export const PlainColumn = z.object({
  ...column,
  kind: z.literal('plain'),
  parts: partsOf(readPlainPart, 'expected a count of nulls, min and max'),
});

export const ColumnBlocks = z.discriminatedUnion('kind', [NumericColumn, CategoryColumn, PlainColumn]);
export type NumericColumn = z.infer<typeof NumericColumn>;
export type CategoryColumn = z.infer<typeof CategoryColumn>;
export type PlainColumn = z.infer<typeof PlainColumn>;
export type ColumnBlocks = z.infer<typeof ColumnBlocks>;

/** One block of rows: a day of event time, or the whole table when it has no time. */
export const Block = z.object({ day: z.iso.date().nullable(), rows: count });
export type Block = z.infer<typeof Block>;

/**
 * The profile of a table by day: `blocks.json` of a snapshot. `columns[c].parts[b]` belongs to `blocks[b]`.
 * Bins lie on the grid of powers of two, whatever the data, so any two profiles can be added up: the finer
 * one is made coarser without error.
 */
export const Blocks = z
  .object({
    schema: z.literal('modelgate.blocks/1'),
    /** The column of event time, in UTC; null: the table is one block. */
    time: z.string().nullable(),
    rows: count,
    blocks: z.array(Block),
    columns: z.array(ColumnBlocks),
  })
  .refine(
    ({ blocks, columns }) => columns.every((each) => fits(each, blocks.length)),
    'expected a part for each block, and counts of known categories',
  );
export type Blocks = z.infer<typeof Blocks>;

/** Whether a column has a part for each block, and counts of known categories. */
export function fits(each: ColumnBlocks, blocks: number): boolean {
  if (each.parts.length !== blocks) return false;
  if (each.kind !== 'category') return true;
  const known = each.categories.length;
  return each.parts.every(({ counts }) => (counts[0] ?? 0) >= 0 && (counts[counts.length - 2] ?? -1) < known);
}

/** Number of blocks, columns and bytes that a reader of `blocks.json` accepts. */
export const blocksLimit = 64_000_000;

/** Adds up two profiles: days of both are merged, columns are matched by name and kind, others left out. */
export function mergeBlocks(a: Blocks, b: Blocks): Blocks {
  const days = [...new Set([...a.blocks, ...b.blocks].map((block) => block.day))].toSorted(compareDays);
  const indexes = (blocks: Blocks) =>
    days.map((day) => blocks.blocks.findIndex((block) => block.day === day));
  const [inA, inB] = [indexes(a), indexes(b)];
  const columns: ColumnBlocks[] = [];
  for (const left of a.columns) {
    const right = b.columns.find((each) => each.name === left.name);
    if (right === undefined) continue;
    const merged = mergeColumn(left, right, inA, inB);
    if (merged !== null) columns.push(merged);
  }
  const rows = (blocks: Blocks, index: number | undefined) => blocks.blocks[index ?? -1]?.rows ?? 0;
  return {
    schema: 'modelgate.blocks/1',
    time: a.time === b.time ? a.time : null,
    rows: a.rows + b.rows,
    blocks: days.map((day, index) => ({ day, rows: rows(a, inA[index]) + rows(b, inB[index]) })),
    columns,
  };
}

/** The blocks of days in [from, until), both YYYY-MM-DD; a missing bound is open. */
export function selectDays(blocks: Blocks, from: string | null, until: string | null): Blocks {
  const kept = blocks.blocks.flatMap(({ day }, index) =>
    day !== null && (from === null || day >= from) && (until === null || day < until) ? [index] : [],
  );
  const pick = <T>(list: readonly T[]): T[] => kept.map((index) => list[index] as T);
  return {
    ...blocks,
    rows: pick(blocks.blocks).reduce((sum, block) => sum + block.rows, 0),
    blocks: pick(blocks.blocks),
    columns: blocks.columns.map((each): ColumnBlocks => {
      if (each.kind === 'numeric') return { ...each, parts: pick(each.parts) };
      if (each.kind === 'category') return { ...each, parts: pick(each.parts) };
      return { ...each, parts: pick(each.parts) };
    }),
  };
}

function compareDays(a: string | null, b: string | null): number {
  return (a ?? '') < (b ?? '') ? -1 : 1;
}

function mergeColumn(
  a: ColumnBlocks,
  b: ColumnBlocks,
  inA: readonly number[],
  inB: readonly number[],
): ColumnBlocks | null {
  const join = <P>(left: readonly P[], right: readonly P[], add: (one: P, two: P) => P, none: P): P[] =>
    inA.map((index, position) => add(left[index] ?? none, right[inB[position] ?? -1] ?? none));
  const distinct = Math.max(a.distinct, b.distinct);
  if (a.kind === 'numeric' && b.kind === 'numeric') {
    const exponent = Math.max(a.exponent, b.exponent);
    const [left, right] = [coarsen(a, exponent), coarsen(b, exponent)];
    return { ...a, distinct, exponent, parts: join(left.parts, right.parts, addNumeric, noNumeric) };
  }
  if (a.kind === 'category' && b.kind === 'category') {
    const categories = [...new Set([...a.categories, ...b.categories])].toSorted(compareText);
    const [left, right] = [recode(a, categories), recode(b, categories)];
    const complete = a.complete && b.complete;
    return {
      ...a,
      distinct: complete ? categories.length : distinct,
      categories,
      complete,
      parts: join(left, right, addCategory, { nulls: 0, counts: [], other: 0 }),
    };
  }
  if (a.kind === 'plain' && b.kind === 'plain') {
    return { ...a, distinct, parts: join(a.parts, b.parts, addPlain, { nulls: 0, min: null, max: null }) };
  }
  return null;
}

const noNumeric: NumericPart = {
  nulls: 0,
  nonfinite: 0,
  min: null,
  max: null,
  mean: null,
  m2: null,
  bins: [],
};

/** The same column with bins of width 2^exponent, which must not be finer than they are. */
export function coarsen(numeric: NumericColumn, exponent: number): NumericColumn {
  const shift = exponent - numeric.exponent;
  if (shift < 0) throw new RangeError('bins cannot be made finer');
  if (shift === 0) return numeric;
  const step = 2 ** shift;
  const parts = numeric.parts.map((part) => ({
    ...part,
    bins: addSparse(
      mapIndexes(part.bins, (index) => Math.floor(index / step)),
      [],
    ),
  }));
  return { ...numeric, exponent, parts };
}

/** n of a numeric part: rows with a finite value. */
export function counted(counts: SparseCounts): number {
  let sum = 0;
  for (let at = 1; at < counts.length; at += 2) sum += counts[at] ?? 0;
  return sum;
}

export function addNumeric(a: NumericPart, b: NumericPart): NumericPart {
  const base = {
    nulls: a.nulls + b.nulls,
    nonfinite: a.nonfinite + b.nonfinite,
    bins: addSparse(a.bins, b.bins),
  };
  if (a.mean === null || a.m2 === null) return { ...b, ...base };
  if (b.mean === null || b.m2 === null) return { ...a, ...base };
  const { mean, m2 } = addMoments(
    { n: counted(a.bins), mean: a.mean, m2: a.m2 },
    { n: counted(b.bins), mean: b.mean, m2: b.m2 },
  );
  return {
    ...base,
    min: Math.min(a.min ?? Infinity, b.min ?? Infinity),
    max: Math.max(a.max ?? -Infinity, b.max ?? -Infinity),
    mean,
    m2,
  };
}

export function addCategory(a: CategoryPart, b: CategoryPart): CategoryPart {
  return { nulls: a.nulls + b.nulls, counts: addSparse(a.counts, b.counts), other: a.other + b.other };
}

export function addPlain(a: PlainPart, b: PlainPart): PlainPart {
  const known = (x: string | null, y: string | null) =>
    [x, y].filter((text) => text !== null).toSorted(compareText);
  return {
    nulls: a.nulls + b.nulls,
    min: known(a.min, b.min)[0] ?? null,
    max: known(a.max, b.max).at(-1) ?? null,
  };
}

function recode(from: CategoryColumn, categories: readonly string[]): CategoryPart[] {
  const position = new Map(categories.map((text, index) => [text, index]));
  return from.parts.map((part) => ({
    ...part,
    counts: addSparse(
      mapIndexes(part.counts, (index) => position.get(from.categories[index] ?? '') ?? 0),
      [],
    ),
  }));
}

function mapIndexes(flat: SparseCounts, change: (index: number) => number): number[] {
  return Array.from(flat, (value, at) => (at % 2 === 0 ? change(value) : value));
}

/** Order by code units: the same on every machine, unlike a locale's. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
