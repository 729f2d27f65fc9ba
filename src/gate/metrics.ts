import { estimateCalibration } from '../stats/calibration-error.ts';
import { atThreshold, binaryMetric, classMean } from '../stats/classification.ts';
import { compareMetric } from '../stats/compare-metric.ts';
import { halfWidths } from '../stats/deciding-bounds.ts';
import { aucInfluence } from '../stats/delong.ts';
import { type Clusters, influenceError, type LinearEstimate } from '../stats/influence.ts';
import { rowLosses } from '../stats/losses.ts';
import { estimateNdcg } from '../stats/ndcg.ts';
import type { PairedEstimate } from '../stats/paired-estimate.ts';
import { pairedMean } from '../stats/paired-mean.ts';
import { pairedRatio } from '../stats/paired-ratio.ts';
import { ratioOfSums, transformed, weightedMean } from '../stats/ratio.ts';
import { isUndefined, type Undefined, undefinedBecause } from '../stats/undefined.ts';
import { type UnitSpread, unitSpread } from '../stats/unit-spread.ts';
import type { Unseen } from '../stats/unseen.ts';
import { type AggregateSamples, compareAggregate, estimateAggregate } from './aggregate-metric.ts';
import { isKnownMetric, type KnownMetric } from './policy.ts';
import { smallerIsBetter } from './policy-metrics.ts';
import type { RowLosses, Scores } from './scores.ts';
import { unseenOfCandidate } from './unseen-candidate.ts';

/** Which metric, and the probability from which a row counts as positive. */
export interface MetricChoice {
  metric: string;
  /** 0.5 unless said. */
  threshold?: number | undefined;
  /** Places of a ranking that count for ndcg; 10 unless said. */
  k?: number | undefined;
  /** Of a metric of the policy's own: lower unless said. */
  higher_is_better?: boolean | undefined;
}

/** The rows of one slice; `losses` only when the metric has SQL over the row, `aggregate` only on all rows. */
export interface MetricRows {
  label: Float64Array;
  candidate: Float64Array;
  champion: Float64Array | null;
  clusters: Clusters | null;
  losses: RowLosses | undefined;
  aggregate?: AggregateSamples | undefined;
}

/** All rows, as one metric needs them. */
export function metricRows(scores: Scores, metric: string): MetricRows {
  const { label, candidate, champion, clusters } = scores;
  return {
    label,
    candidate,
    champion,
    clusters,
    losses: scores.losses.get(metric),
    aggregate: scores.aggregates?.get(metric),
  };
}

/** The rows with the given indices. Clusters are numbered afresh. */
export function selectRows(rows: MetricRows, indices: Int32Array): MetricRows {
  return { ...selectScores(rows, indices), losses: selectLosses(rows.losses, indices) };
}

/** What all metrics share of the rows with the given indices. */
export function selectScores(
  { label, candidate, champion, clusters }: Omit<MetricRows, 'losses'>,
  indices: Int32Array,
): Omit<MetricRows, 'losses'> {
  return {
    label: pick(label, indices),
    candidate: pick(candidate, indices),
    champion: champion && pick(champion, indices),
    clusters: clusters && recode(clusters.codes, indices, clusters.count),
  };
}

/** A metric's own values of the rows with the given indices. */
export function selectLosses(losses: RowLosses | undefined, indices: Int32Array): RowLosses | undefined {
  if (losses === undefined) return undefined;
  const { denominators } = losses;
  return {
    ...pickBoth(losses, indices),
    ...(denominators === undefined ? {} : { denominators: pickBoth(denominators, indices) }),
  };
}

function pick(values: Float64Array, indices: Int32Array): Float64Array {
  const out = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++) out[i] = values[indices[i] as number] as number;
  return out;
}

function pickBoth({ candidate, champion }: Pick<RowLosses, 'candidate' | 'champion'>, indices: Int32Array) {
  return { candidate: pick(candidate, indices), champion: champion && pick(champion, indices) };
}

function recode(codes: Int32Array, indices: Int32Array, count: number): Clusters {
  const fresh = new Int32Array(count).fill(-1);
  const out = new Int32Array(indices.length);
  let next = 0;
  for (let i = 0; i < indices.length; i++) {
    const old = codes[indices[i] as number] as number;
    if (fresh[old] === -1) fresh[old] = next++;
    out[i] = fresh[old] as number;
  }
  return { codes: out, count: next };
}

/** Whether a smaller value of the metric of this name is better; business metrics are costs. */
export const lowerIsBetter = (metric: string): boolean => smallerIsBetter({ metric });

