import type { BucketMap } from './bucket-map.ts';

/** Finite values of which each bucket's count and sum are known, and whose order is found bucket by bucket. */
export interface Bucketed {
  readonly n: number;
  readonly map: BucketMap;
  /** Values below each bucket; one more than buckets. */
  readonly ranks: Float64Array;
  /** So many values of opened buckets are enough at a time: more take memory that is then not given back. */
  readonly enoughOpen: number;
  /** Values of a bucket. */
  count(bucket: number): number;
  /** Sum of x − from over the values of a bucket. */
  sumAbove(bucket: number, from: number): number;
  /** The ascending values of a bucket. */
  bucket(bucket: number): OpenBucket;
  /** Sorts these buckets in one pass over the rows, for questions that are to come; it may drop those of earlier ones. */
  open(buckets: readonly number[]): void;
  /** All values, ascending, as a copy. */
  sorted(): Float64Array;
}

/** The different places of a bucket's values, ascending; each stands for `rows` values (more than 1: all are one). */
export interface OpenBucket {
  readonly values: Float64Array;
  readonly rows: number;
}

/** Null without values. */
export function meanOf(sample: Bucketed): number | null {
  const { n, map } = sample;
  if (n === 0) return null;
  let sum = 0;
  for (let bucket = 1; bucket < map.size - 1; bucket++) {
    if (sample.count(bucket) > 0) sum += sample.sumAbove(bucket, 0);
  }
  if (Number.isFinite(sum)) return sum / n;
  // sums of the largest doubles overflow; dividing first does not
  return sample.sorted().reduce((mean, value) => mean + value / n, 0);
}

/** Squares that are summed before they are added to the others: less is lost in rounding. */
const summedTogether = 2 ** 10;

/**
 * Standard deviation with divisor n (ddof 0) of what is finite among the values from `low` to below `high`. Differences
 * from the mean are squared at once: what overflows then has no deviation that a double holds.
 *
 * @param n how many these are, at least one; `mean` theirs
 */
export function deviationOf(
  values: Float64Array,
  { n, mean, low, high }: Record<'n' | 'mean' | 'low' | 'high', number>,
): number {
  const whole = low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY;
  let square = 0;
  // what the mean's own rounding leaves
  let rest = 0;
  for (let from = 0; from < values.length; from += summedTogether) {
    const some = values.subarray(from, from + summedTogether);
    let [part, sum] = whole ? sumsOf(some, mean) : sumsWithin(some, { mean, low, high });
    // looked at only now: a branch a row costs more than all the rest
    if (part - part !== 0) [part, sum] = sumsWithin(some, { mean, low, high });
    square += part;
    rest += sum;
  }
  return Math.sqrt((square - (rest * rest) / n) / n);
}

/** The sum of the squared differences from a mean, and of the differences. */
type Sums = [square: number, sum: number];

function sumsOf(values: Float64Array, mean: number): Sums {
  const rows = values.length;
  let square = 0;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const away = (values[row] as number) - mean;
    square += away * away;
    sum += away;
  }
  return [square, sum];
}

/** Of what is finite and in a range. */
function sumsWithin(
  values: Float64Array,
  { mean, low, high }: Record<'mean' | 'low' | 'high', number>,
): Sums {
  const rows = values.length;
  let square = 0;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number;
    const away = value - mean;
    if (away - away !== 0 || value < low || value >= high) continue;
    square += away * away;
    sum += away;
  }
  return [square, sum];
}
