/**
 * Sorts rows by value, each with a small whole number beside it (its block), in place: a radix sort by the upper
 * half of the double's bits, then each run of rows whose upper halves are equal by the lower half. O(n); a third of
 * the time of a comparison sort at a million rows.
 */

const digitBits = 11;
const digits = 1 << digitBits;

/** What a sort needs beside its input; one serves any number of sorts of up to `rows` rows. */
export interface SortScratch {
  readonly words: Uint32Array;
  readonly labels: Uint16Array;
}

export function sortScratch(rows: number): SortScratch {
  return { words: new Uint32Array(2 * rows), labels: new Uint16Array(rows) };
}

/** Ascending by value; `labels[i]` stays with `values[i]`. NaN is not allowed; −0 counts as 0. */
export function sortRows(values: Float64Array, labels: Uint16Array, scratch: SortScratch): void {
  const n = values.length;
  if (n < 2) return;
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * n);
  const counts = toKeys(words);
  let from: Rows = { words, labels };
  let to: Rows = { words: scratch.words.subarray(0, 2 * n), labels: scratch.labels.subarray(0, n) };
  for (let digit = 0; digit < 3; digit++) {
    const places = counts.subarray(digit * digits, (digit + 1) * digits);
    if (!startsOf(places, n)) continue;
    scatter(from, to, { places, shift: digit * digitBits });
    [from, to] = [to, from];
  }
  sortRuns(from);
  fromKeys(from.words);
  if (from.words !== words) {
    words.set(from.words);
    labels.set(from.labels);
  }
}

interface Rows {
  readonly words: Uint32Array;
  readonly labels: Uint16Array;
}

/** Bits that order as the doubles do (sign bit flipped, negative ones inverted); counts the upper halves' digits. */
function toKeys(words: Uint32Array): Uint32Array {
  const counts = new Uint32Array(3 * digits);
  for (let i = 0; i < words.length; i += 2) {
    let low = words[i] as number;
    let high = words[i + 1] as number;
    if (high === 0x80000000 && low === 0) high = 0;
    const negative = (high | 0) >> 31;
    low ^= negative;
    high = (high ^ (negative | 0x80000000)) >>> 0;
    words[i] = low;
    words[i + 1] = high;
    counts[high & (digits - 1)]!++;
    counts[digits + ((high >>> digitBits) & (digits - 1))]!++;
    counts[2 * digits + (high >>> (2 * digitBits))]!++;
  }
  return counts;
}

function fromKeys(words: Uint32Array): void {
  for (let i = 0; i < words.length; i += 2) {
    const high = words[i + 1] as number;
    const negative = ~((high | 0) >> 31);
    words[i]! ^= negative;
    words[i + 1] = high ^ (negative | 0x80000000);
  }
}

/** Counts of a digit become the places where its rows begin; false where all rows share one. */
function startsOf(counts: Uint32Array, n: number): boolean {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    if (count === n) return false;
    counts[i] = sum;
    sum += count;
  }
  return true;
}

function scatter(from: Rows, to: Rows, { places, shift }: { places: Uint32Array; shift: number }): void {
  const { words, labels } = from;
  const { words: target, labels: targetLabels } = to;
  for (let i = 0; i < labels.length; i++) {
    const high = words[2 * i + 1] as number;
    const place = places[(high >>> shift) & (digits - 1)]!++;
    target[2 * place] = words[2 * i] as number;
    target[2 * place + 1] = high;
    targetLabels[place] = labels[i] as number;
  }
}

/** Rows with equal upper halves stand together: orders each such run by the lower halves. */
function sortRuns({ words, labels }: Rows): void {
  const n = labels.length;
  for (let start = 0; start < n; ) {
    const high = words[2 * start + 1] as number;
    const low = words[2 * start] as number;
    let end = start + 1;
    let ordered = true;
    let last = low;
    for (; end < n && words[2 * end + 1] === high; end++) {
      const next = words[2 * end] as number;
      if (next < last) ordered = false;
      last = next;
    }
    if (!ordered) sortRun(words, labels, { start, end });
    start = end;
  }
}

const insertionLimit = 24;

function sortRun(words: Uint32Array, labels: Uint16Array, run: { start: number; end: number }): void {
  const { start, end } = run;
  if (end - start > insertionLimit) {
    // low half and label as one exact number: below 2⁴⁸
    const keys = new Float64Array(end - start);
    for (let i = start; i < end; i++)
      keys[i - start] = (words[2 * i] as number) * 65536 + (labels[i] as number);
    keys.sort();
    for (let i = start; i < end; i++) {
      const key = keys[i - start] as number;
      words[2 * i] = Math.floor(key / 65536);
      labels[i] = key % 65536;
    }
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const low = words[2 * i] as number;
    const label = labels[i] as number;
    let j = i - 1;
    for (; j >= start && (words[2 * j] as number) > low; j--) {
      words[2 * j + 2] = words[2 * j] as number;
      labels[j + 1] = labels[j] as number;
    }
    words[2 * j + 2] = low;
    labels[j + 1] = label;
  }
}
