/** Numbers of one array. */
const limit = 40_000;

/** Index, count, index, count …, with ascending indexes. */
export type SparseCounts = ArrayLike<number>;

/** Sparse counts from JSON: flat, or as `packCounts` writes them, which become a typed array. Null where they are none. */
export function readSparseCounts(value: unknown): SparseCounts | null {
  if (typeof value === 'string') return unpackCounts(value);
  return Array.isArray(value) && value.length <= limit && areSparseCounts(value) ? value : null;
}

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
export function packCounts(flat: SparseCounts): string | readonly number[] {
  const first = flat[0] ?? 0;
  if (!Number.isSafeInteger((flat[flat.length - 2] ?? 0) - first)) return Array.from(flat);
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

/** Null where the text is none of `packCounts`, or what it holds are no sparse counts. */
function unpackCounts(text: string): Int32Array | Float64Array | null {
  // no number takes less than a byte
  if (text.length > 8 * limit) return null;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0) return new Int32Array();
  if ((bytes[0] as number) > 1 || (bytes[bytes.length - 1] as number) >= 0x80) return null;
  room ??= new Int32Array(limit);
  const length = unpackSmall(bytes, room);
  return length === null ? unpackAny(bytes) : room.slice(0, length);
}

/** Used again for each text: how many numbers one holds is known when they are read. */
let room: Int32Array | null = null;

/** Writes numbers of at most four bytes each, whose indexes stay below 2^31; null where others are among them. */
function unpackSmall(bytes: Uint8Array, out: Int32Array): number | null {
  let index = 0;
  let length = 0;
  // behind the sign; the last byte ends a number
  for (let at = 1; at < bytes.length; length += 2) {
    if (length + 2 > out.length) return null;
    let byte = bytes[at++] as number;
    let step = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 21) return null;
      byte = bytes[at++] as number;
      step |= (byte & 0x7f) << shift;
    }
    if (at === bytes.length || (step === 0 && length > 0)) return null;
    byte = bytes[at++] as number;
    let count = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 21) return null;
      byte = bytes[at++] as number;
      count |= (byte & 0x7f) << shift;
    }
    index = length === 0 && bytes[0] === 1 ? -step : index + step;
    if (index > 0x7fffffff) return null;
    out[length] = index;
    out[length + 1] = count;
  }
  return length === 0 ? null : length;
}

/** The same for any numbers; null where they are no sparse counts. */
function unpackAny(bytes: Uint8Array): Float64Array | null {
  const numbers: number[] = [];
  let [value, unit] = [0, 1];
  for (const byte of bytes) {
    if (unit > Number.MAX_SAFE_INTEGER) return null;
    value += (byte & 0x7f) * unit;
    unit *= 0x80;
    if (byte >= 0x80) continue;
    numbers.push(value);
    if (numbers.length > limit + 1) return null;
    [value, unit] = [0, 1];
  }
  const [sign, ...flat] = numbers;
  if (flat.length === 0) return null;
  for (let at = 0; at < flat.length; at += 2)
    flat[at] =
      at === 0
        ? (sign === 1 ? -1 : 1) * (flat[0] as number)
        : (flat[at - 2] as number) + (flat[at] as number);
  return areSparseCounts(flat) ? Float64Array.from(flat) : null;
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
