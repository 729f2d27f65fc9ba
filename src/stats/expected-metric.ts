import { tQuantile } from './distributions.ts';
import { type ExpectedMetric, expectation } from './expectation.ts';
import { type Clusters, influenceError } from './influence.ts';
import { blockOf, type IsotonicFit, isotonicFit } from './isotonic.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';

export interface ExpectedMetricInput {
  readonly metric: ExpectedMetric;
  /** Score from which a row counts as positive. */
  readonly threshold: number;
  /** Rows with their truth, by which the scores are calibrated. */
  readonly known: {
    readonly score: Float64Array;
    readonly y: Float64Array;
    readonly clusters: Clusters | null;
  };
  /** Rows without. */
  readonly unknown: { readonly score: Float64Array; readonly clusters: Clusters | null };
  /** Whether the clusters of both are of one kind (days), so that the labels of one are as alike in the other. */
  readonly sameClusters: boolean;
}

export interface ExpectedValue {
  readonly value: number;
  /** Standard error of the value that the labels will give, around the expected one. */
  readonly se: number;
  readonly df: number;
  readonly n: number;
  /** The largest value that the metric can have. */
  readonly most: number;
  /** Part of the rows without truth whose score lies outside of the scores with truth. */
  readonly outside: number;
}

/** With single rows the rates follow chance and promise too much; with many more, what moves inside of a bin is missed. */
const rowsOfBin = 30;

/**
 * The value that a metric is expected to have on rows without labels, if a score still means the same probability:
 * scores are calibrated by isotonic regression on labelled rows, and the metric is taken in expectation over labels
 * drawn with those probabilities. What it cannot see is a change of P(y | score).
 *
 * The standard error is of the realised value by the delta method: the error of the calibrated rates (their
 * influence, clustered; of blocks with one class by Jeffreys' rate), the chance of the labels to come, Σ h² p (1 − p)
 * with h the change of the metric by one label, and what rows of a cluster share: σ² Σ (Σ h p (1 − p))² over
 * clusters, from a logistic random intercept to first order, σ² by moments of the labelled rows' residuals.
 *
 * Source: NannyML, "Confidence-based Performance Estimation" (its documentation), for the estimate; Breslow & Clayton
 * (1993), "Approximate inference in generalized linear mixed models", J. Am. Stat. Assoc. 88, for what is shared.
 */
export function expectedMetric(input: ExpectedMetricInput): ExpectedValue | Undefined {
  const { known, unknown, metric } = input;
  const problem = problemOf(input);
  if (problem !== null) return problem;
  const fit = isotonicFit(known, { least: rowsOfBin, cut: input.threshold });
  const n = unknown.score.length;
  const block = Int32Array.from(unknown.score, (score) => blockOf(fit, score));
  const p = Float64Array.from(block, (at) => fit.rates[at] as number);
  const { value, slopes } = expectation(input, { score: unknown.score, p });
  if (!Number.isFinite(value))
    return undefinedBecause('no_positives', 'no positive or no negative row is expected');

  const slopeOfBlock = new Float64Array(fit.rates.length);
  let chance = 0;
  for (let i = 0; i < n; i++) {
    const slope = slopes[i] as number;
    const rate = p[i] as number;
    slopeOfBlock[block[i] as number] = (slopeOfBlock[block[i] as number] as number) + slope;
    chance += slope ** 2 * rate * (1 - rate);
  }
  // a block without a single exception still has a rate that is not known to be 0 or 1
  let unseen = 0;
  fit.rates.forEach((rate, at) => {
    const size = fit.sizes[at] as number;
    const careful = (rate * size + 0.5) / (size + 1);
    const missing = Math.max(0, careful * (1 - careful) - rate * (1 - rate));
    unseen += ((slopeOfBlock[at] as number) ** 2 * missing) / size;
  });
  const calibrated = calibrationError(known, { fit, slopeOfBlock });
  if (isUndefined(calibrated)) return calibrated;
  const shared =
    input.sameClusters && unknown.clusters !== null
      ? sharedVariance(known, fit) *
        Math.max(
          0,
          pairsWithin(
            slopes.map((slope, i) => slope * spreadOf(p[i] as number)),
            unknown.clusters,
          ),
        )
      : 0;
  const least = known.score.reduce((a, b) => Math.min(a, b), Infinity);
  const most = known.score.reduce((a, b) => Math.max(a, b), -Infinity);
  const outside = unknown.score.reduce((count, score) => count + (score < least || score > most ? 1 : 0), 0);
  return {
    value,
    se: Math.sqrt(calibrated.se ** 2 + unseen + chance + shared),
    df: calibrated.df,
    n,
    most: metric === 'log_loss' ? Number.POSITIVE_INFINITY : 1,
    outside: outside / n,
  };
}

/** Two-sided interval of the value that the labels will give, at level 1 − alpha. */
export function expectedInterval(
  { value, se, df, most }: ExpectedValue,
  alpha: number,
): { low: number; high: number } {
  const half = tQuantile(1 - alpha / 2, df) * se;
  return { low: Math.max(0, value - half), high: Math.min(most, value + half) };
}

function problemOf({ known, unknown }: ExpectedMetricInput): Undefined | null {
  if (known.score.length === 0 || unknown.score.length === 0) return undefinedBecause('empty', 'no rows');
  const isProbability = (score: number) => score >= 0 && score <= 1;
  if (!known.score.every(isProbability) || !unknown.score.every(isProbability))
    return undefinedBecause('out_of_range', 'a score is not a probability');
  if (!known.y.every((y) => y === 0 || y === 1))
    return undefinedBecause('out_of_range', 'a label is not 0 or 1');
  if (known.y.every((y) => y === known.y[0]))
    return undefinedBecause('one_class', 'the labelled rows have one class only');
  return null;
}

/** Error of the estimate by the rates that it rests on: each labelled row's influence on its block's rate. */
function calibrationError(
  { score, y, clusters }: ExpectedMetricInput['known'],
  { fit, slopeOfBlock }: { fit: IsotonicFit; slopeOfBlock: Float64Array },
) {
  const psi = Float64Array.from(score, (one, i) => {
    const at = blockOf(fit, one);
    return (
      ((slopeOfBlock[at] as number) / (fit.sizes[at] as number)) *
      ((y[i] as number) - (fit.rates[at] as number))
    );
  });
  return influenceError(psi, clusters);
}

/** Σ over clusters of (Σ x)² less Σ x²: what products of two different rows of a cluster add up to. */
function pairsWithin(x: Float64Array, { codes, count }: Clusters): number {
  const sums = new Float64Array(count);
  let square = 0;
  for (let i = 0; i < x.length; i++) {
    const at = codes[i] as number;
    sums[at] = (sums[at] as number) + (x[i] as number);
    square += (x[i] as number) ** 2;
  }
  return sums.reduce((total, sum) => total + sum ** 2, 0) - square;
}

const spreadOf = (p: number) => p * (1 - p);

/** Variance of what the rows of one cluster share on the logit, by moments of the labelled rows' residuals. */
function sharedVariance({ score, y, clusters }: ExpectedMetricInput['known'], fit: IsotonicFit): number {
  if (clusters === null || clusters.count < 2) return 0;
  const p = Float64Array.from(score, (one) => fit.rates[blockOf(fit, one)] as number);
  const residual = p.map((one, i) => (y[i] as number) - one);
  const possible = pairsWithin(p.map(spreadOf), clusters);
  return possible > 0 ? Math.max(0, pairsWithin(residual, clusters) / possible) : 0;
}
