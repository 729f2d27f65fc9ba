import { type BucketMap, findBuckets } from './bucket-map.ts';
import { bucketsOf, classify, gather, type SampleRoom, sampleRoom } from './bucket-rows.ts';
import { type Bucketed, deviationOf, meanOf, type OpenBucket } from './bucketed.ts';
import { quantileAt } from './quantile-bins.ts';
import { sortPart } from './sort-part.ts';

/**
 * The values of a column, put into buckets where they lie and not sorted. Ranks, quantiles and counts are exact: only
 * the buckets that a question falls into are sorted. O(n) where buckets are evenly filled, a sort where all values
 * share one. Two samples that are to be compared share a map.
 */
export class BucketedSample implements Bucketed {
  /** Finite values. */
  readonly n: number;
  readonly map: BucketMap;
  /** All rows, those without a finite value included. */
  readonly values: Float64Array;
  /** Finite values below each bucket; one more than buckets. */
  readonly ranks: Float64Array;
  readonly enoughOpen: number;
  readonly #room: SampleRoom;
  /** Values in `room.sorted`. */
  #opened = 0;
  readonly #expected: number[] = [];
  #sd: number | null = null;

  /** Holds until the room is given to another. */
  constructor(values: Float64Array, map: BucketMap, room: SampleRoom = sampleRoom(values.length)) {
    this.map = map;
    this.values = values;
    this.#room = room;
    this.enoughOpen = room.enoughOpen;
    classify(values, map, room);
    const { size } = map;
    this.#close();
    this.ranks = room.ranks.subarray(0, size + 1);
    let n = 0;
    for (let bucket = 1; bucket < size; bucket++) {
      this.ranks[bucket] = n;
      if (bucket < size - 1) n += room.counts[bucket] as number;
    }
    this.ranks[size] = n;
    this.n = n;
  }

  /** The buckets of a stretch of rows, or of what is left of them; they hold until another is asked for. */
  codes(from: number): Uint16Array {
    return bucketsOf(this.values, this.map, { codes: this.#room.codes, from });
  }

  /** Values of a bucket. */
  count(bucket: number): number {
    return this.#room.counts[bucket] as number;
  }

  /** Sum of x − from over the values of a bucket. */
  sumAbove(bucket: number, from: number): number {
    const { counts, sums } = this.#room;
    const at = 2 * bucket;
    return (sums[at + 1] as number) + (counts[bucket] as number) * ((sums[at] as number) - from);
  }

  /** Whether all values of a bucket are one, so that nothing in it needs an order. */
  isConstant(bucket: number): boolean {
    return this.#room.mixed[bucket] === 0;
  }

  /** The ascending values of a bucket, sorted when first asked for: `open` does many in one pass. */
  bucket(bucket: number): OpenBucket {
    const rows = this.count(bucket);
    const { sums, places } = this.#room;
    if (this.isConstant(bucket)) {
      return { values: sums.subarray(2 * bucket, 2 * bucket + (rows === 0 ? 0 : 1)), rows };
    }
    if (places[bucket] === -1) this.open([bucket]);
    const place = places[bucket] as number;
    return { values: this.#room.sorted.subarray(place, place + rows), rows: 1 };
  }

  /** Quantiles that will be asked for, or places of another sample's: `open` then sorts their buckets too. */
  expect(shares: readonly number[], of: BucketedSample = this): void {
    if (of.n > 0) this.#expected.push(...of.#ranksOf(shares).map((rank) => of.bucketOfRank(rank)));
  }

  /** Sorts these buckets in one pass over the rows: for questions that are to come. */
  open(buckets: readonly number[]): void {
    const { places, opening, chosen, sorted, sorting } = this.#room;
    const toOpen = (bucket: number) => places[bucket] === -1 && !this.isConstant(bucket);
    if (!buckets.some(toOpen)) return;
    if (this.#opened >= this.enoughOpen) this.#close();
    chosen.fill(0, 0, this.map.size);
    const opened: number[] = [];
    for (const bucket of [...buckets, ...this.#expected]) {
      if (!toOpen(bucket)) continue;
      places[bucket] = this.#opened;
      opening[bucket] = this.#opened;
      chosen[bucket] = 1;
      opened.push(bucket);
      this.#opened += this.count(bucket);
    }
    gather(this.values, (from) => this.codes(from), { chosen, places: opening, to: sorted });
    for (const bucket of opened)
      sortPart(sorted, places[bucket] as number, opening[bucket] as number, sorting);
  }

  /** No bucket is sorted (−1), or no longer: one is anew where it is asked for. */
  #close(): void {
    this.#room.places.fill(-1, 0, this.map.size);
    this.#opened = 0;
  }

  bucketOf(x: number): number {
    const found = new Uint16Array(1);
    findBuckets(Float64Array.of(x), this.map, found);
    return found[0] as number;
  }

  /** The bucket that holds the value of a rank, from 0. */
  bucketOfRank(rank: number): number {
    let low = 0;
    let high = this.map.size;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.ranks[middle] as number) <= rank) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Linear quantiles, as `quantileSorted` gives them. */
  quantiles(shares: readonly number[]): number[] {
    this.open(this.#ranksOf(shares).map((rank) => this.bucketOfRank(rank)));
    return shares.map((p) => quantileAt((rank) => this.#at(rank), this.n, p));
  }

  #ranksOf(shares: readonly number[]): number[] {
    const last = this.n - 1;
    return shares.flatMap((p) => [Math.floor(p * last), Math.min(last, Math.floor(p * last) + 1)]);
  }

  #at(rank: number): number {
    const bucket = this.bucketOfRank(rank);
    const { values, rows } = this.bucket(bucket);
    // + 0: not −0, which counts as 0
    return (values[Math.floor((rank - (this.ranks[bucket] as number)) / rows)] as number) + 0;
  }

  /** Values in each bin: bin i holds edges[i−1] ≤ x < edges[i], outer bins open. */
  countInBins(edges: Float64Array): Float64Array {
    const buckets = Array.from(edges, (edge) => this.bucketOf(edge));
    this.open(buckets);
    const below = buckets.map((bucket, i) => {
      const { values, rows } = this.bucket(bucket);
      const first = values.findIndex((value) => value >= (edges[i] as number));
      return (this.ranks[bucket] as number) + rows * (first < 0 ? values.length : first);
    });
    return Float64Array.from([...below, this.n], (n, i) => n - (i === 0 ? 0 : (below[i - 1] as number)));
  }

  /** All finite values, ascending. */
  sorted(): Float64Array {
    const { values, n } = this;
    // filter keeps each number as an object until it is done
    return (n === values.length ? values.slice() : values.filter((value) => value - value === 0)).sort();
  }

  /** Null without values. */
  mean(): number | null {
    return meanOf(this);
  }

  /** With divisor n (ddof 0); 0 without values. */
  standardDeviation(): number {
    this.#sd ??= this.n === 0 || this.#isOneValue() ? 0 : deviationOf(this.values, this.#all());
    return this.#sd;
  }

  #all() {
    const { n } = this;
    return { n, mean: this.mean() as number, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  }

  #isOneValue(): boolean {
    const bucket = this.bucketOfRank(0);
    return this.isConstant(bucket) && this.count(bucket) === this.n;
  }
}
