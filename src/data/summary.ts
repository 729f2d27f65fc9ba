import {
  addCategory,
  addNumeric,
  addPlain,
  type Blocks,
  type CategoryPart,
  type ColumnBlocks,
  counted,
  type NumericPart,
  type PlainPart,
} from './blocks.ts';
import type { ColumnType } from './engine.ts';

/** One column over all blocks. */
export interface ColumnSummary {
  name: string;
  type: ColumnType;
  physicalType: string;
  kind: ColumnBlocks['kind'];
  rows: number;
  nulls: number;
  /** Share of rows, 0 to 1; 0 for an empty table. */
  null_rate: number;
  nonfinite: number;
  distinct: number;
  min: number | string | null;
  max: number | string | null;
  mean: number | null;
  /** Standard deviation with n − 1. */
  sd: number | null;
  /** Numeric columns: bins [lower edge, upper edge, count], ascending. */
  histogram: [number, number, number][];
  /** Category columns: [value, count], most frequent first. */
  categories: [string, number][];
  /** Rows whose value is not among `categories`. */
  other: number;
}

/** Adds up the blocks of every column. */
export function summarize(blocks: Blocks): ColumnSummary[] {
  return blocks.columns.map((column) => {
    const { name, type, physicalType, kind, distinct } = column;
    return { name, type, physicalType, kind, distinct, rows: blocks.rows, ...details(column, blocks.rows) };
  });
}

type Details = Omit<ColumnSummary, 'name' | 'type' | 'physicalType' | 'kind' | 'rows' | 'distinct'>;

function details(column: ColumnBlocks, rows: number): Details {
  if (column.kind === 'numeric') return numeric(column.parts, column.exponent, rows);
  if (column.kind === 'category') return category(column.parts, column.categories, rows);
  return plain(column.parts, rows);
}

const nothing: Details = {
  nulls: 0,
  null_rate: 0,
  nonfinite: 0,
  min: null,
  max: null,
  mean: null,
  sd: null,
  histogram: [],
  categories: [],
  other: 0,
};

function numeric(parts: readonly NumericPart[], exponent: number, rows: number): Details {
  const first: NumericPart = { nulls: 0, nonfinite: 0, min: null, max: null, mean: null, m2: null, bins: [] };
  const sum = parts.reduce(addNumeric, first);
  const n = counted(sum.bins);
  const width = 2 ** exponent;
  const histogram: [number, number, number][] = [];
  for (let at = 0; at + 1 < sum.bins.length; at += 2) {
    const lower = (sum.bins[at] as number) * width;
    histogram.push([lower, lower + width, sum.bins[at + 1] as number]);
  }
  return {
    ...nothing,
    nulls: sum.nulls,
    null_rate: rate(sum.nulls, rows),
    nonfinite: sum.nonfinite,
    min: sum.min,
    max: sum.max,
    mean: sum.mean,
    sd: n > 1 && sum.m2 !== null ? Math.sqrt(sum.m2 / (n - 1)) : null,
    histogram,
  };
}

function category(parts: readonly CategoryPart[], names: readonly string[], rows: number): Details {
  const sum = parts.reduce(addCategory, { nulls: 0, counts: [], other: 0 });
  const categories: [string, number][] = [];
  for (let at = 0; at + 1 < sum.counts.length; at += 2) {
    categories.push([names[sum.counts[at] as number] ?? '', sum.counts[at + 1] as number]);
  }
  categories.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return { ...nothing, nulls: sum.nulls, null_rate: rate(sum.nulls, rows), categories, other: sum.other };
}

function plain(parts: readonly PlainPart[], rows: number): Details {
  const sum = parts.reduce(addPlain, { nulls: 0, min: null, max: null });
  return { ...nothing, ...sum, null_rate: rate(sum.nulls, rows) };
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
