import { type Clusters, compareInfluence, type LinearEstimate } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import type { Weights } from './ratio.ts';
import { countBelow, countUpTo } from './sorted.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';
import { satterthwaite } from './unit-spread.ts';
import { effectiveRows, type Unseen, unseenAmong } from './unseen.ts';

/** Labels (1 positive, 0 negative) and one score column. */
export interface Scored {
  readonly y: ArrayLike<number>;
  readonly score: Float64Array;
  readonly weights: Weights;
}

/**
 * Structural components of the AUC: for a positive row the share of negatives (by weight) that it outranks, ties
 * as half; for a negative row the share of positives that outrank it. `auc` is the mean of either kind.
 */
export interface AucComponents {
  readonly auc: number;
  readonly components: Float64Array;
  readonly positives: number;
  readonly negatives: number;
  readonly positiveWeight: number;
  readonly negativeWeight: number;
}

/** O(n log n): each class's scores are sorted once, each row is placed among the other class by binary search. */
export function aucComponents({ y, score, weights }: Scored): AucComponents | Undefined {
  const n = score.length;
  if (n === 0) return undefinedBecause('empty', 'no rows');
  let positives = 0;
  for (let i = 0; i < n; i++) {
    if (y[i] !== 0 && y[i] !== 1)
      return undefinedBecause('out_of_range', `row ${i + 1}: label ${y[i]} is not 0 or 1`);
    if (Number.isNaN(score[i]))
      return undefinedBecause('not_finite', `row ${i + 1}: the score is not a number`);
    if (y[i] === 1) positives++;
  }
  if (positives === 0 || positives === n)
    return undefinedBecause('one_class', `${positives} of ${n} rows positive: the AUC does not exist`);
  const high = sortedClass({ y, score, weights }, 1, positives);
  const low = sortedClass({ y, score, weights }, 0, n - positives);
  if (!(high.total > 0) || !(low.total > 0)) return undefinedBecause('zero_weight', 'a class has no weight');
  const components = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const positive = y[i] === 1;
    const below = placement(positive ? low : high, score[i] as number);
    components[i] = positive ? below : 1 - below;
    if (positive) sum += (weights === null ? 1 : (weights[i] as number)) * below;
  }
  return {
    auc: sum / high.total,
    components,
    positives,
    negatives: n - positives,
    positiveWeight: high.total,
    negativeWeight: low.total,
  };
}

/** AUC with influence w (component − auc) / (weight of the row's class), for weights and clusters (Obuchowski 1997). */
export function aucInfluence(data: Scored): LinearEstimate | Undefined {
  const parts = aucComponents(data);
  if (isUndefined(parts)) return parts;
  const psi = new Float64Array(data.score.length);
  const share = new Float64Array(data.score.length);
  for (let i = 0; i < psi.length; i++) {
    const w = data.weights === null ? 1 : (data.weights[i] as number);
    share[i] = w / (data.y[i] === 1 ? parts.positiveWeight : parts.negativeWeight);
    psi[i] = (share[i] as number) * ((parts.components[i] as number) - parts.auc);
  }
  return { value: parts.auc, psi, share, strata: { codes: Int32Array.from(data.y), count: 2 } };
}

/** DeLong's comparison with the covariance matrix of the two AUCs. */
export interface DeLongEstimate extends PairedEstimate {
  readonly varianceA: number;
  readonly varianceB: number;
  readonly covariance: number;
}

