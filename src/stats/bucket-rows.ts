import { type BucketMap, bucketLimit, bucketMap, bucketOf } from './bucket-map.ts';

/** Arrays that one sample after the other uses: memory that is asked for anew each time is given back late. */
export interface SampleRoom {
  /** Five numbers a bucket: see `classify`. */
  readonly moments: Float64Array;
  /** Values below each bucket. */
  readonly ranks: Float64Array;
  /** Where a bucket's sorted values begin in `sorted`, and the same while they are gathered. */
  readonly places: Int32Array;
  readonly opening: Int32Array;
  /** Values of the buckets that were sorted. As long as a column, but what is not written to takes no memory. */
  readonly sorted: Float64Array;
}

/** Room for samples of at most so many rows. */
export function sampleRoom(rows: number): SampleRoom {
  return {
    moments: new Float64Array(5 * bucketLimit),
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
  const fitted = samples.flatMap((values) => {
    const step = Math.max(1, Math.floor(values.length / fittedTo));
    return Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step] as number);
  });
  const rows = samples.reduce((sum, values) => sum + values.length, 0);
  return bucketMap(Float64Array.from(fitted), Math.max(fewestBuckets, Math.ceil(rows / rowsInBucket)));
}

/**
 * Finds each row's bucket and sums each bucket up: five numbers a bucket, which are its values, one of them, the sum of
 * the differences to it, the sum of their amounts and of their squares. −0 becomes 0.
 */
export function classify(values: Float64Array, { ranges, size }: BucketMap, moments: Float64Array): void {
  const words = upperHalves(values);
  moments.fill(0, 0, 5 * size);
  for (let row = 0; row < values.length; row++) {
    const value = (values[row] as number) + 0;
    values[row] = value;
    const bucket = bucketOf(ranges, words[2 * row + 1] as number);
    const at = 5 * bucket;
    if (moments[at]!++ === 0) moments[at + 1] = value;
    const away = value - (moments[at + 1] as number);
    moments[at + 2]! += away;
    moments[at + 3]! += Math.abs(away);
    moments[at + 4]! += away * away;
  }
}

/** Each second word is the upper half of a value's bits. */
export function upperHalves(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Copies the values of the buckets that have a place, from there on; a place ends behind its bucket's values. */
export function gather(
  values: Float64Array,
  { ranges }: BucketMap,
  { places, to }: { places: Int32Array; to: Float64Array },
): void {
  const high = upperHalves(values);
  for (let row = 0; row < values.length; row++) {
    const bucket = bucketOf(ranges, high[2 * row + 1] as number);
    const place = places[bucket] as number;
    if (place < 0) continue;
    to[place] = values[row] as number;
    places[bucket] = place + 1;
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
