import type { CriticalSlice } from './policy.ts';
import type { Scores } from './scores.ts';

/** The rows of each value of a column, in one pass (counting sort by code). */
export function rowsByCode(scores: Scores, column: string): { value: string | null; indices: Int32Array }[] {
  const found = scores.slices.find((slice) => slice.column === column);
  if (found === undefined) throw new Error(`the column ${column} was not read`);
  const { codes, values } = found;
  const ends = new Int32Array(values.length + 1);
  for (let i = 0; i < codes.length; i++) ends[(codes[i] as number) + 1]! += 1;
  for (let code = 0; code < values.length; code++) ends[code + 1]! += ends[code] as number;
  const next = ends.slice(0, values.length);
  const order = new Int32Array(codes.length);
  for (let i = 0; i < codes.length; i++) order[next[codes[i] as number]!++] = i;
  return values.map((value, code) => ({ value, indices: order.subarray(ends[code], ends[code + 1]) }));
}

/** Whether a slice's value is the one that a policy writes; numbers are compared as numbers. */
export function sameValue(found: string | null, value: CriticalSlice['where'][string]): boolean {
  if (found === null || value === null) return found === value;
  return typeof value === 'number' ? Number(found) === value : found === String(value);
}

/** Rows where every named column has the given value. */
export function rowsWhere(scores: Scores, where: CriticalSlice['where']): Int32Array {
  const wanted = Object.entries(where).map(([column, value]) => {
    const slice = scores.slices.find((one) => one.column === column);
    if (slice === undefined) throw new Error(`the column ${column} was not read`);
    const matches = slice.values.map((found) => sameValue(found, value));
    return { codes: slice.codes, matches };
  });
  const out: number[] = [];
  for (let i = 0; i < scores.rows; i++) {
    if (wanted.every(({ codes, matches }) => matches[codes[i] as number] === true)) out.push(i);
  }
  return Int32Array.from(out);
}
