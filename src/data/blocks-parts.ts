import type { ReadCounts, SparseCounts } from './sparse-counts.ts';

/** One block's rows of a column of numbers. */
export interface NumericPart {
  nulls: number;
  /** NaN, infinities and numbers beyond 1e150: neither null nor in the statistics below. */
  nonfinite: number;
  min: number | null;
  max: number | null;
  mean: number | null;
  /** Sum of squared differences from the mean. */
  m2: number | null;
  /** Values in [index · 2^exponent, (index + 1) · 2^exponent). */
  bins: SparseCounts;
}
export interface CategoryPart {
  nulls: number;
  /** Counts by index into the column's `categories`. */
  counts: SparseCounts;
  /** Rows whose value is not among the categories. */
  other: number;
}
export interface PlainPart {
  nulls: number;
  min: string | null;
  max: string | null;
}

/**
 * Reads a stranger's part; null where it is none. By hand: a check has thousands, and a schema takes ten times as long
 * for each.
 */
export type ReadPart<Part> = (value: unknown, counts: ReadCounts) => Part | null;

export const readNumericPart: ReadPart<NumericPart> = (value, counts) => {
  if (!isRecord(value)) return null;
  const { nulls, nonfinite, min, max, mean, m2 } = value;
  const bins = counts(value.bins);
  if (bins === null || !isCount(nulls) || !isCount(nonfinite)) return null;
  if (!isNumberOrNull(min) || !isNumberOrNull(max) || !isNumberOrNull(mean) || !isNumberOrNull(m2))
    return null;
  return { nulls, nonfinite, min, max, mean, m2, bins };
};

export const readCategoryPart: ReadPart<CategoryPart> = (value, counts) => {
  if (!isRecord(value)) return null;
  const { nulls, other } = value;
  const known = counts(value.counts);
  return known === null || !isCount(nulls) || !isCount(other) ? null : { nulls, counts: known, other };
};

export const readPlainPart: ReadPart<PlainPart> = (value) => {
  if (!isRecord(value)) return null;
  const { nulls, min, max } = value;
  return isCount(nulls) && isTextOrNull(min) && isTextOrNull(max) ? { nulls, min, max } : null;
};

export function readParts<Part>(value: unknown, read: ReadPart<Part>, counts: ReadCounts): Part[] | null {
  if (!Array.isArray(value)) return null;
  const found: Part[] = [];
  for (const part of value) {
    const one = read(part, counts);
    if (one === null) return null;
    found.push(one);
  }
  return found;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || Number.isFinite(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
