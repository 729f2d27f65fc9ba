/**
 * Binomial and hypergeometric distributions.
 * Source: Loader (2000) for the densities; Abramowitz & Stegun 26.5.24 for the binomial tails.
 */
import { betaTails, logBinomialDensity } from './special.ts';

/** Parameters of a binomial distribution: n trials, success probability p. */
export interface Binomial {
  readonly n: number;
  readonly p: number;
}

/** P(X = k). */
export function binomialPmf(k: number, { n, p }: Binomial): number {
  if (k < 0 || k > n || !Number.isInteger(k)) return 0;
  if (p === 0) return k === 0 ? 1 : 0;
  if (p === 1) return k === n ? 1 : 0;
  if (n === 0) return 1;
  return Math.exp(logBinomialDensity(k, n - k, p, 1 - p));
}

/** P(X ≤ k). */
export function binomialCdf(k: number, { n, p }: Binomial): number {
  const floor = Math.floor(k);
  if (floor < 0) return 0;
  if (floor >= n) return 1;
  return betaTails(n - floor, floor + 1, 1 - p, p).lower;
}

/** P(X > k). */
export function binomialSf(k: number, { n, p }: Binomial): number {
  const floor = Math.floor(k);
  if (floor < 0) return 1;
  if (floor >= n) return 0;
  return betaTails(n - floor, floor + 1, 1 - p, p).upper;
}

/** A draw of `draws` items without return from `good` and `bad` ones. */
export interface Hypergeometric {
  readonly good: number;
  readonly bad: number;
  readonly draws: number;
}

/** P(X = k) where X counts the good items drawn. */
export function hypergeometricPmf(k: number, { good, bad, draws }: Hypergeometric): number {
  if (!Number.isInteger(k) || k < Math.max(0, draws - bad) || k > Math.min(good, draws)) return 0;
  if (draws === 0) return 1;
  const total = good + bad;
  if (draws === total) return k === good ? 1 : 0;
  const p = draws / total;
  const q = (total - draws) / total;
  const log = (x: number, n: number) => (n === 0 ? 0 : logBinomialDensity(x, n - x, p, q));
  return Math.exp(log(k, good) + log(draws - k, bad) - log(draws, total));
}

/** Fisher's exact test of a 2×2 table [[a, b], [c, d]]. */
export interface FisherResult {
  /** Sample odds ratio ad/bc; Infinity where bc = 0, null where undefined (a zero row or column). */
  readonly oddsRatio: number | null;
  /** Sum of the probabilities of all tables no likelier than the observed one (SciPy's two-sided). */
  readonly pTwoSided: number;
  /** P(A ≤ a), P(A ≥ a) given the margins. */
  readonly pLess: number;
  readonly pGreater: number;
}

/** Fisher's exact test; counts are whole numbers ≥ 0. O(min of the margins), each term from its neighbour. */
export function fisherExact(a: number, b: number, c: number, d: number): FisherResult {
  const good = a + b;
  const bad = c + d;
  const draws = a + c;
  if (good === 0 || bad === 0 || draws === 0 || b + d === 0)
    return { oddsRatio: null, pTwoSided: 1, pLess: 1, pGreater: 1 };
  const low = Math.max(0, draws - bad);
  const high = Math.min(good, draws);
  const mode = Math.min(high, Math.max(low, Math.floor(((draws + 1) * (good + 1)) / (good + bad + 2))));
  const law = { good, bad, draws };
  const pmf = new Float64Array(high - low + 1);
  pmf[mode - low] = hypergeometricPmf(mode, law);
  for (let k = mode; k < high; k++)
    pmf[k + 1 - low] =
      ((pmf[k - low] as number) * (good - k) * (draws - k)) / ((k + 1) * (bad - draws + k + 1));
  for (let k = mode; k > low; k--)
    pmf[k - 1 - low] =
      ((pmf[k - low] as number) * k * (bad - draws + k)) / ((good - k + 1) * (draws - k + 1));
  const limit = (pmf[a - low] as number) * (1 + 1e-12);
  let twoSided = 0;
  let less = 0;
  let greater = 0;
  pmf.forEach((p, i) => {
    if (p <= limit) twoSided += p;
    if (i + low <= a) less += p;
    if (i + low >= a) greater += p;
  });
  return {
    oddsRatio: b * c === 0 ? (a * d === 0 ? null : Infinity) : (a * d) / (b * c),
    pTwoSided: Math.min(1, twoSided),
    pLess: Math.min(1, less),
    pGreater: Math.min(1, greater),
  };
}
