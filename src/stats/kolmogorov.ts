/**
 * Distribution of the two-sided Kolmogorov-Smirnov statistic for a finite sample, with the same division of
 * methods as SciPy's `kstwo.sf`, so that p-values agree.
 *
 * Source: Simard & L'Ecuyer (2011), "Computing the Two-Sided Kolmogorov-Smirnov Distribution", J. Stat. Softw.
 * 39(11), as arranged in SciPy's `_ksstats.py` (BSD-3-Clause); Marsaglia, Tsang, Wang (2003); Pomeranz (1974); Pelz & Good (1976); Miller (1956).
 */
import { kolmogorovMatrix, pelzGood, pomeranz } from './kolmogorov-cdf.ts';
import { logBinomialDensity, logGamma } from './special.ts';

/** P(Dₙ > d) for the two-sided statistic of a sample of n against its true distribution. */
export function kolmogorovSf(d: number, n: number): number {
  if (d >= 1) return 0;
  if (d <= 0) return 1;
  const t = n * d;
  if (t <= 0.5) return 1;
  if (t <= 1) return clip(1 - Math.exp(logGamma(n + 1) - n * Math.log(n) + n * Math.log(2 * t - 1)));
  if (t >= n - 1) return clip(2 * (1 - d) ** n);
  if (d >= 0.5) return clip(2 * smirnovSf(d, n));
  const square = t * d;
  if (n <= 140) {
    if (square <= 0.754693) return clip(1 - kolmogorovMatrix(n, d));
    if (square <= 4) return clip(1 - pomeranz(n, d));
    return clip(2 * smirnovSf(d, n));
  }
  if (square >= 370) return 0;
  if (square >= 2.2) return clip(2 * smirnovSf(d, n));
  if (n <= 100000 && n * d ** 1.5 <= 1.4) return clip(1 - kolmogorovMatrix(n, d));
  return clip(1 - pelzGood(n, d));
}

/** So many terms at least are summed where a sample has more; 512 would do. */
const terms = 4096;

/**
 * P(Dₙ⁺ ≥ d) of the one-sided statistic: d Σⱼ C(n,j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j), 0 ≤ j ≤ n(1−d)
 * (Birnbaum & Tingey 1951). The terms fall off on both sides of the middle and are summed outwards from there.
 *
 * Of a large n each so many-th term stands for its neighbours: with x = j/n the terms go as
 * exp(−nd²/2x(1−x)), which is flat of every order at both ends, so by Euler and Maclaurin's formula a sum in any
 * step and the integral differ by some exp(−2√(π nd²/2 · terms)), less than 1e-60 for the nd² ≥ 2.2 asked for here.
 */
export function smirnovSf(d: number, n: number): number {
  if (d <= 0) return 1;
  if (d >= 1) return 0;
  const last = Math.min(n, Math.floor(n * (1 - d)));
  const step = n * d * d >= 2.2 ? Math.max(1, Math.floor(n / terms)) : 1;
  const term = (j: number) => {
    const p = d + j / n;
    const q = 1 - p;
    if (q <= 0) return 0;
    return (d / p) * Math.exp(logBinomialDensity(j, n - j, p, q));
  };
  const middle = last >> 1;
  let sum = 0;
  const outwards = (from: number, by: number) => {
    for (let j = from; j >= 0 && j <= last; j += by) {
      const value = term(j);
      sum += value;
      if (value < sum * 1e-22 && Math.abs(j - middle) > 50) break;
    }
  };
  outwards(middle, -step);
  outwards(middle + step, step);
  return Math.min(1, sum * step);
}

/** P(K > x) of Kolmogorov's limiting distribution, 2 Σ (−1)^(k−1) exp(−2k²x²). */
export function kolmogorovLimitSf(x: number): number {
  if (x <= 0) return 1;
  if (x < 1) {
    // Jacobi's dual series converges fast for small x
    let cdf = 0;
    for (let k = 1; k <= 9; k += 2) cdf += Math.exp((-k * k * Math.PI * Math.PI) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * cdf;
  }
  let sum = 0;
  for (let k = 6; k >= 1; k--) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return sum;
}

function clip(p: number): number {
  return Math.min(1, Math.max(0, p));
}
