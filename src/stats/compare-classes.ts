import { type BinaryMetric, binaryMetric, type ClassPredictions, classMean } from './classification.ts';
import { type Clusters, compareInfluence } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import type { Weights } from './ratio.ts';
import { isUndefined, type Undefined } from './undefined.ts';
import { type RowSet, type Unseen, unseenAmong } from './unseen.ts';

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
  const compared = compareInfluence({ a, b, clusters, higherIsBetter: true });
  if (isUndefined(compared)) return compared;
  const difference = b.psi.map((own, i) => own - (a.psi[i] as number));
  // precision and F1 divide by what a model predicts: rows of its own, which the other's cannot speak for
  const divides = metric !== 'recall' && metric !== 'balanced_accuracy';
  const sets = [a, b].flatMap(({ psi }, model) =>
    rowSets(metric, { y, predicted: predicted[model] as ArrayLike<number>, weights }, [
      difference,
      ...(divides ? [psi] : []),
    ]),
  );
  return { ...compared, ...unseenAmong(sets) };
}

/** The rows over which a class metric of one model averages, with each of the influences given for all rows. */
export function rowSets(
  metric: ClassMetric,
  data: ClassPredictions,
  influences: readonly Float64Array[],
): RowSet[] {
  const byClass = metric === 'balanced_accuracy';
  return limits(metric, data).flatMap(({ of, rows, effect }) =>
    influences.map((influence) => ({
      rows,
      effect,
      influence: byClass ? ofClass(influence, data.y, of) : influence,
    })),
  );
}

function ofClass(values: Float64Array, y: ArrayLike<number>, label: number): Float64Array {
  const out = new Float64Array(values.length);
  let size = 0;
  for (let i = 0; i < values.length; i++) if (y[i] === label) out[size++] = values[i] as number;
  return out.subarray(0, size);
}

/** Sum of weights and of their squares. */
class Weight {
  sum = 0;
  square = 0;

  add(weight: number): void {
    this.sum += weight;
    this.square += weight * weight;
  }

  addAll(other: Weight): void {
    this.sum += other.sum;
    this.square += other.square;
  }

  /** Kish's effective number. */
  get rows(): number {
    return this.square > 0 ? this.sum ** 2 / this.square : 0;
  }
}

interface ClassCount {
  truth: Weight;
  guess: Weight;
  /** Rows of the class or predicted so. */
  either: Weight;
}

/**
 * What one model's unseen rows can do. A row moves recall by 1/positives, precision by 1/predicted, F1 by at most
 * 2/(2tp + fp + fn); a mean over K classes by a K-th of that, macro F1 in two classes at once.
 */
function limits(metric: ClassMetric, data: ClassPredictions): (Unseen & { of: number })[] {
  const counts = countClasses(data);
  const classes = metric === 'balanced_accuracy' || metric === 'macro_f1' ? [...counts.keys()] : [1];
  const known = classes.filter((one) => (counts.get(one)?.truth.sum ?? 0) > 0);
  return (metric === 'precision' ? classes : known).flatMap((of) => {
    const count = counts.get(of);
    if (count === undefined) return [];
    const { truth, guess, either } = count;
    const rate = either.sum / (truth.sum + guess.sum);
    switch (metric) {
      case 'recall':
        return { of, rows: truth.rows, effect: 1 };
      case 'precision':
        return { of, rows: guess.rows, effect: 1 };
      case 'balanced_accuracy':
        return { of, rows: truth.rows, effect: 1 / known.length };
      case 'f1':
        return { of, rows: either.rows, effect: 2 * rate };
      default:
        return { of, rows: either.rows, effect: (4 * rate) / counts.size };
    }
  });
}

function countClasses({ y, predicted, weights }: ClassPredictions): Map<number, ClassCount> {
  const counts = new Map<number, ClassCount>();
  const at = (one: number): ClassCount => {
    const known = counts.get(one);
    if (known !== undefined) return known;
    const fresh = { truth: new Weight(), guess: new Weight(), either: new Weight() };
    counts.set(one, fresh);
    return fresh;
  };
  for (const [truth, guesses] of confusion({ y, predicted, weights })) {
    for (const [guess, cell] of guesses) {
      at(truth).truth.addAll(cell);
      at(truth).either.addAll(cell);
      at(guess).guess.addAll(cell);
      if (guess !== truth) at(guess).either.addAll(cell);
    }
  }
  return counts;
}

/** Weights by true and predicted class; a row like the one before it is not looked up. */
function confusion({ y, predicted, weights }: ClassPredictions): Map<number, Map<number, Weight>> {
  const rows = new Map<number, Map<number, Weight>>();
  let truth = Number.NaN;
  let guess = Number.NaN;
  let cell = new Weight();
  for (let i = 0; i < y.length; i++) {
    if (y[i] !== truth || predicted[i] !== guess) {
      truth = y[i] as number;
      guess = predicted[i] as number;
      const row = rows.get(truth) ?? new Map<number, Weight>();
      cell = row.get(guess) ?? new Weight();
      rows.set(truth, row.set(guess, cell));
    }
    cell.add(weights === null ? 1 : (weights[i] as number));
  }
  return rows;
}
