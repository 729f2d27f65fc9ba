import { type Clusters, influenceError, type LinearEstimate } from './influence.ts';
import { pairedBootstrap } from './paired-bootstrap.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import type { Weights } from './ratio.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';
import { unseenOf } from './unseen.ts';

const bins = 10;

/** Labels (0/1) and both models' probabilities on the same rows. */
export interface PairedProbabilities {
  readonly y: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly weights: Weights;
  readonly clusters: Clusters | null;
  readonly seed: number;
}

/** The squared calibration error of one model and what its spread needs. */
export interface CalibrationError {
  readonly value: number;
  readonly psi: Float64Array;
  readonly bin: Int32Array;
  /** Row residuals p − y less their bin's mean. */
  readonly centred: Float64Array;
  readonly sizes: Float64Array;
}

/**
 * Squared calibration error over 10 fixed bins of equal width, debiased. With r = p − y, bin b of n_b rows and mean
 * residual r̄_b: (1/n) Σ_b n_b (r̄_b² − s_b²/n_b), which is (1/n) Σ_b Σ_{i≠j∈b} rᵢ rⱼ / (n_b − 1), without bias given
 * the bins; a bin of one row adds nothing. It may come out a little below 0, and its root compares with the root
 * mean squared calibration error. Unlike the usual ECE (Σ n_b/n |r̄_b|), which is too high by chance alone and has no
 * derivative where a model is calibrated, it has a standard error. Influence (2 r̄_b rᵢ − r̄_b² − mean)/n.
 *
 * Source: Kumar, Liang, Ma (2019), "Verified Uncertainty Calibration", NeurIPS, section 4.
 */
export function calibrationError(y: Float64Array, p: Float64Array): CalibrationError {
  const n = y.length;
  const bin = new Int32Array(n);
  const sizes = new Float64Array(bins);
  const means = new Float64Array(bins);
  const squares = new Float64Array(bins);
  for (let i = 0; i < n; i++) {
    const at = binOf(p[i] as number);
    bin[i] = at;
    sizes[at] = (sizes[at] as number) + 1;
    means[at] = (means[at] as number) + (p[i] as number) - (y[i] as number);
  }
  for (let at = 0; at < bins; at++) means[at] = (means[at] as number) / Math.max(1, sizes[at] as number);
  const centred = new Float64Array(n);
  let plain = 0;
  for (let i = 0; i < n; i++) {
    const at = bin[i] as number;
    centred[i] = (p[i] as number) - (y[i] as number) - (means[at] as number);
    squares[at] = (squares[at] as number) + (centred[i] as number) ** 2;
    plain += (means[at] as number) ** 2 / n;
  }
  let value = 0;
  for (let at = 0; at < bins; at++) {
    const size = sizes[at] as number;
    if (size > 1) value += (size * (means[at] as number) ** 2 - (squares[at] as number) / (size - 1)) / n;
  }
  const psi = centred.map((rest, i) => {
    const mean = means[bin[i] as number] as number;
    return (2 * mean * rest + mean ** 2 - plain) / n;
  });
  return { value, psi, bin, centred, sizes };
}

/** The squared calibration error of one model with influence values; `more` is the variance of the second order. */
export function estimateCalibration(
  y: Float64Array,
  p: Float64Array,
): (LinearEstimate & { readonly more: number }) | Undefined {
  const problem = checkProbabilities(y, [p]);
  if (problem !== null) return problem;
  const error = calibrationError(y, p);
  return { value: error.value, psi: error.psi, more: product(error, error) };
}

function checkProbabilities(y: Float64Array, models: readonly Float64Array[]): Undefined | null {
  for (let i = 0; i < y.length; i++) {
    if (y[i] !== 0 && y[i] !== 1)
      return undefinedBecause('out_of_range', `row ${i + 1}: target ${y[i]} is not 0 or 1`);
    for (const p of models)
      if (!((p[i] as number) >= 0 && (p[i] as number) <= 1))
        return undefinedBecause('out_of_range', `row ${i + 1}: ${p[i]} is not a probability`);
  }
  return null;
}

