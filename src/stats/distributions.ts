/**
 * Normal, Student t, chi-square and F distributions: tails and quantiles.
 * Formulas: Abramowitz & Stegun 26.2, 26.4.4, 26.6.2, 26.7.1 in terms of the incomplete gamma and beta functions.
 */
import { betaTails, gammaTails, stirlingError } from './special.ts';

const LN_2PI = Math.log(2 * Math.PI);

/** P(Z > z) for a standard normal Z. */
export function normalSf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  const { lower, upper } = gammaTails(0.5, (z * z) / 2);
  return z >= 0 ? upper / 2 : 0.5 + lower / 2;
}

/** P(Z ≤ z) for a standard normal Z. */
export function normalCdf(z: number): number {
  return normalSf(-z);
}

/** The z with P(Z ≤ z) = p. */
export function normalQuantile(p: number): number {
  return symmetricQuantile(p, {
    sf: normalSf,
    central: (z) => gammaTails(0.5, (z * z) / 2).lower / 2,
    logDensity: (z) => -0.5 * (z * z + LN_2PI),
  });
}

/** P(T > t) for Student's t with df degrees of freedom; df = Infinity or null is the normal distribution. */
export function tSf(t: number, df: number | null): number {
  if (df === null || df === Infinity) return normalSf(t);
  if (Number.isNaN(t)) return Number.NaN;
  const { lower, upper } = tBeta(t, df);
  return t >= 0 ? lower / 2 : 0.5 + upper / 2;
}

/** P(T ≤ t) for Student's t with df degrees of freedom. */
export function tCdf(t: number, df: number | null): number {
  return tSf(-t, df);
}

/** The t with P(T ≤ t) = p, for Student's t with df degrees of freedom (null or Infinity: normal). */
export function tQuantile(p: number, df: number | null): number {
  if (df === null || df === Infinity) return normalQuantile(p);
  if (df === 1 && p !== 0.5)
    return p < 0.25 || p > 0.75 ? -1 / Math.tan(Math.PI * p) : Math.tan(Math.PI * (p - 0.5));
  // ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(νπ), by Stirling errors so that large ν does not cancel
  const h = df / 2;
  const logFactor =
    h * Math.log1p(0.5 / h) - 0.5 + stirlingError(h + 0.5) - stirlingError(h) - 0.5 * Math.log(2 * Math.PI);
  return symmetricQuantile(p, {
    sf: (t) => tBeta(t, df).lower / 2,
    central: (t) => tBeta(t, df).upper / 2,
    logDensity: (t) => logFactor - (h + 0.5) * Math.log1p((t * t) / df),
  });
}

/** P(X > x) for chi-square with `dof` degrees of freedom; 1 for dof = 0 at x = 0. */
export function chiSquareSf(x: number, dof: number): number {
  if (dof === 0) return x > 0 ? 0 : 1;
  return gammaTails(dof / 2, x / 2).upper;
}

/** P(X ≤ x) for chi-square with `dof` degrees of freedom. */
export function chiSquareCdf(x: number, dof: number): number {
  if (dof === 0) return x > 0 ? 1 : 0;
  return gammaTails(dof / 2, x / 2).lower;
}

/** P(X > x) for F with d1 and d2 degrees of freedom. */
export function fSf(x: number, d1: number, d2: number): number {
  if (x <= 0) return 1;
  const total = d2 + d1 * x;
  return betaTails(d2 / 2, d1 / 2, d2 / total, (d1 * x) / total).lower;
}

function tBeta(t: number, df: number): { lower: number; upper: number } {
  if (!Number.isFinite(t)) return { lower: 0, upper: 1 };
  const square = t * t;
  if (square === Infinity) return { lower: 0, upper: 1 };
  return betaTails(df / 2, 0.5, df / (df + square), square / (df + square));
}

interface Symmetric {
  /** P(X > x), x ≥ 0 */
  readonly sf: (x: number) => number;
  /** P(0 < X ≤ x), x ≥ 0 */
  readonly central: (x: number) => number;
  readonly logDensity: (x: number) => number;
}

/**
 * Quantile of a distribution symmetric about 0 by Newton's method: on x near the centre, where `central` is
 * concave, and on (ln x, ln sf) in the tails, where the curve is nearly straight for any weight of tail.
 */
function symmetricQuantile(p: number, law: Symmetric): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  if (p === 0.5) return 0;
  const tail = p < 0.5 ? p : 1 - p;
  const sign = p < 0.5 ? -1 : 1;
  let x: number;
  if (tail > 0.25) {
    const target = Math.abs(p - 0.5);
    x = target / Math.exp(law.logDensity(0));
    for (let i = 0; i < 60; i++) {
      const step = (target - law.central(x)) / Math.exp(law.logDensity(x));
      x += step;
      if (Math.abs(step) <= 1e-15 * x) break;
    }
    return sign * x;
  }
  const goal = Math.log(tail);
  let u = 0.5 * Math.log(-2 * goal);
  for (let i = 0; i < 200; i++) {
    x = Math.exp(u);
    const sf = law.sf(x);
    // −d ln sf / d ln x
    const slope = Math.exp(law.logDensity(x) + u) / sf;
    let step = (Math.log(sf) - goal) / slope;
    if (!Number.isFinite(step)) step = -0.5;
    u += Math.max(-2, Math.min(2, step));
    if (Math.abs(step) <= 4e-16 * Math.max(1, Math.abs(u))) break;
  }
  return sign * Math.exp(u);
}
