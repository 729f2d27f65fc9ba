import { type ReadCounts, readSparseCounts, type SparseCounts } from './sparse-counts.ts';

/**
 * Sparse counts as 32-bit words, one after another: for each count one word, the step from the index before (12 bits)
 * and the count (20 bits), or, where these do not fit and for the first index, 0, step and count in a word each.
 */
const countBits = 20;
const countMask = 2 ** countBits - 1;
const largestStep = 2 ** (32 - countBits) - 1;
const largest = 2 ** 31 - 1;

/** Where packed counts are gathered. */
export class CountsWriter {
  readonly words: number[] = [];

  /** What stands for the counts in JSON: their number of words, or themselves where they exceed 32 bits. */
  write(flat: SparseCounts): number | readonly number[] {
    for (let at = 0; at < flat.length; at++) {
      const value = flat[at] as number;
      if (value > largest || value < -largest) return Array.from(flat);
    }
    const start = this.words.length;
    for (let at = 0; at < flat.length; at += 2) {
      const [index, count] = [flat[at] as number, flat[at + 1] as number];
      const step = at === 0 ? 0 : index - (flat[at - 2] as number);
      if (step > 0 && step <= largestStep && count <= countMask) {
        this.words.push(((step << countBits) | count) >>> 0);
      } else this.words.push(0, (at === 0 ? index : step) >>> 0, count);
    }
    return this.words.length - start;
  }
}

/** Reads packed counts in the order in which they were written. */
export class CountsReader {
  private readonly words: Uint32Array;
  /** Room for all: a word holds no more than one index and its count. */
  private readonly flat: Int32Array;
  private at = 0;
  private filled = 0;

  constructor(words: Uint32Array) {
    this.words = words;
    this.flat = new Int32Array(2 * words.length);
  }

  /** Null where the words are none that were packed. Given a flat array, it is that. */
  readonly read: ReadCounts = (value) => {
    if (typeof value !== 'number') return readSparseCounts(value);
    const until = this.at + value;
    if (!Number.isSafeInteger(value) || value < 0 || until > this.words.length) return null;
    const end = unpack(this.words, { from: this.at, until }, this.flat, this.filled);
    if (end === null) return null;
    const counts = this.flat.subarray(this.filled, end);
    this.at = until;
    this.filled = end;
    return counts;
  };
}

/** Writes index, count, index, count … from `to` on; gives where they end, null where the words hold none. */
function unpack(
  words: Uint32Array,
  { from, until }: { from: number; until: number },
  out: Int32Array,
  to: number,
): number | null {
  let index = 0;
  let end = to;
  for (let at = from; at < until; at++) {
    const word = words[at] as number;
    let step = word >>> countBits;
    let count = word & countMask;
    if (word === 0) {
      // a word that is missing at the end counts as 0, which is none
      step = words[at + 1] as number;
      count = words[at + 2] as number;
      at += 2;
      if (at >= until || count > largest) return null;
      if (end === to) step |= 0;
    } else if (end === to) return null;
    if (end > to && step === 0) return null;
    index += step;
    if (index > largest) return null;
    out[end] = index;
    out[end + 1] = count;
    end += 2;
  }
  return end;
}
