import { type BucketMap, bucketLimit, bucketMap, findBuckets } from './bucket-map.ts';
import { type SortRoom, sortRoom } from './sort-part.ts';

/** Arrays that one sample after the other uses: memory that is asked for anew each time is given back late. */
export interface SampleRoom {
  /** Each row's bucket; of a stretch of rows where there are too many to keep all. */
  readonly codes: Uint16Array;
  /** Values of each bucket. */
  readonly counts: Int32Array;
  /** Two numbers a bucket: one of its values, and the sum of the differences to it. */
  readonly sums: Float64Array;
  /** 1 where a bucket's values are not all one. */
  readonly mixed: Uint8Array;
  /** Values below each bucket. */
  readonly ranks: Float64Array;
  /** Where a bucket's sorted values begin in `sorted`, and the same while they are gathered. */
  readonly places: Int32Array;
  readonly opening: Int32Array;
  /** 1 for a bucket that is gathered. */
  readonly chosen: Uint8Array;
  /** Values of the buckets that were sorted. As long as a column, but what is not written to takes no memory. */
  readonly sorted: Float64Array;
  /** With so many values in `sorted`, the next are sorted in their place. */
  readonly enoughOpen: number;
  readonly sorting: SortRoom;
}

/** Rows that are gone through before the next, so that what is found of them is still near the processor. */
export const stretch = 2 ** 11;
/** Above it, 2 bytes a row count more than the time to find a bucket again. */
const keptRows = 2 ** 22;

/** 8 MiB. */
const enoughOpen = 2 ** 20;

/** Room for samples of at most so many rows. */
export function sampleRoom(rows: number): SampleRoom {
  return {
    codes: new Uint16Array(rows > keptRows ? stretch : rows),
    counts: new Int32Array(bucketLimit),
    sums: new Float64Array(2 * bucketLimit),
    mixed: new Uint8Array(bucketLimit),
    ranks: new Float64Array(bucketLimit + 1),
    places: new Int32Array(bucketLimit),
    opening: new Int32Array(bucketLimit),
    chosen: new Uint8Array(bucketLimit),
    sorted: new Float64Array(rows),
    enoughOpen,
    sorting: sortRoom(),
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
 * Finds each row's bucket and sums each bucket up: its values, one of them, the sum of the differences to it, and
 * whether there are any.
 */
export function classify(values: Float64Array, map: BucketMap, room: SampleRoom): void {
  room.counts.fill(0, 0, map.size);
  room.sums.fill(0, 0, 2 * map.size);
  room.mixed.fill(0, 0, map.size);
  for (let from = 0; from < values.length; from += stretch) {
    // two loops: a bucket's sums are seldom in the nearest cache, and what waits for them is only the second
    const rows = values.subarray(from, from + stretch);
    const found = stretchOf(room.codes, values.length, from);
    findBuckets(rows, map, found);
    sumUp(rows, found, room);
  }
}

function sumUp(values: Float64Array, codes: Uint16Array, { counts, sums, mixed }: SampleRoom): void {
  const rows = values.length;
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number;
    const bucket = codes[row] as number;
    const at = 2 * bucket;
    if (counts[bucket]!++ === 0) sums[at] = value;
    const away = value - (sums[at] as number);
    sums[at + 1]! += away;
    if (away !== 0) mixed[bucket] = 1;
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

/** Copies the values of the chosen buckets, each from its place on; a place ends behind its bucket's values. */
export function gather(
  values: Float64Array,
  codesFrom: (from: number) => Uint16Array,
  { chosen, places, to }: { chosen: Uint8Array; places: Int32Array; to: Float64Array },
): void {
  const held = new Uint16Array(stretch + 1);
  for (let from = 0; from < values.length; from += stretch) {
    const codes = codesFrom(from);
    const rows = Math.min(stretch, values.length - from);
    let end = 0;
    for (let row = 0; row < rows; row++) {
      // without a branch, which is often guessed wrong: the next row overwrites one that is not chosen
      held[end] = row;
      end += chosen[codes[row] as number] as number;
    }
    for (let i = 0; i < end; i++) {
      const row = held[i] as number;
      const bucket = codes[row] as number;
      const place = places[bucket] as number;
      to[place] = values[from + row] as number;
      places[bucket] = place + 1;
    }
  }
}
