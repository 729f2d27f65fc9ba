import type { BucketedSample } from './bucketed-sample.ts';
import { wassersteinSorted } from './wasserstein.ts';

/** Two samples that share a bucket map, neither of them empty. */
export interface BucketedPair {
  readonly first: BucketedSample;
  readonly second: BucketedSample;
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
  const { first, second } = pair;
  const { filled, after, open } = stepsOf(pair);
  let ks = after.reduce((largest, gap) => Math.max(largest, Math.abs(gap)), 0);
  const { lows } = first.map;
  const last = filled.length - 1;
  let wasserstein = 0;
  for (let i = 0; i <= last; i++) {
    const bucket = filled[i] as number;
    const low = lows[bucket] as number;
    const until = i === last ? low : (lows[filled[i + 1] as number] as number);
    if (open[i] === 0) {
      const passed = first.sumAbove(bucket, low) / first.n - second.sumAbove(bucket, low) / second.n;
      wasserstein += Math.abs((after[i] as number) * (until - low) - passed);
      continue;
    }
    let x = low;
    let height = i === 0 ? 0 : Math.abs(after[i - 1] as number);
    walk(pair, bucket, (value, gap) => {
      if (gap > ks) ks = gap;
      wasserstein += height * (value - x);
      x = value;
      height = gap;
    });
    if (i < last) wasserstein += height * (until - x);
  }
  // the largest doubles: their sums overflow, one difference at a time need not
  if (!Number.isFinite(wasserstein)) {
    wasserstein = wassersteinSorted(first.sorted(), second.sorted()) as number;
  }
  return { ks, wasserstein };
}

interface Steps {
  /** Buckets with values, ascending. */
  filled: Int32Array;
  /** F₁ − F₂ behind each of them. */
  after: Float64Array;
  /** 1 for those whose values need an order; they are opened. */
  open: Uint8Array;
}

function stepsOf({ first, second }: BucketedPair): Steps {
  const { n } = first;
  const m = second.n;
  const buckets = new Int32Array(first.map.size);
  let size = 0;
  for (let bucket = 1; bucket < first.map.size - 1; bucket++) {
    if (first.count(bucket) + second.count(bucket) > 0) buckets[size++] = bucket;
  }
  const filled = buckets.subarray(0, size);
  const after = Float64Array.from(
    filled,
    (k) => (first.ranks[k + 1] as number) / n - (second.ranks[k + 1] as number) / m,
  );
  const ends = after.reduce((largest, gap) => Math.max(largest, Math.abs(gap)), 0);
  const open = Uint8Array.from(filled, (k, i) => {
    // all of the one sample's values first, or all of the other's
    const most = (first.ranks[k + 1] as number) / n - (second.ranks[k] as number) / m;
    const least = (first.ranks[k] as number) / n - (second.ranks[k + 1] as number) / m;
    return i === filled.length - 1 || (least < 0 && most > 0) || Math.max(-least, most) > ends ? 1 : 0;
  });
  const opened = Array.from(filled.filter((_, i) => open[i] === 1));
  first.open(opened);
  second.open(opened);
  return { filled, after, open };
}

/** Each different value of a bucket, ascending, with |F₁ − F₂| from it on. */
function walk(
  { first, second }: BucketedPair,
  bucket: number,
  visit: (value: number, gap: number) => void,
): void {
  const { n } = first;
  const m = second.n;
  const a = first.bucket(bucket);
  const b = second.bucket(bucket);
  const [before, before2] = [first.ranks[bucket] as number, second.ranks[bucket] as number];
  let i = 0;
  let j = 0;
  while (i < a.values.length || j < b.values.length) {
    const one = i < a.values.length ? (a.values[i] as number) : Number.POSITIVE_INFINITY;
    const other = j < b.values.length ? (b.values[j] as number) : Number.POSITIVE_INFINITY;
    const value = one < other ? one : other;
    while (i < a.values.length && a.values[i] === value) i++;
    while (j < b.values.length && b.values[j] === value) j++;
    visit(value, Math.abs((before + i * a.rows) / n - (before2 + j * b.rows) / m));
  }
}
