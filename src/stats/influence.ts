import type { PairedEstimate } from './paired-estimate.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';
import { type UnitSpread, unitSpread } from './unit-spread.ts';

/** Rows that belong together: `codes[i]` is row i's cluster, a whole number in [0, count). */
export interface Clusters {
  readonly codes: Int32Array;
  readonly count: number;
}

/** Codes any cluster keys (customer, day) in order of first appearance. O(n). */
export function encodeClusters(keys: ArrayLike<string | number | bigint | null>): Clusters {
  const seen = new Map<string | number | bigint | null, number>();
  const codes = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string | number | bigint | null;
    let code = seen.get(key);
    if (code === undefined) {
      code = seen.size;
      seen.set(key, code);
    }
    codes[i] = code;
  }
  return { codes, count: seen.size };
}

/** Standard error with the number of independent units behind it. */
export interface InfluenceError {
  readonly se: number;
  /** Units − 1: rows, or clusters. */
  readonly df: number;
  readonly clusters: number | null;
}

/**
 * Standard error of an asymptotically linear estimate from its influence values ψᵢ, where
 * estimate − θ ≈ Σ ψᵢ and Σ ψᵢ = 0 on the sample: var = n/(n−1) Σ ψᵢ² for independent rows, and
 * G/(G−1) Σ_g (Σ_{i∈g} ψᵢ)² for G clusters (the CR1 sandwich; for the mean of x, ψᵢ = (xᵢ − x̄)/n gives s²/n).
 *
 * Source: Huber (1981), "Robust Statistics", ch. 1; Cameron & Miller (2015), "A Practitioner's Guide to
 * Cluster-Robust Inference", J. Human Resources 50(2).
 */
export function influenceError(psi: Float64Array, clusters: Clusters | null): InfluenceError | Undefined {
  const n = psi.length;
  if (clusters === null) {
    if (n < 2)
      return undefinedBecause(
        'too_few_rows',
        `${n} ${n === 1 ? 'row' : 'rows'}: a standard error needs at least 2`,
      );
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (psi[i] as number) ** 2;
    return { se: Math.sqrt((sum * n) / (n - 1)), df: n - 1, clusters: null };
  }
  const sums = new Float64Array(clusters.count);
  const seen = new Uint8Array(clusters.count);
  for (let i = 0; i < n; i++) {
    const g = clusters.codes[i] as number;
    sums[g] = (sums[g] as number) + (psi[i] as number);
    seen[g] = 1;
  }
  let groups = 0;
  let sum = 0;
  for (let g = 0; g < clusters.count; g++) {
    groups += seen[g] as number;
    sum += (sums[g] as number) ** 2;
  }
  if (groups < 2)
    return undefinedBecause(
      'too_few_clusters',
      `${groups} ${groups === 1 ? 'cluster' : 'clusters'}: a standard error needs at least 2`,
    );
  return { se: Math.sqrt((sum * groups) / (groups - 1)), df: groups - 1, clusters: groups };
}

/** An estimate and its influence values, one a row. */
export interface LinearEstimate {
  readonly value: number;
  readonly psi: Float64Array;
  /** Each row's share of what the estimate divides by, adding up to 1 in each stratum; 1/n unless said. */
  readonly share?: Float64Array;
  /** Rows that are averaged apart from the others: the classes, for the AUC. */
  readonly strata?: Clusters;
}

/** Compares two estimates on the same rows by the influence values of their difference. */
export function compareInfluence(input: {
  readonly a: LinearEstimate;
  readonly b: LinearEstimate;
  readonly clusters: Clusters | null;
  readonly higherIsBetter: boolean;
  readonly method?: PairedEstimate['method'];
}): PairedEstimate | Undefined {
  const { a, b, clusters, higherIsBetter } = input;
  const n = a.psi.length;
  const psi = new Float64Array(n);
  for (let i = 0; i < n; i++) psi[i] = (b.psi[i] as number) - (a.psi[i] as number);
  const error = influenceError(psi, clusters);
  if ('undefined' in error) return error;
  const raw = b.value - a.value;
  if (!Number.isFinite(raw) || !Number.isFinite(error.se))
    return undefinedBecause(
      'not_finite',
      'the values are too large: their difference or its spread overflows',
    );
  return {
    method: input.method ?? 'influence',
    n,
    clusters: error.clusters,
    estimateA: a.value,
    estimateB: b.value,
    diff: higherIsBetter ? raw : 0 - raw,
    se: error.se,
    df: error.df,
    spread: signed(unitSpread({ a, b, clusters }), higherIsBetter),
  };
}

/** Of the difference with its sign turned where lower is better. */
function signed(spread: UnitSpread, higherIsBetter: boolean): UnitSpread {
  return higherIsBetter ? spread : { ...spread, skewness: 0 - spread.skewness };
}
