import type { Verdict } from '../outcome.ts';
import { normalQuantile, tQuantile } from '../stats/distributions.ts';
import {
  addTrainingNoise,
  conclude,
  type PairedEstimate,
  type TrainingNoise,
} from '../stats/paired-estimate.ts';
import { isUndefined, type Undefined } from '../stats/undefined.ts';
import type { Check, CheckInput } from './check.ts';
import { formatCount, formatInterval, formatValue, plural } from './numbers.ts';
import type { Margin } from './policy.ts';

/** What is asked of one comparison of candidate and champion. */
export interface Comparison {
  /** For sentences: `auc`. */
  name: string;
  /** Whether a smaller value of the metric is better (losses, errors, costs). */
  lowerIsBetter: boolean;
  /** From `stats`; A is the champion, B the candidate. */
  estimate: PairedEstimate | Undefined;
  margin: Margin | null;
  require: 'non-inferior' | 'superior';
  /** With superior: how much better; null or left out: by more than nothing. */
  gain?: Margin | null;
  alpha: number;
  power: number;
  /** Spread of the metric between trainings of one recipe; null when it is not known. */
  noise: TrainingNoise | null;
}

/** The fields of a check that a comparison decides. */
export type Decision = Omit<CheckInput, 'id' | 'kind' | 'title' | 'effect'>;

/**
 * The three-way rule. With low and high the one-sided 1 − alpha bounds of the paired difference (higher is
 * better): non-inferior passes iff low > −margin and fails iff high < 0; superior passes iff low > gain and
 * fails iff high < gain, where the gain is 0 unless the policy asks for more; else it is inconclusive. So an equal model is blocked, and a loss of a whole margin passed, in a share alpha of runs.
 * What is not defined on these data never passes.
 */
export function decideComparison(comparison: Comparison): Decision {
  const { name, estimate, noise } = comparison;
  if (isUndefined(estimate)) {
    return { verdict: 'inconclusive', reason: `${name} does not exist on these rows: ${estimate.detail}.` };
  }
  const margin = absoluteMargin(comparison.margin, estimate.estimateA);
  const options = { alpha: comparison.alpha, power: comparison.power, margin };
  const fixed = conclude(estimate, options);
  const judged = noise === null ? estimate : addTrainingNoise(estimate, noise);
  const { boundLow, boundHigh, deciding } = noise === null ? fixed : conclude(judged, options);
  const { pWorse, mde80 } = deciding;
  const gain = comparison.gain == null ? 0 : absoluteMargin(comparison.gain, estimate.estimateA);
  const decided = threeWay({ low: boundLow, high: boundHigh, margin, require: comparison.require, gain });
  const verdict = fewClusters(estimate) === null ? decided : 'inconclusive';
  const rowsNeeded = margin === null ? null : rowsFor(margin, { comparison, estimate, mde: mde80 });
  return {
    verdict,
    reason: reasonFor({
      comparison,
      estimate,
      verdict,
      margin,
      gain,
      low: boundLow,
      high: boundHigh,
      rowsNeeded,
    }),
    champion: estimate.estimateA,
    candidate: estimate.estimateB,
    diff: estimate.diff,
    se: judged.se,
    low: boundLow,
    high: boundHigh,
    margin,
    method: estimate.method,
    n: estimate.n,
    clusters: estimate.clusters,
    p: pWorse,
    mde: mde80,
    rows_needed: rowsNeeded,
    ...(noise === null
      ? {}
      : {
          noise: {
            sd: noise.sd,
            replicates: noise.df === null ? null : noise.df + 1,
            fixed_low: fixed.boundLow,
            fixed_high: fixed.boundHigh,
          },
        }),
  };
}

/** Fewer clusters than this say too little of the spread between clusters to decide anything. */
export const clustersNeeded = 10;

/**
 * Why the clusters are too few to decide, as a part of a sentence; null where they are not, or rows are independent.
 * Clusters of uneven size count fully: the bounds know what they weigh (stats/unit-spread.ts).
 */
export function fewClusters({ clusters }: Pick<PairedEstimate, 'clusters'>): string | null {
  if (clusters === null || clusters >= clustersNeeded) return null;
  return `${plural(clusters, 'cluster')} are too few to decide: at least ${clustersNeeded} are needed`;
}

/** The rule alone, on bounds of a difference for which higher is better. NaN never passes. */
export function threeWay(input: {
  low: number;
  high: number;
  /** > 0; null where none is set. */
  margin: number | null;
  require: 'non-inferior' | 'superior';
  /** Wanted by superior, ≥ 0; null where a share of nothing was asked for. */
  gain?: number | null;
}): Verdict {
  const { low, high, margin, require, gain = 0 } = input;
  if (require === 'superior') {
    if (gain === null) return 'inconclusive';
    return low > gain ? 'pass' : high < gain ? 'fail' : 'inconclusive';
  }
  if (margin !== null && low > -margin) return 'pass';
  return high < 0 ? 'fail' : 'inconclusive';
}

/** A margin in the metric's unit: a percentage is one of the champion's value. Null when it comes to nothing. */
export function absoluteMargin(margin: Margin | null, champion: number): number | null {
  if (margin === null) return null;
  const value = typeof margin === 'number' ? margin : (Number.parseFloat(margin) / 100) * Math.abs(champion);
  return value > 0 ? value : null;
}

/** Whether the difference is no larger than chance makes between two trainings of one recipe. */
export function withinNoise(diff: number, noise: TrainingNoise, alpha: number): boolean {
  return Math.abs(diff) <= tQuantile(1 - alpha, noise.df) * Math.SQRT2 * noise.sd;
}

