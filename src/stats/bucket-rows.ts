import { type BucketMap, bucketLimit, bucketMap, bucketOf } from './bucket-map.ts';

/** Arrays that one sample after the other uses: memory that is asked for anew each time is given back late. */
export interface SampleRoom {
  /** Each row's bucket; of a stretch of rows where there are too many to keep all. */
  readonly codes: Uint16Array;
  /** Four numbers a bucket: see `classify`. */
  readonly moments: Float64Array;
  /** Values below each bucket. */
  readonly ranks: Float64Array;
  /** Where a bucket's sorted values begin in `sorted`, and the same while they are gathered. */
  readonly places: Int32Array;
  readonly opening: Int32Array;
  /** Values of the buckets that were sorted. As long as a column, but what is not written to takes no memory. */
  readonly sorted: Float64Array;
}

/** Rows that are gone through before the next, so that what is found of them is still near the processor. */
export const stretch = 2 ** 11;
/** Above it, 2 bytes a row count more than the time to find a bucket again. */
const keptRows = 2 ** 22;

/** Room for samples of at most so many rows. */
export function sampleRoom(rows: number): SampleRoom {
  return {
    codes: new Uint16Array(rows > keptRows ? stretch : rows),
    moments: new Float64Array(4 * bucketLimit),
    ranks: new Float64Array(bucketLimit + 1),
    places: new Int32Array(bucketLimit),
    opening: new Int32Array(bucketLimit),
    sorted: new Float64Array(rows),
  };
}

/** Rows of each sample that decide where buckets begin. */
const fittedTo = 2 ** 13;
const rowsInBucket = 128;
const fewestBuckets = 2 ** 10;

/** A map for samples that are to be compared, fitted to some rows of each. */
export function fittedMap(samples: readonly Float64Array[]): BucketMap {
  const steps = samples.map((values) => Math.max(1, Math.floor(values.length / fittedTo)));
  const sizes = samples.map((values, i) => Math.ceil(values.length / (steps[i] as number)));
  const fitted = new Float64Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  samples.forEach((values, i) => {
    for (let row = 0; row < values.length; row += steps[i] as number) fitted[at++] = values[row] as number;
  });
  const rows = samples.reduce((sum, values) => sum + values.length, 0);
  return bucketMap(fitted, Math.max(fewestBuckets, Math.ceil(rows / rowsInBucket)));
}

/**
 * Finds each row's bucket and sums each bucket up: four numbers a bucket, which are its values, one of them, the sum of
 * the differences to it and the sum of their amounts. −0 becomes 0.
 */
export function classify(values: Float64Array, map: BucketMap, { codes, moments }: SampleRoom): void {
  moments.fill(0, 0, 4 * map.size);
  for (let from = 0; from < values.length; from += stretch) {
    // two loops: a bucket's sums are seldom in the nearest cache, and what waits for them is only the second
    const rows = values.subarray(from, from + stretch);
    const found = stretchOf(codes, values.length, from);
    findBuckets(rows, map, found);
    for (let row = 0; row < rows.length; row++) {
      const value = rows[row] as number;
      const at = 4 * (found[row] as number);
      if (moments[at]!++ === 0) moments[at + 1] = value;
      const away = value - (moments[at + 1] as number);
      moments[at + 2]! += away;
      moments[at + 3]! += Math.abs(away);
    }
  }
}

function findBuckets(values: Float64Array, { ranges }: BucketMap, codes: Uint16Array): void {
  const words = upperHalves(values);
  for (let row = 0; row < values.length; row++) {
    values[row]! += 0;
    codes[row] = bucketOf(ranges, words[2 * row + 1] as number);
  }
}

/** Where the buckets of the rows from one on have their place. */
function stretchOf(codes: Uint16Array, rows: number, from: number): Uint16Array {
  return codes.length < rows ? codes : codes.subarray(from, from + stretch);
}

/** The buckets of a stretch of rows that are classified; they hold until another is asked for. */
export function bucketsOf(
  values: Float64Array,
  map: BucketMap,
  { codes, from }: { codes: Uint16Array; from: number },
): Uint16Array {
  const found = stretchOf(codes, values.length, from);
  if (codes.length < values.length) findBuckets(values.subarray(from, from + stretch), map, found);
  return found;
}

/** Each second word is the upper half of a value's bits. */
function upperHalves(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Copies the values of the buckets that have a place, from there on; a place ends behind its bucket's values. */
export function gather(
  values: Float64Array,
  codesFrom: (from: number) => Uint16Array,
  { places, to }: { places: Int32Array; to: Float64Array },
): void {
  const chosen = new Uint32Array(stretch + 1);
  for (let from = 0; from < values.length; from += stretch) {
    const codes = codesFrom(from);
    const rows = Math.min(stretch, values.length - from);
    let held = 0;
    for (let row = 0; row < rows; row++) {
      // without a branch, which is often guessed wrong: the next row overwrites one without a place
      chosen[held] = row;
      held += ~(places[codes[row] as number] as number) >>> 31;
    }
    for (let i = 0; i < held; i++) {
      const row = chosen[i] as number;
      const bucket = codes[row] as number;
      const place = places[bucket] as number;
      to[place] = values[from + row] as number;
      places[bucket] = place + 1;
    }
  }
}

const insertionLimit = 40;

/** Sorts values[from] to values[until − 1]. */
export function sortPart(values: Float64Array, from: number, until: number): void {
  if (until - from > insertionLimit) {
    values.subarray(from, until).sort();
    return;
  }
  for (let i = from + 1; i < until; i++) {
    const value = values[i] as number;
    let place = i;
    for (; place > from && (values[place - 1] as number) > value; place--) {
      values[place] = values[place - 1] as number;
    }
    values[place] = value;
  }
}
