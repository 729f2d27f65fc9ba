import { type BinaryMetric, binaryMetric, type ClassPredictions, classMean } from './classification.ts';
import { type Clusters, compareInfluence } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import type { Weights } from './ratio.ts';
import { isUndefined, type Undefined } from './undefined.ts';
import { effectiveRows, type Unseen, widest } from './unseen.ts';

/** Metrics of predicted classes that are no mean over rows. */
export type ClassMetric = BinaryMetric | 'balanced_accuracy' | 'macro_f1';

/** Paired comparison of F1, precision, recall, balanced accuracy or macro F1 by influence values. */
export function compareClasses(
  metric: ClassMetric,
  input: {
    readonly y: Float64Array;
    readonly predicted: readonly [ArrayLike<number>, ArrayLike<number>];
    readonly weights: Weights;
    readonly clusters: Clusters | null;
  },
): PairedEstimate | Undefined {
  const { y, predicted, weights, clusters } = input;
  const estimate = (guess: ArrayLike<number>) => {
    const rows = { y, predicted: guess, weights };
    if (metric === 'balanced_accuracy') return classMean('recall', rows);
    if (metric === 'macro_f1') return classMean('f1', rows);
    return binaryMetric(metric, rows);
  };
  const a = estimate(predicted[0]);
  if (isUndefined(a)) return a;
  const b = estimate(predicted[1]);
  if (isUndefined(b)) return b;
  const unseen = () => widest(predicted.flatMap((guess) => limits(metric, { y, predicted: guess, weights })));
  return compareInfluence({ a, b, clusters, higherIsBetter: true, unseen });
}

interface ClassCount {
  truth: number;
  guess: number;
  /** Rows of the class or predicted so. */
  either: number;
}

/**
 * What one model's unseen rows can do. A row moves recall by 1/positives, precision by 1/predicted, F1 by at most
 * 2/(2tp + fp + fn); a mean over K classes by a K-th of that, macro F1 in two classes at once.
 */
function limits(metric: ClassMetric, data: ClassPredictions): Unseen[] {
  const counts = countClasses(data);
  const classes = metric === 'balanced_accuracy' || metric === 'macro_f1' ? [...counts.keys()] : [1];
  const known = classes.filter((one) => (counts.get(one)?.truth ?? 0) > 0);
  const share = effectiveRows(data.y.length, data.weights) / data.y.length;
  return (metric === 'precision' ? classes : known).map((one) => {
    const { truth, guess, either } = counts.get(one) ?? { truth: 0, guess: 0, either: 0 };
    switch (metric) {
      case 'recall':
        return { rows: truth * share, effect: 1 };
      case 'precision':
        return { rows: guess * share, effect: 1 };
      case 'balanced_accuracy':
        return { rows: truth * share, effect: 1 / known.length };
      case 'f1':
        return { rows: either * share, effect: (2 * either) / (truth + guess) };
      default:
        return { rows: either * share, effect: (4 * either) / (truth + guess) / counts.size };
    }
  });
}

function countClasses({ y, predicted }: ClassPredictions): Map<number, ClassCount> {
  const counts = new Map<number, ClassCount>();
  const at = (one: number): ClassCount => {
    const known = counts.get(one);
    if (known !== undefined) return known;
    const fresh = { truth: 0, guess: 0, either: 0 };
    counts.set(one, fresh);
    return fresh;
  };
  for (let i = 0; i < y.length; i++) {
    const truth = at(y[i] as number);
    const guess = at(predicted[i] as number);
    truth.truth++;
    truth.either++;
    guess.guess++;
    if (guess !== truth) guess.either++;
  }
  return counts;
}