/** The paired comparison of candidate (B) with champion (A). */
export function compareRows(choice: MetricChoice, rows: MetricRows): PairedEstimate | Undefined {
  const { label, candidate, champion, clusters, losses, aggregate } = rows;
  if (champion === null) return undefinedBecause('empty', 'there is no champion');
  if (isKnownMetric(choice.metric)) {
    const { threshold = 0.5, k: places = 10 } = choice;
    const data = { y: label, a: champion, b: candidate, clusters, threshold, places };
    return compareMetric(choice.metric, data);
  }
  const higherIsBetter = !smallerIsBetter(choice);
  if (aggregate !== undefined) return compareAggregate(aggregate, higherIsBetter);
  if (losses?.champion == null)
    return undefinedBecause('empty', `${choice.metric} is not computed on these rows`);
  const { denominators } = losses;
  if (denominators === undefined)
    return pairedMean({ a: losses.champion, b: losses.candidate, weights: null, clusters, higherIsBetter });
  if (denominators.champion === null) return undefinedBecause('empty', 'there is no champion');
  return pairedRatio({
    a: { numerator: losses.champion, denominator: denominators.champion },
    b: { numerator: losses.candidate, denominator: denominators.candidate },
    weights: null,
    clusters,
    higherIsBetter,
  });
}

/** A metric of one model alone. */
export interface SingleEstimate {
  value: number;
  se: number;
  df: number;
  n: number;
  clusters: number | null;
  /** How the value rests on its rows or clusters. */
  spread?: UnitSpread;
  /** Where so few rows carry the error that the standard error says nothing: what unseen rows could do. */
  unseen?: Unseen;
}

/** The candidate's value with its standard error, from the metric's influence values. */
export function estimateCandidate(choice: MetricChoice, rows: MetricRows): SingleEstimate | Undefined {
  if (rows.aggregate !== undefined) return estimateAggregate(rows.aggregate);
  const linear = linearEstimate(choice, rows);
  if (isUndefined(linear)) return linear;
  const error = influenceError(linear.psi, rows.clusters);
  if (isUndefined(error)) return error;
  const own = unitSpread({ a: null, b: linear, clusters: rows.clusters });
  // of the calibration error the second order too, which is all that is left where a model is calibrated
  const widen = (se: number) => Math.hypot(se, Math.sqrt(linear.more ?? 0));
  return {
    value: linear.value,
    n: linear.psi.length,
    ...error,
    se: widen(error.se),
    spread: { ...own, se: widen(own.se) },
    ...unseenOfCandidate(choice, rows, linear),
  };
}

/** The one-sided bound of an estimate at level 1 − alpha, which holds on few rows and uneven clusters too. */
export function boundOf(estimate: SingleEstimate, side: 'low' | 'high', alpha: number): number {
  const half = halfWidths(estimate, alpha);
  return side === 'low' ? estimate.value - half.low : estimate.value + half.high;
}

function linearEstimate(
  choice: MetricChoice,
  rows: MetricRows,
): (LinearEstimate & { readonly more?: number }) | Undefined {
  if (!isKnownMetric(choice.metric)) {
    const { losses } = rows;
    if (losses === undefined)
      return undefinedBecause('empty', `${choice.metric} is not computed on these rows`);
    return losses.denominators === undefined
      ? weightedMean(losses.candidate, null)
      : ratioOfSums({
          numerator: losses.candidate,
          denominator: losses.denominators.candidate,
          weights: null,
        });
  }
  const metric: KnownMetric = choice.metric;
  const { label: y, candidate: score } = rows;
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i]) || !Number.isFinite(score[i]))
      return undefinedBecause(
        'not_finite',
        `row ${i + 1} has a label or prediction that is not a finite number`,
      );
  }
  const mean = (loss: Parameters<typeof rowLosses>[0]) => {
    const losses = rowLosses(loss, { y, prediction: score });
    return isUndefined(losses) ? losses : weightedMean(losses, null);
  };
  switch (metric) {
    case 'log_loss':
    case 'brier':
      return mean(metric);
    case 'mae':
      return mean('absolute');
    case 'mape':
      return mean('absolute_percentage');
    case 'mse':
      return mean('squared');
    case 'rmse': {
      const squares = mean('squared');
      if (isUndefined(squares)) return squares;
      return transformed(squares, { value: Math.sqrt, derivative: (x) => (x > 0 ? 0.5 / Math.sqrt(x) : 0) });
    }
    case 'auc':
      return aucInfluence({ y, score, weights: null });
    case 'ndcg':
      return estimateNdcg({ y, score, queries: rows.clusters, places: choice.k ?? 10 });
    case 'calibration_error':
      return estimateCalibration(y, score);
    default: {
      if (!y.every((value) => value === 0 || value === 1))
        return undefinedBecause('out_of_range', `${metric} at a threshold needs labels of 0 and 1`);
      const predicted = atThreshold(score, choice.threshold ?? 0.5);
      const data = { y, predicted, weights: null };
      if (metric === 'accuracy') {
        return weightedMean(
          Float64Array.from(predicted, (guess, i) => (guess === y[i] ? 1 : 0)),
          null,
        );
      }
      if (metric === 'balanced_accuracy') return classMean('recall', data);
      if (metric === 'macro_f1') return classMean('f1', data);
      return binaryMetric(metric, data);
    }
  }
}
