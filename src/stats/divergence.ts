import { type Undefined, undefinedBecause } from './undefined.ts';

/**
 * Distances between two share vectors (each ≥ 0, sum 1; of equal length): reference first, current second. Counts come
 * through `toShares`, and both samples need rows: an all-zero vector has no distance to anything.
 */

/** What an empty share counts as in psi, kl and the deciles' js (CLI.md, `drift`). */
export const SHARE_FLOOR = 1e-4;

/** Counts as shares; all zero when there are no rows. */
export function toShares(counts: ArrayLike<number>): Float64Array {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  const out = new Float64Array(counts.length);
  if (total > 0) for (let i = 0; i < counts.length; i++) out[i] = (counts[i] as number) / total;
  return out;
}

/** Replaces empty shares by `floor`; the others stay, so the sum may exceed 1 a little. */
export function floorShares(shares: Float64Array, floor: number = SHARE_FLOOR): Float64Array {
  return shares.map((s) => (s === 0 ? floor : s));
}

/** Terms (q − p) ln(q / p) of the population stability index; they add up to it and show which category drives it. */
export function psiTerms(reference: Float64Array, current: Float64Array): Float64Array {
  return reference.map((p, i) => {
    const q = current[i] as number;
    if (p === q) return 0;
    return (q - p) * Math.log(q / p);
  });
}

/** Population stability index Σ (q − p) ln(q / p); Infinity with an empty share that was not floored. */
export function psi(reference: Float64Array, current: Float64Array): number {
  return psiTerms(reference, current).reduce((s, x) => s + x, 0);
}

/** Kullback-Leibler divergence of current from reference, Σ q ln(q / p), in nats. */
export function klDivergence(reference: Float64Array, current: Float64Array): number {
  return current.reduce((sum, q, i) => (q > 0 ? sum + q * Math.log(q / (reference[i] as number)) : sum), 0);
}

/**
 * Jensen-Shannon distance, base 2: √(½ KL(p‖m) + ½ KL(q‖m)), m = (p+q)/2; in [0, 1]. Both vectors are first
 * normalised to sum 1, as SciPy's `jensenshannon(base=2)` does. Source: Lin (1991), IEEE Trans. Inf. Theory 37.
 */
export function jsDistance(reference: Float64Array, current: Float64Array): number {
  const sumP = reference.reduce((s, x) => s + x, 0);
  const sumQ = current.reduce((s, x) => s + x, 0);
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = (reference[i] as number) / sumP;
    const q = (current[i] as number) / sumQ;
    const m = (p + q) / 2;
    if (p > 0) sum += p * Math.log(p / m);
    if (q > 0) sum += q * Math.log(q / m);
  }
  return Math.sqrt(Math.max(0, sum) / (2 * Math.LN2));
}

/** Hellinger distance √(1 − Σ √(p q)), computed as √(½ Σ (√p − √q)²); in [0, 1]. */
export function hellinger(reference: Float64Array, current: Float64Array): number {
  return Math.sqrt(
    reference.reduce((s, p, i) => s + (Math.sqrt(p) - Math.sqrt(current[i] as number)) ** 2, 0) / 2,
  );
}

/** Total variation ½ Σ |p − q|: the share of rows that would have to change category. */
export function totalVariation(reference: Float64Array, current: Float64Array): number {
  return reference.reduce((s, p, i) => s + Math.abs(p - (current[i] as number)), 0) / 2;
}

/** The largest difference of a share, max |p − q|. */
export function lInfinity(reference: Float64Array, current: Float64Array): number {
  return reference.reduce((most, p, i) => Math.max(most, Math.abs(p - (current[i] as number))), 0);
}

/** psi, kl and js over floored shares of counts in shared bins. */
export interface BinnedDivergence {
  readonly psi: number;
  readonly kl: number;
  readonly jsDistance: number;
}

/** The three divergences of numeric columns, over bin counts, empty shares floored. */
export function binnedDivergence(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): BinnedDivergence | Undefined {
  const shares = [toShares(reference), toShares(current)] as const;
  if (shares.some((side) => side.every((share) => share === 0)))
    return undefinedBecause('empty', 'a sample has no rows');
  const p = floorShares(shares[0]);
  const q = floorShares(shares[1]);
  return { psi: psi(p, q), kl: klDivergence(p, q), jsDistance: jsDistance(p, q) };
}

/** Size that PSI takes without any drift: about (k − 1)(1/n + 1/m) for k categories. */
export function psiNoiseFloor(k: number, n: number, m: number): number {
  return (k - 1) * (1 / n + 1 / m);
}
