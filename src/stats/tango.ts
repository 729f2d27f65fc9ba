import { normalQuantile } from './distributions.ts';

interface Counts {
  readonly b: number;
  readonly c: number;
  readonly n: number;
}

/**
 * Tango's score interval for a paired difference of proportions Δ = p_c − p_b, at level 1 − alpha: the Δ with
 * |c − b − nΔ| ≤ z √(n (2 q(Δ) + Δ(1 − Δ))), q(Δ) the restricted maximum likelihood estimate of p_b.
 *
 * Source: T. Tango (1998), "Equivalence test and confidence interval for the difference in proportions for the
 * paired-sample design", Statistics in Medicine 17:891-908.
 */
export function tangoInterval(counts: Counts, alpha: number): { low: number; high: number } {
  const z = normalQuantile(1 - alpha / 2);
  return { low: tangoBound(counts, z, 'low'), high: tangoBound(counts, z, 'high') };
}

/** One end of Tango's interval for the normal quantile z ≥ 0, by bisection to the last bit. */
export function tangoBound(counts: Counts, z: number, side: 'low' | 'high'): number {
  // the low end for (b, c) is minus the high end for (c, b)
  if (side === 'low') return -tangoBound({ b: counts.c, c: counts.b, n: counts.n }, z, 'high') || 0;
  const { b, c, n } = counts;
  const centre = (c - b) / n;
  if (z <= 0) return centre;
  let low = centre;
  let high = 1;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (n * middle - (c - b) <= z * Math.sqrt(tangoVariance(counts, middle))) low = middle;
    else high = middle;
  }
  return low;
}

/** n (2 q(Δ) + Δ (1 − Δ)), the variance of c − b when the difference is Δ. */
function tangoVariance({ b, c, n }: Counts, delta: number): number {
  const linear = (2 * n - c + b) * delta - b - c;
  const constant = -b * delta * (1 - delta);
  const root = Math.sqrt(Math.max(0, linear * linear - 8 * n * constant));
  // (root − linear) / 4n without cancellation when linear > 0
  const q = linear > 0 ? (-2 * constant) / (root + linear) : (root - linear) / (4 * n);
  return Math.max(0, n * (2 * q + delta * (1 - delta)));
}
