import { stretch } from './bucket-rows.ts';
import type { BucketedSample } from './bucketed-sample.ts';
import { countUpTo } from './sorted.ts';

/** Values of a sample by label and bin. */
export interface LabelCounts {
  /** labels × bins, row by row. */
  readonly counts: Float64Array;
  /** By bin: values, and their sum. */
  readonly rows: Float64Array;
  readonly sums: Float64Array;
}

/**
 * Bin i holds edges[i−1] ≤ x < edges[i] (ascending), outer bins open; `labels[row]` is below `size`. One pass over the
 * rows: only in a bucket that holds an edge are values compared.
 */
export function countByLabel(
  sample: BucketedSample,
  edges: Float64Array,
  { labels, size }: { labels: Uint8Array | Uint16Array; size: number },
): LabelCounts {
  const bins = edges.length + 1;
  // one more for what is not finite, and one for what lies in a bucket with an edge
  const width = bins + 2;
  const cells = new Int32Array(size * width);
  const rows = new Float64Array(bins);
  const sums = new Float64Array(bins);
  const { values } = sample;
  const { bin, first, next } = binsOf(sample, edges);
  const atEdges = new Uint16Array(stretch + 1);
  for (let from = 0; from < values.length; from += stretch) {
    const codes = sample.codes(from);
    const until = Math.min(stretch, values.length - from);
    let held = 0;
    for (let row = 0; row < until; row++) {
      const found = bin[codes[row] as number] as number;
      cells[(labels[from + row] as number) * width + found]!++;
      // without a branch: the next row overwrites one that has its bin
      atEdges[held] = row;
      held += (bins - found) >>> 31;
    }
    for (let i = 0; i < held; i++) {
      const row = atEdges[i] as number;
      const bucket = codes[row] as number;
      const value = values[from + row] as number;
      const found = countUpTo(edges, value, first[bucket] as number, next[bucket] as number);
      rows[found]!++;
      sums[found]! += value;
      cells[(labels[from + row] as number) * width + found]!++;
    }
  }
  for (let bucket = 1; bucket < sample.map.size - 1; bucket++) {
    const found = bin[bucket] as number;
    if (found > bins || sample.count(bucket) === 0) continue;
    rows[found]! += sample.count(bucket);
    sums[found]! += sample.sumAbove(bucket, 0);
  }
  const counts = new Float64Array(size * bins);
  for (let label = 0; label < size; label++) {
    counts.set(cells.subarray(label * width, label * width + bins), label * bins);
  }
  return { counts, rows, sums };
}

interface BucketBins {
  /** The bin of each bucket; one more than bins for infinities and NaN, two more where a bucket holds edges. */
  bin: Uint8Array | Uint16Array;
  /** Values of a bucket with edges are in bins from `first` to `next`. */
  first: Int32Array;
  next: Int32Array;
}

function binsOf(sample: BucketedSample, edges: Float64Array): BucketBins {
  const { size } = sample.map;
  const bins = edges.length + 1;
  const bin = bins + 1 < 2 ** 8 ? new Uint8Array(size) : new Uint16Array(size);
  const first = new Int32Array(size);
  const next = new Int32Array(size);
  let edge = 0;
  const buckets = Array.from(edges, (value) => sample.bucketOf(value));
  for (let bucket = 0; bucket < size; bucket++) {
    first[bucket] = edge;
    while (buckets[edge] === bucket) edge++;
    next[bucket] = edge;
    const before = first[bucket] as number;
    bin[bucket] = edge > before ? bins + 1 : before;
    if (edge === before || !sample.isConstant(bucket)) continue;
    const [value] = sample.bucket(bucket).values;
    if (value !== undefined) bin[bucket] = countUpTo(edges, value, before, edge);
  }
  for (const bucket of [0, size - 1]) bin[bucket] = bins;
  return { bin, first, next };
}
