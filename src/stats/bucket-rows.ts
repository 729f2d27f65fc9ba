import { type BucketMap, bucketMap, bucketOf } from './bucket-map.ts';

/** Rows of a column: its values, NaN where there is none, and the bucket of each. */
export interface SampleRoom {
  readonly values: Float64Array;
  readonly buckets: Uint16Array;
}

export function sampleRoom(rows: number): SampleRoom {
  return { values: new Float64Array(rows), buckets: new Uint16Array(rows) };
}

/** Rows of each sample that decide where buckets begin. */
const fittedTo = 2 ** 13;

/** A map for samples that are to be compared, fitted to some rows of each. */
export function fittedMap(samples: readonly Float64Array[]): BucketMap {
  const fitted = samples.flatMap((values) => {
    const step = Math.max(1, Math.floor(values.length / fittedTo));
    return Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step] as number);
  });
  return bucketMap(Float64Array.from(fitted));
}

/**
 * Finds each row's bucket and sums each bucket up: four numbers a bucket, which are its values, one of them, the sum of
 * the differences to it and the sum of their amounts. −0 becomes 0.
 */
export function classify({ values, buckets }: SampleRoom, { ranges, size }: BucketMap): Float64Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const moments = new Float64Array(4 * size);
  for (let row = 0; row < values.length; row++) {
    const value = (values[row] as number) + 0;
    values[row] = value;
    const bucket = bucketOf(ranges, words[2 * row + 1] as number);
    buckets[row] = bucket;
    const at = 4 * bucket;
    if (moments[at]!++ === 0) moments[at + 1] = value;
    const away = value - (moments[at + 1] as number);
    moments[at + 2]! += away;
    moments[at + 3]! += Math.abs(away);
  }
  return moments;
}

/** Copies the values of the buckets that have a place, from there on; a place ends behind its bucket's values. */
export function gather({ values, buckets }: SampleRoom, places: Int32Array, to: Float64Array): void {
  for (let row = 0; row < values.length; row++) {
    const place = places[buckets[row] as number] as number;
    if (place < 0) continue;
    to[place] = values[row] as number;
    places[buckets[row] as number] = place + 1;
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
