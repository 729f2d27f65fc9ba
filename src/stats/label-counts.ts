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
  // one more for what is not finite
  const cells = new Uint32Array(size * (bins + 1));
  const rows = new Float64Array(bins);
  const sums = new Float64Array(bins);
  const { values } = sample;
  const { bin, next } = binsOf(sample, edges);
  const atEdges = new Uint32Array(stretch);
  for (let from = 0; from < values.length; from += stretch) {
    const codes = sample.codes(from);
    const until = Math.min(stretch, values.length - from);
    let held = 0;
    for (let row = 0; row < until; row++) {
      const found = bin[codes[row] as number] as number;
      // few; looked at in a loop of their own, they do not slow this one down
      if (found < 0) atEdges[held++] = row;
      else cells[(labels[from + row] as number) * (bins + 1) + found]!++;
    }
    for (let i = 0; i < held; i++) {
      const row = atEdges[i] as number;
      const bucket = codes[row] as number;
      const value = values[from + row] as number;
      const found = countUpTo(edges, value, ~(bin[bucket] as number), next[bucket] as number);
      rows[found]!++;
      sums[found]! += value;
      cells[(labels[from + row] as number) * (bins + 1) + found]!++;
    }
  }
  for (let bucket = 1; bucket < sample.map.size - 1; bucket++) {
    const found = bin[bucket] as number;
    if (found < 0 || sample.count(bucket) === 0) continue;
    rows[found]! += sample.count(bucket);
    sums[found]! += sample.sumAbove(bucket, 0);
  }
  const counts = new Float64Array(size * bins);
  for (let label = 0; label < size; label++) {
    counts.set(cells.subarray(label * (bins + 1), (label + 1) * (bins + 1) - 1), label * bins);
  }
  return { counts, rows, sums };
}

/** The bin of each bucket; ~first where it holds edges and its values are in bins from `first` to `next`. */
function binsOf(sample: BucketedSample, edges: Float64Array): { bin: Int32Array; next: Int32Array } {
  const { size } = sample.map;
  const bin = new Int32Array(size);
  const next = new Int32Array(size);
  let edge = 0;
  const buckets = Array.from(edges, (value) => sample.bucketOf(value));
  for (let bucket = 0; bucket < size; bucket++) {
    const first = edge;
    while (buckets[edge] === bucket) edge++;
    bin[bucket] = edge > first ? ~first : first;
    next[bucket] = edge;
    if (edge === first || !sample.isConstant(bucket)) continue;
    const [value] = sample.bucket(bucket).values;
    if (value !== undefined) bin[bucket] = countUpTo(edges, value, first, edge);
  }
  for (const bucket of [0, size - 1]) bin[bucket] = edges.length + 1;
  return { bin, next };
}
