import type { Bucketed } from './bucketed.ts';
import { wassersteinSorted } from './wasserstein.ts';

/** Two samples that share a bucket map, neither of them empty. */
export interface BucketedPair {
  readonly first: Bucketed;
  readonly second: Bucketed;
}

export interface Distances {
  /** max |F₁ − F₂|: what `ksStatisticSorted` gives. */
  readonly ks: number;
  /** ∫ |F₁ − F₂| dx: what `wassersteinSorted` gives but for the order of its sums. */
  readonly wasserstein: number;
}

/**
 * Kolmogorov-Smirnov and first Wasserstein distance, exact. Values are sorted only in buckets where F₁ − F₂ can change
 * its sign, or could exceed what it reaches at the buckets' ends; elsewhere the sum of a bucket's values is enough.
 */
export function bucketedDistances(pair: BucketedPair): Distances {
  const steps = stepsOf(pair);
  return distancesOver(pair, steps, unordered(pair, steps, largestOf(steps.after)));
}

/** The Wasserstein distance alone, for which fewer buckets are sorted. */
export function bucketedWasserstein(pair: BucketedPair): number {
  const steps = stepsOf(pair);
  return distancesOver(pair, steps, unordered(pair, steps, Number.POSITIVE_INFINITY)).wasserstein;
}

function distancesOver(pair: BucketedPair, { filled, after }: Steps, open: Uint8Array): Distances {
  const { first, second } = pair;
  const { lows } = first.map;
  const last = filled.length - 1;
  const sum: Sum = { ks: largestOf(after), wasserstein: 0, x: 0, height: 0 };
  let opened = 0;
  for (let i = 0; i <= last; i++) {
    const bucket = filled[i] as number;
    const low = lows[bucket] as number;
    const until = i === last ? low : (lows[filled[i + 1] as number] as number);
    if (open[i] === 0) {
      const passed = first.sumAbove(bucket, low) / first.n - second.sumAbove(bucket, low) / second.n;
      sum.wasserstein += Math.abs((after[i] as number) * (until - low) - passed);
      continue;
    }
    if (i >= opened) opened = openFrom(i, { pair, filled, open });
    sum.x = low;
    sum.height = i === 0 ? 0 : Math.abs(after[i - 1] as number);
    walk(pair, bucket, sum);
    if (i < last) sum.wasserstein += sum.height * (until - sum.x);
  }
  // the largest doubles: their sums overflow, one difference at a time need not
  const wasserstein = Number.isFinite(sum.wasserstein)
    ? sum.wasserstein
    : (wassersteinSorted(first.sorted(), second.sorted()) as number);
  return { ks: sum.ks, wasserstein };
}

interface Steps {
  /** Buckets with values, ascending. */
  filled: Int32Array;
  /** F₁ − F₂ behind each of them. */
  after: Float64Array;
}

function stepsOf({ first, second }: BucketedPair): Steps {
  const { n } = first;
  const m = second.n;
  const { size } = first.map;
  const filled = new Int32Array(size);
  const after = new Float64Array(size);
  let steps = 0;
  for (let bucket = 1; bucket < size - 1; bucket++) {
    if (first.count(bucket) + second.count(bucket) === 0) continue;
    after[steps] = (first.ranks[bucket + 1] as number) / n - (second.ranks[bucket + 1] as number) / m;
    filled[steps++] = bucket;
  }
  return { filled: filled.subarray(0, steps), after: after.subarray(0, steps) };
}

/** Marks the buckets whose values need an order: where F₁ − F₂ may change its sign or exceed a size. */
function unordered({ first, second }: BucketedPair, { filled }: Steps, size: number): Uint8Array {
  const { n } = first;
  const m = second.n;
  const open = new Uint8Array(filled.length);
  for (let i = 0; i < filled.length; i++) {
    const bucket = filled[i] as number;
    // all of the one sample's values first, or all of the other's
    const most = (first.ranks[bucket + 1] as number) / n - (second.ranks[bucket] as number) / m;
    const least = (first.ranks[bucket] as number) / n - (second.ranks[bucket + 1] as number) / m;
    const isSettled = (least >= 0 || most <= 0) && Math.max(-least, most) <= size;
    open[i] = isSettled && i < filled.length - 1 ? 0 : 1;
  }
  return open;
}

/** Opens marked buckets from one on, as many as are enough at a time; returns the first that it leaves. */
function openFrom(
  start: number,
  { pair: { first, second }, filled, open }: { pair: BucketedPair; filled: Int32Array; open: Uint8Array },
): number {
  const buckets: number[] = [];
  let [rows, rows2] = [0, 0];
  let i = start;
  for (; i < filled.length && rows < first.enoughOpen && rows2 < second.enoughOpen; i++) {
    if (open[i] === 0) continue;
    const bucket = filled[i] as number;
    buckets.push(bucket);
    rows += first.count(bucket);
    rows2 += second.count(bucket);
  }
  first.open(buckets);
  second.open(buckets);
  return i;
}

function largestOf(gaps: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < gaps.length; i++) largest = Math.max(largest, Math.abs(gaps[i] as number));
  return largest;
}

/** What is found up to a value: |F₁ − F₂| is `height` from x on. */
interface Sum {
  ks: number;
  wasserstein: number;
  x: number;
  height: number;
}

/** Goes on to the greatest value of a bucket. */
function walk({ first, second }: BucketedPair, bucket: number, sum: Sum): void {
  const { n } = first;
  const m = second.n;
  const a = first.bucket(bucket);
  const b = second.bucket(bucket);
  const [before, before2] = [first.ranks[bucket] as number, second.ranks[bucket] as number];
  let { ks, wasserstein, x, height } = sum;
  let i = 0;
  let j = 0;
  while (i < a.values.length || j < b.values.length) {
    const one = i < a.values.length ? (a.values[i] as number) : Number.POSITIVE_INFINITY;
    const other = j < b.values.length ? (b.values[j] as number) : Number.POSITIVE_INFINITY;
    const value = one < other ? one : other;
    while (i < a.values.length && a.values[i] === value) i++;
    while (j < b.values.length && b.values[j] === value) j++;
    wasserstein += height * (value - x);
    x = value;
    height = Math.abs((before + i * a.rows) / n - (before2 + j * b.rows) / m);
    if (height > ks) ks = height;
  }
  Object.assign(sum, { ks, wasserstein, x, height });
}
