import { compareCalibration } from './calibration-error.ts';
import { atThreshold } from './classification.ts';
import { type ClassMetric, compareClasses } from './compare-classes.ts';
import { compareAuc } from './delong.ts';
import { type Clusters, compareInfluence, type LinearEstimate } from './influence.ts';
import { type RowLoss, rowLosses } from './losses.ts';
import { compareNdcg } from './ndcg.ts';
import type { Discordant, PairedEstimate } from './paired-estimate.ts';
import { pairedMean } from './paired-mean.ts';
import { LOSSES, type PairedMetric } from './paired-metrics.ts';
import { transformed, type Weights, weightedMean } from './ratio.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';
import { unseenOfLosses } from './unseen.ts';

/** Target and the two models' predictions for the same rows; all columns have one length. */
export interface PairedPredictions {
  /** 0/1 for binary metrics, class codes with `classes`, else the target's value. */
  readonly y: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly weights?: Weights;
  /** Rows that belong together (a day, a customer); for ndcg the rows of one query. */
  readonly clusters?: Clusters | null;
  /** Places of a ranking that count for ndcg; 10 unless said. */
  readonly places?: number;
  /** Of the methods that draw random numbers (method 'bootstrap'); 0 unless said. */
  readonly seed?: number;
  /** Score from which a row is predicted positive; 0.5 unless said. */
  readonly threshold?: number;
  /** True where a and b hold predicted class codes instead of scores. */
  readonly classes?: boolean;
}

/** Compares a metric of B with that of A on the same rows. */
export function compareMetric(metric: PairedMetric, data: PairedPredictions): PairedEstimate | Undefined {
  const { y, a, b, weights = null, clusters = null } = data;
  const problem = checkColumns(data);
  if (problem) return problem;
  if (metric === 'auc') return compareAuc({ y, a, b, weights, clusters });
  if (metric === 'ndcg')
    return compareNdcg({ y, a, b, weights, queries: clusters, places: data.places ?? 10 });
  if (metric === 'calibration_error')
    return compareCalibration({ y, a, b, weights, clusters, seed: data.seed ?? 0 });
  const loss = LOSSES[metric];
  if (loss) return compareLoss(metric, loss, data);
  const classOf = (scores: Float64Array) =>
    data.classes ? scores : atThreshold(scores, data.threshold ?? 0.5);
  const predicted = [classOf(a), classOf(b)] as const;
  if (!data.classes && !y.every((v) => v === 0 || v === 1))
    return undefinedBecause('out_of_range', `${metric} at a threshold needs targets of 0 and 1`);
  if (metric === 'accuracy') return compareAccuracy({ y, predicted, weights, clusters });
  return compareClasses(metric as ClassMetric, { y, predicted, weights, clusters });
}

function compareLoss(
  metric: PairedMetric,
  loss: RowLoss,
  data: PairedPredictions,
): PairedEstimate | Undefined {
  const { y, weights = null, clusters = null } = data;
  const a = rowLosses(loss, { y, prediction: data.a });
  if (isUndefined(a)) return a;
  const b = rowLosses(loss, { y, prediction: data.b });
  if (isUndefined(b)) return b;
  if (metric !== 'rmse') {
    const scale = loss === 'log_loss' || loss === 'brier' ? { floor: 1 } : { targets: y };
    return pairedMean({ a, b, weights, clusters, higherIsBetter: false, ...scale });
  }
  const first = rootMean(a, weights);
  if (isUndefined(first)) return first;
  const second = rootMean(b, weights);
  if (isUndefined(second)) return second;
  const compared = compareInfluence({ a: first, b: second, clusters, higherIsBetter: false });
  if (isUndefined(compared)) return compared;
  // mean squares that rise by s lift their root from r to √(r² + s)
  const root = Math.min(first.value, second.value);
  const change = (amount: number) => Math.sqrt(root ** 2 + amount) - root;
  const targets = y.map((value) => value * value);
  return { ...compared, ...unseenOfLosses({ a, b, weights, targets, change }) };
}

/** √mean(x) with influence ψ / (2√mean); a perfect model (mean 0) has no spread to first order. */
function rootMean(squares: Float64Array, weights: Weights): LinearEstimate | Undefined {
  const mean = weightedMean(squares, weights);
  if (isUndefined(mean)) return mean;
  return transformed(mean, { value: Math.sqrt, derivative: (x) => (x > 0 ? 0.5 / Math.sqrt(x) : 0) });
}

function compareAccuracy(input: {
  readonly y: Float64Array;
  readonly predicted: readonly [ArrayLike<number>, ArrayLike<number>];
  readonly weights: Weights;
  readonly clusters: Clusters | null;
}): PairedEstimate | Undefined {
  const { y, predicted, weights, clusters } = input;
  const a = hits(y, predicted[0]);
  const b = hits(y, predicted[1]);
  const compared = pairedMean({ a, b, weights, clusters, higherIsBetter: true, floor: 1 });
  if (isUndefined(compared) || weights !== null || clusters !== null) return compared;
  const discordant = countDiscordant(a, b);
  const { n } = discordant;
  const difference = (discordant.c - discordant.b) / n;
  const variance = (discordant.b + discordant.c) / n - difference * difference;
  // Tango's interval already counts the rows that were not seen
  const { unseen: _, ...rest } = compared;
  return {
    ...rest,
    method: 'mcnemar_midp+tango',
    diff: difference,
    se: Math.sqrt(Math.max(0, variance) / n),
    df: null,
    discordant,
  };
}

/** 1 where the predicted class is the true one, else 0. */
export function hits(y: ArrayLike<number>, predicted: ArrayLike<number>): Float64Array {
  const out = new Float64Array(y.length);
  for (let i = 0; i < y.length; i++) out[i] = predicted[i] === y[i] ? 1 : 0;
  return out;
}

/** Counts the rows on which exactly one of two 0/1 columns is 1: b, only A; c, only B. */
export function countDiscordant(a: ArrayLike<number>, b: ArrayLike<number>): Discordant {
  let onlyA = 0;
  let onlyB = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    if (a[i] === 1) onlyA++;
    else onlyB++;
  }
  return { b: onlyA, c: onlyB, n: a.length };
}

function checkColumns({ y, a, b, weights, clusters }: PairedPredictions): Undefined | null {
  const n = y.length;
  if (a.length !== n || b.length !== n) throw new RangeError('compareMetric: columns of unequal length');
  if ((weights && weights.length !== n) || (clusters && clusters.codes.length !== n))
    throw new RangeError('compareMetric: weights or clusters of unequal length');
  if (n === 0) return undefinedBecause('empty', 'no rows');
  if (n < 2) return undefinedBecause('too_few_rows', '1 row: a standard error needs at least 2');
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(y[i]) || !Number.isFinite(a[i]) || !Number.isFinite(b[i]))
      return undefinedBecause('not_finite', `row ${i + 1}: target ${y[i]}, A ${a[i]}, B ${b[i]}`);
    if (weights && !((weights[i] as number) >= 0 && Number.isFinite(weights[i])))
      return undefinedBecause(
        'out_of_range',
        `row ${i + 1}: weight ${weights[i]} is not a number of at least 0`,
      );
  }
  return null;
}
