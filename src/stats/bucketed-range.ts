import type { BucketMap } from './bucket-map.ts';
import { type Bucketed, deviationOf, meanOf, type OpenBucket } from './bucketed.ts';
import type { BucketedSample } from './bucketed-sample.ts';
import { countBelow } from './sorted.ts';

/**
 * The values of a sample from `low` to below `high`, where they lie: only the two buckets that hold the ends are
 * sorted. Holds as long as the sample.
 */
export class BucketedRange implements Bucketed {
  readonly n: number;
  readonly map: BucketMap;
  readonly ranks: Float64Array;
  readonly enoughOpen: number;
  /** Values of the sample below the range, and above it. */
  readonly beyond: { readonly below: number; readonly above: number };
  readonly #sample: BucketedSample;
  readonly #low: number;
  readonly #high: number;
  /** What lies in the range of the buckets that hold its ends, as a copy: the sample may close them. */
  readonly #ends: ReadonlyMap<number, OpenBucket>;

  constructor(sample: BucketedSample, { low, high }: { low: number; high: number }) {
    const [first, last] = [sample.bucketOf(low), sample.bucketOf(high)];
    sample.open([first, last]);
    const below = rankOf(sample, first, low);
    const until = rankOf(sample, last, high);
    this.n = until - below;
    this.map = sample.map;
    this.ranks = sample.ranks.map((rank) => Math.min(Math.max(rank, below), until) - below);
    this.enoughOpen = sample.enoughOpen;
    this.beyond = { below, above: sample.n - until };
    this.#sample = sample;
    this.#low = low;
    this.#high = high;
    this.#ends = new Map(
      [first, last].map((bucket) => {
        const { values, rows } = sample.bucket(bucket);
        return [bucket, { values: values.slice(countBelow(values, low), countBelow(values, high)), rows }];
      }),
    );
  }

  count(bucket: number): number {
    return (this.ranks[bucket + 1] as number) - (this.ranks[bucket] as number);
  }

  sumAbove(bucket: number, from: number): number {
    const end = this.#ends.get(bucket);
    if (end !== undefined) return end.rows * end.values.reduce((sum, value) => sum + (value - from), 0);
    return this.count(bucket) === 0 ? 0 : this.#sample.sumAbove(bucket, from);
  }

  bucket(bucket: number): OpenBucket {
    const end = this.#ends.get(bucket);
    if (end !== undefined) return end;
    return this.count(bucket) === 0 ? { values: new Float64Array(), rows: 1 } : this.#sample.bucket(bucket);
  }

  open(buckets: readonly number[]): void {
    this.#sample.open(buckets);
  }

  sorted(): Float64Array {
    const all = this.#sample.sorted();
    return all.subarray(countBelow(all, this.#low), countBelow(all, this.#high));
  }

  /** Null without values. */
  mean(): number | null {
    return meanOf(this);
  }

  /** With divisor n (ddof 0); 0 without values. */
  standardDeviation(): number {
    const { n } = this;
    const mean = this.mean();
    if (mean === null) return 0;
    const filled = this.ranks.lastIndexOf(0);
    if (this.count(filled) === n && isOneValue(this.bucket(filled))) return 0;
    return deviationOf(this.#sample.values, { n, mean, low: this.#low, high: this.#high });
  }
}

/** Values of a sample below x, which falls into a bucket. */
function rankOf(sample: BucketedSample, bucket: number, x: number): number {
  const { values, rows } = sample.bucket(bucket);
  return (sample.ranks[bucket] as number) + rows * countBelow(values, x);
}

const isOneValue = ({ values }: OpenBucket): boolean => values[0] === values.at(-1);
