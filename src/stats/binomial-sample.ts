import type { Random } from './random.ts';
import { stirlingError } from './special.ts';

/**
 * A draw from Binomial(n, p): inversion for small n·p, else BTRS.
 * Source: W. Hörmann (1993), "The generation of binomial random variates", J. Stat. Comput. Simul. 46.
 */
export function sampleBinomial(random: Random, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - sampleBinomial(random, n, 1 - p);
  return n * p < 10 ? byInversion(random, n, p) : byRejection(random, n, p);
}

/** One multinomial draw of `total` items over cells with the given (unnormalised) weights, written to `out`. */
export function sampleMultinomial(
  random: Random,
  draw: { readonly total: number; readonly weights: ArrayLike<number>; readonly out: Float64Array },
): void {
  let left = draw.total;
  let mass = 0;
  for (let i = 0; i < draw.weights.length; i++) mass += draw.weights[i] as number;
  for (let i = 0; i < draw.weights.length; i++) {
    const weight = draw.weights[i] as number;
    const last = i === draw.weights.length - 1;
    const k = last ? left : sampleBinomial(random, left, mass > 0 ? Math.min(1, weight / mass) : 0);
    draw.out[i] = k;
    left -= k;
    mass -= weight;
  }
}

function byInversion(random: Random, n: number, p: number): number {
  const ratio = p / (1 - p);
  const start = (1 - p) ** n;
  for (;;) {
    let u = random.uniform();
    let f = start;
    for (let k = 0; k <= Math.min(n, 200); k++) {
      if (u < f) return k;
      u -= f;
      f *= (ratio * (n - k)) / (k + 1);
    }
  }
}

function byRejection(random: Random, n: number, p: number): number {
  const spq = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spq;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = n * p + 0.5;
  const vr = 0.92 - 4.2 / b;
  const m = Math.floor((n + 1) * p);
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = random.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || k > n) continue;
    // few draws come so far
    const h = logFactorial(m) + logFactorial(n - m);
    const bound = h - logFactorial(k) - logFactorial(n - k) + (k - m) * Math.log(p / (1 - p));
    const alpha = (2.83 + 5.1 / b) * spq;
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k;
  }
}

function logFactorial(k: number): number {
  return k === 0 ? 0 : (k + 0.5) * Math.log(k) - k + 0.9189385332046727 + stirlingError(k);
}
