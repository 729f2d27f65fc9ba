/** Arrays that one sort after the other uses. */
export interface SortRoom {
  /** The values as they were. */
  readonly values: Float64Array;
  /** The class of each, and where the next of a class goes. */
  readonly classes: Uint16Array;
  readonly heads: Uint16Array;
}

/** Longer parts are sorted by the runtime. */
const longest = 2 ** 12;
/** Shorter parts are sorted by insertion alone. */
const shortest = 24;
/** More values in one class are too many to insert. */
const crowd = 64;

export function sortRoom(): SortRoom {
  return {
    values: new Float64Array(longest),
    classes: new Uint16Array(longest),
    heads: new Uint16Array(longest + 2),
  };
}

/**
 * Sorts values[from] to values[until − 1], finite numbers. Made for parts of some hundred values that lie
 * about evenly between their ends: each goes at once to about its place, and insertion does the rest, in O(n). Others
 * are left to the runtime's sort, which guesses at half of its branches wrongly.
 */
export function sortPart(values: Float64Array, from: number, until: number, room: SortRoom): void {
  const n = until - from;
  if (n > longest || (n > shortest && !place(values, from, n, room))) values.subarray(from, until).sort();
  else insert(values, from, until);
}

/** Puts each of n values into one of about n classes of equal width, ascending; false where one is crowded. */
function place(
  values: Float64Array,
  from: number,
  n: number,
  { values: before, classes, heads }: SortRoom,
): boolean {
  let least = values[from] as number;
  let most = least;
  for (let i = 0; i < n; i++) {
    const value = values[from + i] as number;
    before[i] = value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const scale = n / (most - least);
  heads.fill(0, 0, n + 2);
  for (let i = 0; i < n; i++) {
    // 0 where the scale is not finite
    const found = (((before[i] as number) - least) * scale) | 0;
    classes[i] = found;
    heads[found + 1]!++;
  }
  let sum = 0;
  let largest = 0;
  for (let i = 1; i <= n + 1; i++) {
    const size = heads[i] as number;
    largest = Math.max(largest, size);
    sum += size;
    heads[i] = sum;
  }
  if (largest > crowd) return false;
  for (let i = 0; i < n; i++) {
    const found = classes[i] as number;
    const head = heads[found] as number;
    values[from + head] = before[i] as number;
    heads[found] = head + 1;
  }
  return true;
}

function insert(values: Float64Array, from: number, until: number): void {
  for (let i = from + 1; i < until; i++) {
    const value = values[i] as number;
    let at = i;
    for (; at > from && (values[at - 1] as number) > value; at--) values[at] = values[at - 1] as number;
    values[at] = value;
  }
}
