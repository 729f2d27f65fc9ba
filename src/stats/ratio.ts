import type { LinearEstimate } from './influence.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** Row weights ≥ 0 (importance or sampling weights, not counts); null means 1 for each row. */
export type Weights = Float64Array | null;

/** Σ w, or n without weights. */
export function totalWeight(n: number, weights: Weights): number {
  if (weights === null) return n;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weights[i] as number;
  return sum;
}

/** Weighted mean Σ wx / Σ w with influence wᵢ (xᵢ − mean) / Σ w. */
export function weightedMean(x: Float64Array, weights: Weights): LinearEstimate | Undefined {
  const n = x.length;
  if (n === 0) return undefinedBecause('empty', 'no rows');
  const total = totalWeight(n, weights);
  if (!(total > 0)) return undefinedBecause('zero_weight', 'the weights sum to zero');
  let sum = 0;
  if (weights === null) for (let i = 0; i < n; i++) sum += x[i] as number;
  else for (let i = 0; i < n; i++) sum += (weights[i] as number) * (x[i] as number);
  if (!Number.isFinite(sum))
    return undefinedBecause('not_finite', 'a value or weight is not a finite number');
  const centre = sum / total;
  const psi = new Float64Array(n);
  let rest = 0;
  for (let i = 0; i < n; i++) {
    const w = weights === null ? 1 : (weights[i] as number);
    const term = w * ((x[i] as number) - centre);
    rest += term;
    psi[i] = term / total;
  }
  // second pass: what rounding left of Σ w (x − centre) mends the mean to the last digits
  const value = centre + rest / total;
  return weights === null ? { value, psi } : { value, psi, share: weights.map((w) => w / total) };
}

/**
 * Ratio Σ w u / Σ w v by the delta method, influence wᵢ (uᵢ − R vᵢ) / Σ w v. Precision, recall, F1, WAPE and
 * revenue per visit are of this form. Source: Cochran (1977), "Sampling Techniques", 6.4.
 */
export function ratioOfSums(input: {
  readonly numerator: ArrayLike<number>;
  readonly denominator: ArrayLike<number>;
  readonly weights: Weights;
}): LinearEstimate | Undefined {
  const { numerator, denominator, weights } = input;
  const n = numerator.length;
  if (n === 0) return undefinedBecause('empty', 'no rows');
  let top = 0;
  let bottom = 0;
  for (let i = 0; i < n; i++) {
    const w = weights === null ? 1 : (weights[i] as number);
    top += w * (numerator[i] as number);
    bottom += w * (denominator[i] as number);
  }
  if (!Number.isFinite(top) || !Number.isFinite(bottom))
    return undefinedBecause('not_finite', 'a value or weight is not a finite number');
  if (bottom === 0) return undefinedBecause('zero_denominator', 'the denominator sums to zero');
  const value = top / bottom;
  const psi = new Float64Array(n);
  const share = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const w = weights === null ? 1 : (weights[i] as number);
    psi[i] = (w * ((numerator[i] as number) - value * (denominator[i] as number))) / bottom;
    share[i] = (w * (denominator[i] as number)) / bottom;
  }
  return { value, psi, share };
}

/** A smooth function f of an estimate by the delta method: influence f′(value) ψ. */
export function transformed(
  base: LinearEstimate,
  f: { readonly value: (x: number) => number; readonly derivative: (x: number) => number },
): LinearEstimate {
  const slope = f.derivative(base.value);
  return { ...base, value: f.value(base.value), psi: base.psi.map((p) => p * slope) };
}