/** Labels and the scores of both models on the same rows. */
export interface PairedScores {
  readonly y: ArrayLike<number>;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/**
 * Paired comparison of two AUCs: cov = S₁₀/m + S₀₁/k, S the sample covariances of the components over the m
 * positives and k negatives; normal. The spread is that of two samples, df by Satterthwaite over both classes.
 *
 * Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44:837-845; Sun & Xu (2014), IEEE Signal Process.
 * Lett. 21:1389-1393.
 */
export function delong({ y, a, b }: PairedScores): DeLongEstimate | Undefined {
  const first = aucComponents({ y, score: a, weights: null });
  if (isUndefined(first)) return first;
  const second = aucComponents({ y, score: b, weights: null });
  if (isUndefined(second)) return second;
  const { positives: m, negatives: k } = first;
  if (m < 2 || k < 2)
    return undefinedBecause('too_few_rows', `${m} positives and ${k} negatives: 2 of each are needed`);
  const s = { a: [0, 0], b: [0, 0], ab: [0, 0], d: [0, 0] };
  const difference = second.auc - first.auc;
  for (let i = 0; i < a.length; i++) {
    const side = y[i] === 1 ? 0 : 1;
    const u = (first.components[i] as number) - first.auc;
    const v = (second.components[i] as number) - second.auc;
    s.a[side]! += u * u;
    s.b[side]! += v * v;
    s.ab[side]! += u * v;
    s.d[side]! += (v - u) ** 2;
  }
  const combine = ([p = 0, q = 0]: number[]) => p / (m - 1) / m + q / (k - 1) / k;
  let cube = 0;
  for (let i = 0; i < a.length; i++) {
    const size = y[i] === 1 ? m : k;
    const own = (second.components[i] as number) - (first.components[i] as number) - difference;
    cube += (own / (size - 1)) ** 3;
  }
  const variance = combine(s.d);
  const se = Math.sqrt(variance);
  const parts = [
    { variance: combine([s.d[0] as number]), df: m - 1 },
    { variance: combine([0, s.d[1] as number]), df: k - 1 },
  ];
  return {
    method: 'delong',
    n: a.length,
    clusters: null,
    estimateA: first.auc,
    estimateB: second.auc,
    diff: difference,
    se,
    df: null,
    spread: { se, df: satterthwaite(parts), skewness: variance > 0 ? cube / variance ** 1.5 : 0 },
    varianceA: combine(s.a),
    varianceB: combine(s.b),
    covariance: combine(s.ab),
    ...unseenOfClasses({
      y,
      weights: null,
      psi: second.components.map(
        (own, i) => (own - (first.components[i] as number) - difference) / (y[i] === 1 ? m : k),
      ),
    }),
  };
}

/**
 * A row moves the AUC by its share of its class at the worst: each class is asked for the rows that carry the
 * difference. `psi` are the rows' influences on it.
 */
export function unseenOfClasses(input: {
  readonly y: ArrayLike<number>;
  readonly weights: Weights;
  readonly psi: Float64Array;
}): { unseen: Unseen } | Record<string, never> {
  const { y, weights, psi } = input;
  return unseenAmong(
    [1, 0].map((label) => {
      const own = (values: Float64Array | null) => values?.filter((_, i) => y[i] === label) ?? null;
      const influence = own(psi) as Float64Array;
      return { influence, rows: effectiveRows(influence.length, own(weights)), effect: 1 };
    }),
  );
}

/** AUC comparison with row weights or clusters, by influence values. */
export function compareAuc(
  input: PairedScores & { readonly weights: Weights; readonly clusters: Clusters | null },
): PairedEstimate | Undefined {
  const { y, weights, clusters } = input;
  if (weights === null && clusters === null) return delong(input);
  const a = aucInfluence({ y, score: input.a, weights });
  if (isUndefined(a)) return a;
  const b = aucInfluence({ y, score: input.b, weights });
  if (isUndefined(b)) return b;
  const compared = compareInfluence({ a, b, clusters, higherIsBetter: true });
  if (isUndefined(compared)) return compared;
  const psi = b.psi.map((own, i) => own - (a.psi[i] as number));
  return { ...compared, ...unseenOfClasses({ y, weights, psi }) };
}

interface SortedClass {
  readonly scores: Float64Array;
  /** Running weight, one longer than scores; null without weights. */
  readonly running: Float64Array | null;
  readonly total: number;
}

function sortedClass({ y, score, weights }: Scored, label: number, size: number): SortedClass {
  const scores = new Float64Array(size);
  const rows = new Int32Array(weights === null ? 0 : size);
  for (let i = 0, k = 0; i < score.length; i++) {
    if (y[i] !== label) continue;
    if (weights !== null) rows[k] = i;
    scores[k++] = score[i] as number;
  }
  if (weights === null) return { scores: scores.sort(), running: null, total: size };
  rows.sort((p, q) => (score[p] as number) - (score[q] as number));
  const running = new Float64Array(size + 1);
  for (let k = 0; k < size; k++) {
    const row = rows[k] as number;
    scores[k] = score[row] as number;
    running[k + 1] = (running[k] as number) + (weights[row] as number);
  }
  return { scores, running, total: running[size] as number };
}

/** Share of the class (by weight) below x, ties as half. */
function placement({ scores, running, total }: SortedClass, x: number): number {
  const low = countBelow(scores, x);
  const end = scores[low] === x ? countUpTo(scores, x, low) : low;
  if (running === null) return (low + end) / (2 * total);
  return ((running[low] as number) + (running[end] as number)) / (2 * total);
}