/**
 * Compares the squared calibration errors. The variance is that of the influence values plus that of the second
 * order, (2/n²) Σ over pairs of bins, which alone is left where both models are calibrated. With weights or
 * clusters the se is that of a bootstrap over clusters or buckets of rows.
 */
export function compareCalibration(input: PairedProbabilities): PairedEstimate | Undefined {
  const { y, a, b, weights, clusters } = input;
  const problem = checkProbabilities(y, [a, b]);
  if (problem !== null) return problem;
  if (weights !== null || clusters !== null) return resampled(input);
  const first = calibrationError(y, a);
  const second = calibrationError(y, b);
  const psi = second.psi.map((p, i) => p - (first.psi[i] as number));
  const error = influenceError(psi, null);
  if (isUndefined(error)) return error;
  const pairs = product(first, first) + product(second, second) - 2 * product(first, second);
  return {
    method: 'influence',
    n: y.length,
    clusters: null,
    estimateA: first.value,
    estimateB: second.value,
    diff: first.value - second.value,
    se: Math.sqrt(error.se ** 2 + Math.max(0, pairs)),
    df: error.df,
    ...unseenOf(first, second, () => ({ rows: y.length, effect: 2 })),
  };
}

/** Covariance of the second-order parts: (2/n²) Σ C²/((n_a − 1)(n_b − 1)), C the centred cross product of two bins. */
function product(a: CalibrationError, b: CalibrationError): number {
  const cells = new Float64Array(bins * bins);
  const n = a.bin.length;
  for (let i = 0; i < n; i++) {
    const at = (a.bin[i] as number) * bins + (b.bin[i] as number);
    cells[at] = (cells[at] as number) + (a.centred[i] as number) * (b.centred[i] as number);
  }
  let sum = 0;
  cells.forEach((cross, at) => {
    const sizes = ((a.sizes[Math.floor(at / bins)] as number) - 1) * ((b.sizes[at % bins] as number) - 1);
    if (sizes > 0) sum += cross ** 2 / sizes;
  });
  return (2 * sum) / n ** 2;
}

const perBin = 4;

/**
 * Weighted or clustered: Σ_b (S² − Σ w²r²) / (W − Σ w²/W) / Σ w with S = Σ wr and W = Σ w of the bin, the same
 * value where weights are 1, from sums of columns that are resampled by unit.
 */
function resampled({ y, a, b, weights, clusters, seed }: PairedProbabilities): PairedEstimate | Undefined {
  const n = y.length;
  const columns = Array.from({ length: 2 * perBin * bins }, () => new Float64Array(n));
  const total = weights === null ? n : weights.reduce((s, w) => s + w, 0);
  if (!(total > 0)) return undefinedBecause('zero_weight', 'the weights sum to zero');
  [a, b].forEach((p, model) => {
    for (let i = 0; i < n; i++) {
      const at = perBin * (bins * model + binOf(p[i] as number));
      const w = weights === null ? 1 : (weights[i] as number);
      const residual = (p[i] as number) - (y[i] as number);
      [w, w * residual, (w * residual) ** 2, w * w].forEach((term, k) => {
        (columns[at + k] as Float64Array)[i] = term;
      });
    }
  });
  const statistic = (sums: Float64Array) => [debiased(sums, 0), debiased(sums, 1)] as const;
  return pairedBootstrap({ columns, clusters, statistic, higherIsBetter: false, seed });
}

function debiased(sums: Float64Array, model: number): number {
  let [value, total] = [0, 0];
  for (let at = perBin * bins * model; at < perBin * bins * (model + 1); at += perBin) {
    const [weight = 0, residual = 0, squares = 0, weights = 0] = sums.subarray(at, at + perBin);
    const free = weight > 0 ? weight - weights / weight : 0;
    total += weight;
    if (free > 1e-9 * weight) value += (residual ** 2 - squares) / free;
  }
  return value / total;
}

function binOf(p: number): number {
  return Math.min(bins - 1, Math.floor(p * bins));
}
