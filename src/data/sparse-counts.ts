/** Numbers of one array. */
const limit = 40_000;

/** Index, count, index, count …, with ascending indexes. */
export type SparseCounts = ArrayLike<number>;

/** Reads sparse counts, or what stands for them; null where they are none. */
export type ReadCounts = (value: unknown) => SparseCounts | null;

/** Sparse counts from JSON; null where they are none. */
export const readSparseCounts: ReadCounts = (value) =>
  Array.isArray(value) && value.length <= limit && areSparseCounts(value) ? value : null;

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

/** Adds two sparse counts; indexes come out ascending and once. */
export function addSparse(a: SparseCounts, b: SparseCounts): number[] {
  const sums = new Map<number, number>();
  for (const flat of [a, b]) {
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const index = flat[at] as number;
      sums.set(index, (sums.get(index) ?? 0) + (flat[at + 1] as number));
    }
  }
  return [...sums].toSorted(([x], [y]) => x - y).flat();
}
