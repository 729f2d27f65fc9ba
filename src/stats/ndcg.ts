import type { Clusters, LinearEstimate } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import { pairedMean } from './paired-mean.ts';
import type { Weights } from './ratio.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';

/** Relevance and two models' scores of rows that belong to queries. */
export interface PairedRankings {
  /** Relevance, at least 0. */
  readonly y: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly weights: Weights;
  /** The query of each row. */
  readonly queries: Clusters | null;
  /** Places that count. */
  readonly places: number;
}

/**
 * Compares the mean NDCG@k over queries by the paired t test over queries, each query counting once.
 * DCG = Σ relevance / log₂(place + 1) over the first k places, equal scores sharing the mean of their places;
 * NDCG = DCG / DCG of the best order, 0 for a query without anything relevant: scikit-learn's `ndcg_score`.
 *
 * Source: Järvelin & Kekäläinen (2002), ACM Trans. Inf. Syst. 20:422-446; McSherry & Najork (2008) for ties.
 */
export function compareNdcg(input: PairedRankings): PairedEstimate | Undefined {
  const { y, queries, places, weights } = input;
  if (queries === null) return undefinedBecause('no_groups', 'ndcg needs the query of each row (--cluster)');
  if (weights !== null) return undefinedBecause('unsupported', 'ndcg counts each query once: no row weights');
  if (!y.every((relevance) => relevance >= 0))
    return undefinedBecause('out_of_range', 'a relevance is below 0');
  const a = ndcgByQuery({ y, score: input.a, queries, places });
  const b = ndcgByQuery({ y, score: input.b, queries, places });
  if (a.length < 2)
    return undefinedBecause('too_few_clusters', `${a.length} queries: a standard error needs at least 2`);
  const compared = pairedMean({ a, b, weights: null, clusters: null, higherIsBetter: true, floor: 1 });
  return isUndefined(compared) ? compared : { ...compared, n: y.length, clusters: a.length };
}

/** The mean NDCG@k over queries of one model, with influence values by row: each row holds its share of its query's. */
export function estimateNdcg(input: {
  readonly y: Float64Array;
  readonly score: Float64Array;
  readonly queries: Clusters | null;
  readonly places?: number;
}): LinearEstimate | Undefined {
  const { y, score, queries, places = 10 } = input;
  if (queries === null) return undefinedBecause('no_groups', 'ndcg needs the query of each row (--cluster)');
  const values = ndcgByQuery({ y, score, queries, places });
  const value = values.reduce((s, x) => s + x, 0) / values.length;
  const sizes = new Float64Array(queries.count);
  for (const code of queries.codes) sizes[code] = (sizes[code] as number) + 1;
  const place = new Int32Array(queries.count);
  let seen = 0;
  sizes.forEach((size, code) => {
    place[code] = seen;
    if (size > 0) seen++;
  });
  const psi = Float64Array.from(queries.codes, (code) => {
    const own = values[place[code] as number] as number;
    return (own - value) / values.length / (sizes[code] as number);
  });
  const share = Float64Array.from(queries.codes, (code) => 1 / values.length / (sizes[code] as number));
  return { value, psi, share };
}

/** NDCG@k of each query that has rows, in the order of the queries' codes. O(n log n). */
export function ndcgByQuery(input: {
  readonly y: Float64Array;
  readonly score: Float64Array;
  readonly queries: Clusters;
  readonly places: number;
}): Float64Array {
  const { y, score, queries, places } = input;
  const start = new Int32Array(queries.count + 1);
  for (const code of queries.codes) start[code + 1] = (start[code + 1] as number) + 1;
  for (let g = 0; g < queries.count; g++) start[g + 1] = (start[g + 1] as number) + (start[g] as number);
  const next = start.slice();
  const rows = new Int32Array(y.length);
  queries.codes.forEach((code, i) => {
    const at = next[code] as number;
    rows[at] = i;
    next[code] = at + 1;
  });
  const out: number[] = [];
  for (let g = 0; g < queries.count; g++) {
    const own = rows.subarray(start[g], start[g + 1]);
    if (own.length > 0) out.push(ndcg({ y, score, own, places }));
  }
  return Float64Array.from(out);
}

function ndcg(input: { y: Float64Array; score: Float64Array; own: Int32Array; places: number }): number {
  const { y, score, own, places } = input;
  const by = (values: Float64Array) =>
    own.slice().sort((p, q) => (values[q] as number) - (values[p] as number));
  const best = dcg({ y, key: y, order: by(y), places });
  return best > 0 ? dcg({ y, key: score, order: by(score), places }) / best : 0;
}

/** DCG of rows in descending order of `key`; rows of equal key share the mean of their places' discounts. */
function dcg(input: { y: Float64Array; key: Float64Array; order: Int32Array; places: number }): number {
  const { y, key, order, places } = input;
  let sum = 0;
  for (let from = 0; from < Math.min(order.length, places); ) {
    let to = from;
    let gain = 0;
    let discount = 0;
    for (; to < order.length && key[order[to] as number] === key[order[from] as number]; to++) {
      gain += y[order[to] as number] as number;
      if (to < places) discount += 1 / Math.log2(to + 2);
    }
    sum += (gain * discount) / (to - from);
    from = to;
  }
  return sum;
}