/**
 * Rows at which a drop of the margin is seen with the stated power: n (mde / margin)². The variance of
 * retraining does not shrink with rows: with it, n se² / ((margin / q)² − 2 sd²), and null when even endless
 * rows would not do. q is the sum of the quantiles for alpha and power.
 */
function rowsFor(
  margin: number,
  { comparison, estimate, mde }: { comparison: Comparison; estimate: PairedEstimate; mde: number },
): number | null {
  const { noise, alpha, power } = comparison;
  if (noise === null || noise.sd === 0) return Math.ceil(estimate.n * (mde / margin) ** 2 - 1e-9);
  const q =
    noise.df === null
      ? normalQuantile(1 - alpha) + normalQuantile(power)
      : tQuantile(1 - alpha, noise.df) + tQuantile(power, noise.df);
  const room = (margin / q) ** 2 - 2 * noise.sd ** 2;
  return room > 0 ? Math.ceil((estimate.n * estimate.se ** 2) / room - 1e-9) : null;
}

function reasonFor(input: {
  comparison: Comparison;
  estimate: PairedEstimate;
  verdict: Verdict;
  margin: number | null;
  gain: number | null;
  low: number;
  high: number;
  rowsNeeded: number | null;
}): string {
  const { comparison, estimate, verdict, margin, gain, low, high, rowsNeeded } = input;
  const { name, noise, require } = comparison;
  const moved = movement(comparison, estimate);
  // a sentence speaks of the metric itself: of a loss that rose, not of a difference turned round
  const interval = comparison.lowerIsBetter ? formatInterval(-high, -low) : formatInterval(low, high);
  const wantsMore = require === 'superior' && gain !== 0;
  const limit = wantsMore
    ? `; a gain of ${gain === null ? 'a share of a champion at 0' : formatValue(gain)} is asked for`
    : margin === null
      ? ''
      : `; the margin is ${formatValue(margin)}`;
  const inside =
    noise !== null && estimate.diff !== 0 && withinNoise(estimate.diff, noise, comparison.alpha)
      ? ` The difference lies within the noise of retraining (sd ${formatValue(noise.sd)}).`
      : '';
  if (verdict === 'fail') return `${name} ${moved} ${interval}${limit}.${inside}`;
  if (verdict === 'pass') {
    const note = require === 'non-inferior' && high < 0 ? ' It is worse, but by less than the margin.' : '';
    return `${name} ${moved} ${interval}${limit}.${note}${inside}`;
  }
  const few = fewClusters(estimate);
  if (few !== null) return `${name} ${moved} ${interval}${limit}; ${few}.`;
  if (require === 'superior') {
    const more = wantsMore && gain !== null ? ` by ${formatValue(gain)}` : '';
    return `${name} ${moved} ${interval}: ${plural(estimate.n, 'row')} do not show that it is better${more}.${inside}`;
  }
  if (margin === null) {
    return `${name} ${moved} ${interval}: there is no margin to hold it against.${inside}`;
  }
  const wanted =
    rowsNeeded === null
      ? ` No number of rows tells a loss of ${formatValue(margin)} from that noise: a wider margin or an average of more trainings would.`
      : rowsNeeded > estimate.n
        ? ` About ${formatCount(rowsNeeded)} rows would tell a loss of ${formatValue(margin)} from none; there are ${formatCount(estimate.n)}.`
        : ' The loss may be near the margin: more rows would tell.';
  return `${name} ${moved} ${interval}${limit}, so it can be a loss or none.${inside}${wanted}`;
}

/** `fell by 0.071`: the metric's own direction, so that a loss "rose". */
function movement({ lowerIsBetter }: Comparison, { diff }: PairedEstimate): string {
  if (diff === 0) return 'did not change';
  const rose = diff > 0 !== lowerIsBetter;
  return `${rose ? 'rose' : 'fell'} by ${formatValue(Math.abs(diff))}`;
}

/** Kinds of checks that a poor model does not pass. Rules, size, latency and the like say nothing of that. */
const tellsQuality = new Set<Check['kind']>(['metric', 'critical_slice', 'floor', 'golden']);

export interface Overall {
  verdict: Verdict;
  /** The sentences that carry the verdict, the decisive first. */
  reasons: string[];
}

/**
 * Any blocking fail fails; else any blocking inconclusive is inconclusive; else pass, but only when at least one
 * blocking check showed how good the candidate is: nothing passes by silence, nor for being small and quick.
 */
export function decideOverall(checks: readonly Check[]): Overall {
  const blocking = checks.filter((one) => one.effect === 'blocks');
  const reasons = (verdict: Check['verdict']) =>
    blocking.filter((one) => one.verdict === verdict).map((one) => one.reason);
  const failed = reasons('fail');
  if (failed.length > 0) return { verdict: 'fail', reasons: failed };
  const open = reasons('inconclusive');
  if (open.length > 0) return { verdict: 'inconclusive', reasons: open };
  const passed = reasons('pass');
  if (blocking.some(({ kind, verdict }) => verdict === 'pass' && tellsQuality.has(kind)))
    return { verdict: 'pass', reasons: passed };
  const neutral = blocking.some((one) => one.verdict === 'neutral');
  return {
    verdict: 'inconclusive',
    reasons: [
      neutral
        ? 'There is no champion to compare with yet, and the policy has no floor and no golden cases that could show how good the candidate is.'
        : 'The policy has no check that blocks and shows how good the candidate is: a metric with a margin, a floor, or golden cases.',
    ],
  };
}
