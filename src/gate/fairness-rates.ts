import { normalQuantile, tQuantile } from '../stats/distributions.ts';
import type { Clusters } from '../stats/influence.ts';
import { type Interval, newcombe, type Proportion, ratioInterval, wilson } from '../stats/proportion.ts';
import { weightedMean } from '../stats/ratio.ts';
import { isUndefined, type Undefined } from '../stats/undefined.ts';
import { unitSpread } from '../stats/unit-spread.ts';
import { fewClusters } from './decide.ts';

/** A rate, and why its clusters are too few to judge it by; null where they are not, or rows are independent. */
export interface Rate extends Proportion {
  few: string | null;
}

/**
 * Successes among the rows, as many independent rows as they are worth: where rows cluster, n is divided by
 * the design effect (Kish 1965, "Survey Sampling", 8.2), the variance of the clustered share over that of
 * independent rows, never below 1. The variance leaves each cluster out in turn, and t with its degrees of
 * freedom takes the place of the normal quantile at level `alpha` (Korn & Graubard 1998, Survey Methodology
 * 24:193-201). A rate of 0 or 1 has no such variance: its rows count as independent.
 */
export function rateOf(hits: Float64Array, clusters: Clusters | null, alpha = 0.05): Rate {
  const n = hits.length;
  const count = hits.reduce((sum, hit) => sum + hit, 0);
  const share = count / n;
  if (clusters === null || n === 0) return { count, n, few: null };
  const mean = weightedMean(hits, null);
  if (isUndefined(mean)) return { count, n, few: null };
  const { se, df } = unitSpread({ a: null, b: mean, clusters });
  const few = fewClusters({ clusters: new Set(clusters.codes).size });
  if (count === 0 || count === n) return { count, n, few };
  const widening = (tQuantile(1 - alpha, df) / normalQuantile(1 - alpha)) ** 2;
  const effect = Math.max(1, (widening * se ** 2) / ((share * (1 - share)) / n));
  return { count: count / effect, n: n / effect, few };
}

/**
 * Interval of the ratio of two rates, group over reference. Where a rate is 0 the log ratio does not exist:
 * then the ends of both rates' Wilson intervals bound it, which is wider.
 */
export function ratioOfRates(reference: Proportion, group: Proportion, alpha: number): Interval | Undefined {
  if (reference.count > 0 && group.count > 0) return ratioInterval(reference, group, alpha);
  const first = wilson(reference, alpha);
  if (isUndefined(first)) return first;
  const second = wilson(group, alpha);
  if (isUndefined(second)) return second;
  return {
    estimate: second.estimate / first.estimate,
    low: second.low / first.high,
    high: first.low > 0 ? second.high / first.low : Number.POSITIVE_INFINITY,
  };
}

/** What is asked of a group: that its effect lies within [least, most], judged on `interval`. */
export interface Band {
  least: number;
  most: number;
  /** Two-sided at level 1 − alpha. */
  interval(alpha: number): Interval | Undefined;
}

export const ratioBand = (reference: Proportion, group: Proportion, share: number): Band => ({
  least: share,
  most: 1 / share,
  interval: (alpha) => ratioOfRates(reference, group, alpha),
});

export const gapBand = (reference: Proportion, group: Proportion, gap: number): Band => ({
  least: -gap,
  most: gap,
  interval: (alpha) => newcombe(reference, group, alpha),
});

/**
 * The one-sided p-value of lying beyond the band: the level at which the interval just leaves it, found by
 * bisection; 1 when the estimate lies within.
 */
export function beyond(band: Band): number {
  const outside = (alpha: number) => {
    const interval = band.interval(2 * alpha);
    return !isUndefined(interval) && (interval.high < band.least || interval.low > band.most);
  };
  if (!outside(0.5 - 1e-9)) return 1;
  // in the logarithm, for p far below any alpha
  let [low, high] = [Math.log(1e-15), Math.log(0.5 - 1e-9)];
  if (outside(Math.exp(low))) return Math.exp(low);
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (outside(Math.exp(middle))) high = middle;
    else low = middle;
  }
  return Math.exp(high);
}
