import { z } from 'zod';

/** Numbers of one array. */
const limit = 40_000;
const problem = 'expected ascending whole numbers with their counts';

/**
 * Sparse counts, flat: index, count, index, count …, with ascending indexes; or the same as `packCounts` writes it.
 * One check of a whole array: a schema of each of its numbers takes most of the time of reading a profile.
 */
export const SparseCounts = z.unknown().transform((value, context): number[] => {
  const flat = typeof value === 'string' ? unpackCounts(value) : value;
  if (Array.isArray(flat) && flat.length <= limit && areSparseCounts(flat)) return flat;
  context.issues.push({ code: 'custom', message: problem, input: value });
  return z.NEVER;
});

function areSparseCounts(flat: readonly unknown[]): flat is number[] {
  if (flat.length % 2 !== 0) return false;
  let last = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < flat.length; at += 2) {
    const [index, count] = [flat[at], flat[at + 1]];
    if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count)) return false;
    if ((index as number) <= last || (count as number) < 0) return false;
    last = index as number;
  }
  return true;
}

/**
 * Sparse counts as a text of a third of the length and read in a fraction of the time: base64 of the first index (0 or
 * 1 for its sign, its amount), then counts and steps to the next index in turn, each in bytes of seven bits, the lowest
 * first, with the eighth set where more follow. Indexes too far apart for exact steps stay an array.
 */
export function packCounts(flat: readonly number[]): string | readonly number[] {
  const first = flat[0] ?? 0;
  if (!Number.isSafeInteger((flat.at(-2) ?? 0) - first)) return flat;
  const bytes: number[] = [];
  const write = (value: number) => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
    bytes.push(rest);
  };
  for (let at = 0; at < flat.length; at += 2) {
    const index = flat[at] as number;
    if (at === 0) {
      write(index < 0 ? 1 : 0);
      write(Math.abs(index));
    } else write(index - (flat[at - 2] as number));
    write(flat[at + 1] as number);
  }
  return Buffer.from(bytes).toString('base64');
}

/** Null where the text is none of `packCounts`; that its numbers are sparse counts is not checked. */
function unpackCounts(text: string): number[] | null {
  // no number takes less than a byte
  if (text.length > 8 * limit) return null;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0) return [];
  let ends = 0;
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] as number) < 0x80) ends++;
  if (ends < 2) return null;
  // the sign is none of them; an array that grows takes more memory than one of its length
  const flat = new Array<number>(ends - 1);
  let at = 0;
  let negative = false;
  for (let i = -1; i < flat.length; i++) {
    let byte = bytes[at++] as number;
    let value = byte & 0x7f;
    for (let unit = 0x80; byte >= 0x80; unit *= 0x80) {
      if (unit > Number.MAX_SAFE_INTEGER) return null;
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * unit;
    }
    if (i === -1) negative = value === 1;
    else if (i === 0) flat[i] = negative ? -value : value;
    else flat[i] = i % 2 === 0 ? (flat[i - 2] as number) + value : value;
    if (i === -1 && value > 1) return null;
  }
  return at === bytes.length ? flat : null;
}

/** Adds two sparse counts; indexes come out ascending and once. */
export function addSparse(a: readonly number[], b: readonly number[]): number[] {
  const sums = new Map<number, number>();
  for (const flat of [a, b]) {
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const index = flat[at] as number;
      sums.set(index, (sums.get(index) ?? 0) + (flat[at + 1] as number));
    }
  }
  return [...sums].toSorted(([x], [y]) => x - y).flat();
}
