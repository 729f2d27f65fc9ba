import { seededRandom } from '../stats/random.ts';
import { mix, type TokenLayout } from './row-tokens.ts';

const bands = 8;
/** Training rows that one band always offers to one row. */
const offers = 32;
/** Further ones that an index offers to all rows together: to the few that are like very many. */
const reserve = 2 ** 22;
const recallWanted = 0.99;

/** The nearest training row that was met, counted from 0, and the Jaccard similarity of the two rows' tokens. */
export interface NearMatch {
  readonly row: number;
  readonly similarity: number;
}

/**
 * MinHash with banding over row tokens (row-tokens.ts). Rows are candidates when all `rows` least hashes of one of
 * 8 bands agree, which a pair of similarity s does with probability 1 − (1 − s^rows)⁸; the number of hashes a band is
 * the largest that keeps this at .99 or more a little below the threshold. Candidates are then compared by all their tokens.
 *
 * Source: Broder (1997), "On the resemblance and containment of documents"; Leskovec, Rajaraman, Ullman, "Mining of
 * Massive Datasets", 3.4.
 */
export class NearIndex {
  readonly #layout: TokenLayout;
  readonly #threshold: number;
  readonly #seeds: Uint32Array;
  readonly #rowsPerBand: number;
  readonly #tokens: Uint32Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #keys: Uint32Array;
  readonly #mask: number;
  readonly #salts: Uint32Array;
  readonly #hashed: Int32Array;
  readonly #signature: Uint32Array;
  readonly #band: Uint32Array;
  readonly #capacity: number;
  #size = 0;
  #limited = 0;
  #reserve = reserve;

  constructor(input: { layout: TokenLayout; capacity: number; threshold: number; seed: number }) {
    const { layout, capacity, threshold } = input;
    this.#layout = layout;
    this.#threshold = threshold;
    this.#capacity = capacity;
    this.#rowsPerBand = rowsPerBand(threshold);
    const random = seededRandom(input.seed);
    this.#seeds = Uint32Array.from({ length: bands * this.#rowsPerBand }, () => random.uint32());
    this.#salts = Uint32Array.from({ length: layout.slots }, () => random.uint32());
    this.#hashed = signatureSlots(layout);
    this.#signature = new Uint32Array(this.#seeds.length);
    this.#band = new Uint32Array(bands);
    this.#tokens = new Uint32Array(capacity * layout.slots);
    const size = 2 ** Math.max(4, Math.ceil(Math.log2(capacity)));
    this.#mask = size - 1;
    this.#heads = new Int32Array(bands * size).fill(-1);
    this.#next = new Int32Array(bands * capacity);
    this.#keys = new Uint32Array(bands * capacity);
  }

  /** Rows that matched none of the training rows that they were offered, and were not offered all that a band held. */
  get limited(): number {
    return this.#limited;
  }

  /** Adds rows (row-major slots). A row equal to one of the last with its key adds nothing to find. */
  add(rows: Uint32Array): void {
    const { slots } = this.#layout;
    for (let at = 0; at < rows.length; at += slots) {
      const row = this.#size++;
      this.#tokens.set(rows.subarray(at, at + slots), row * slots);
      this.#hash(rows, at);
      for (let band = 0; band < bands; band++) {
        const key = this.#band[band] as number;
        const head = band * (this.#mask + 1) + (key & this.#mask);
        const last = this.#heads[head] as number;
        if (band === 0 && last >= 0 && this.#keys[last] === key && this.#equal(last, row)) break;
        const entry = band * this.#capacity + row;
        this.#keys[entry] = key;
        this.#next[entry] = last < 0 ? -1 : last;
        this.#heads[head] = entry;
      }
    }
  }

  /** A training row at least as similar as the threshold, the most similar of those offered by the first band that has one. */
  find(rows: Uint32Array, at: number): NearMatch | null {
    this.#hash(rows, at);
    let cut = false;
    for (let band = 0; band < bands; band++) {
      const key = this.#band[band] as number;
      let best: NearMatch | null = null;
      let seen = 0;
      let entry = this.#heads[band * (this.#mask + 1) + (key & this.#mask)] as number;
      for (; entry >= 0; entry = this.#next[entry] as number) {
        if (this.#keys[entry] !== key) continue;
        if (seen++ >= offers && this.#reserve-- <= 0) {
          cut = true;
          break;
        }
        const row = entry - band * this.#capacity;
        const similarity = this.#similarity(row, rows, at);
        if (similarity >= this.#threshold && similarity > (best?.similarity ?? 0)) best = { row, similarity };
      }
      if (best !== null) return best;
    }
    if (cut) this.#limited++;
    return null;
  }

  #equal(entry: number, row: number): boolean {
    const { slots } = this.#layout;
    for (let k = 0; k < slots; k++)
      if (this.#tokens[entry * slots + k] !== this.#tokens[row * slots + k]) return false;
    return true;
  }

  /** Jaccard |A ∩ B| / |A ∪ B| where each column counts as one token; a text counts in part, by its shingles. */
  #similarity(row: number, rows: Uint32Array, at: number): number {
    const { columns, slots } = this.#layout;
    const base = row * slots;
    let common = 0;
    for (const { kind, start, slots: width } of columns) {
      let equal = 0;
      for (let k = start; k < start + width; k++) if (this.#tokens[base + k] === rows[at + k]) equal++;
      if (kind === 'text') common += (2 * equal) / (width + equal);
      else if (equal > 0) common++;
    }
    return common / (2 * columns.length - common);
  }

  #hash(rows: Uint32Array, at: number): void {
    const signature = this.#signature;
    const seeds = this.#seeds;
    signature.fill(0xffffffff);
    for (const slot of this.#hashed) {
      const token = mix((rows[at + slot] as number) ^ (this.#salts[slot] as number));
      for (let k = 0; k < seeds.length; k++) {
        let hash = Math.imul(token ^ (seeds[k] as number), 0x9e3779b1);
        hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
        if (hash < (signature[k] as number)) signature[k] = hash;
      }
    }
    for (let band = 0; band < bands; band++) {
      let key = band + 1;
      for (let k = 0; k < this.#rowsPerBand; k++)
        key = mix(key ^ (signature[band * this.#rowsPerBand + k] as number)) + 0x9e3779b9;
      this.#band[band] = mix(key);
    }
  }
}

/** Noise moves some numbers over a cell's edge: their tokens are less alike than the rows are found to be. */
const edges = 0.05;

/** The largest number of hashes a band that finds a pair at the threshold with the recall wanted. */
export function rowsPerBand(threshold: number): number {
  const similarity = threshold - edges;
  let rows = 1;
  while (rows < 12 && 1 - (1 - similarity ** (rows + 1)) ** bands >= recallWanted) rows++;
  return rows;
}

/** The slots that are hashed: all of numbers and words; of a text as many as weigh like a column, more where columns are few. */
function signatureSlots({ columns }: TokenLayout): Int32Array {
  const ofText = Math.max(2, Math.ceil(16 / columns.length));
  return Int32Array.from(
    columns.flatMap(({ kind, start, slots }) =>
      Array.from({ length: kind === 'text' ? Math.min(slots, ofText) : slots }, (_, k) => start + k),
    ),
  );
}
