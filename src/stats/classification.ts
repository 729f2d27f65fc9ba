import type { LinearEstimate } from './influence.ts';
import { ratioOfSums, type Weights } from './ratio.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';

/** Truth and predicted class of each row; any whole numbers (0 and 1 for the binary metrics). */
export interface ClassPredictions {
  readonly y: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  readonly weights: Weights;
}

/** Metrics of the positive class as ratios of sums. */
export type BinaryMetric = 'f1' | 'precision' | 'recall';

/** 1 where the score reaches the threshold, else 0. */
export function atThreshold(score: Float64Array, threshold: number): Uint8Array {
  const out = new Uint8Array(score.length);
  for (let i = 0; i < score.length; i++) out[i] = (score[i] as number) >= threshold ? 1 : 0;
  return out;
}

/**
 * f1 = 2tp / (2tp + fp + fn), precision = tp / (tp + fp), recall = tp / (tp + fn) of class `positive` (1 unless
 * said), with influence values. f1 and recall are undefined without true positives in the data, precision
 * without predicted ones.
 */
export function binaryMetric(
  metric: BinaryMetric,
  { y, predicted, weights }: ClassPredictions,
  positive = 1,
): LinearEstimate | Undefined {
  const n = y.length;
  const numerator = new Uint8Array(n);
  const denominator = new Uint8Array(n);
  let positives = 0;
  for (let i = 0; i < n; i++) {
    const truth = y[i] === positive ? 1 : 0;
    const guess = predicted[i] === positive ? 1 : 0;
    positives += truth;
    const hit = truth & guess;
    numerator[i] = metric === 'f1' ? 2 * hit : hit;
    denominator[i] = metric === 'f1' ? truth + guess : metric === 'precision' ? guess : truth;
  }
  if (n === 0) return undefinedBecause('empty', 'no rows');
  if (metric !== 'precision' && positives === 0)
    return undefinedBecause('no_positives', `${metric} needs rows of the positive class`);
  const result = ratioOfSums({ numerator, denominator, weights });
  if (!isUndefined(result) || result.undefined !== 'zero_denominator') return result;
  return metric === 'precision'
    ? undefinedBecause('no_predicted_positives', 'precision needs rows predicted positive')
    : undefinedBecause('no_positives', `${metric} needs rows of the positive class with weight`);
}

/**
 * Balanced accuracy (mean recall over the classes of `y`) or macro F1 (mean F1 over the classes that occur in `y`
 * or are predicted), as scikit-learn computes them; `y` must hold two classes. A class that is predicted but does
 * not occur has F1 0 whatever happens to one row, so its influence is 0.
 */
export function classMean(metric: 'recall' | 'f1', data: ClassPredictions): LinearEstimate | Undefined {
  const own = valuesOf(data.y);
  if (own.size === 0) return undefinedBecause('empty', 'no rows');
  if (own.size === 1) return undefinedBecause('one_class', 'only one class occurs');
  const all = metric === 'f1' ? new Set([...own, ...valuesOf(data.predicted)]) : own;
  const psi = new Float64Array(data.y.length);
  const share = new Float64Array(data.y.length);
  const classes = [...own].sort((p, q) => p - q);
  let value = 0;
  for (const one of classes) {
    const part = binaryMetric(metric, data, one);
    if (isUndefined(part)) return part;
    value += part.value / all.size;
    // a row of two classes' F1 counts with the mean of its shares; recall's classes have rows of their own
    const scale = metric === 'f1' ? 1 / own.size : 1;
    const { psi: moves, share: counts = new Float64Array(psi.length) } = part;
    for (let i = 0; i < psi.length; i++) {
      psi[i] = (psi[i] as number) + (moves[i] as number) / all.size;
      share[i] = (share[i] as number) + scale * (counts[i] as number);
    }
  }
  if (metric === 'f1') return { value, psi, share };
  const places = new Map(classes.map((one, index) => [one, index]));
  const codes = new Int32Array(psi.length);
  for (let i = 0; i < codes.length; i++) codes[i] = places.get(data.y[i] as number) as number;
  return { value, psi, share, strata: { codes, count: classes.length } };
}

/** The different values; rows in a row with the same one are looked up once. */
function valuesOf(values: ArrayLike<number>): Set<number> {
  const found = new Set<number>();
  let last: number | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value !== last) found.add(value);
    last = value;
  }
  return found;
}
