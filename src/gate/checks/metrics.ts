import { atThreshold } from '../../stats/classification.ts';
import { countDiscordant } from '../../stats/compare-metric.ts';
import { isUndefined } from '../../stats/undefined.ts';
import { type Check, check } from '../check.ts';
import { decideComparison } from '../decide.ts';
import { compareRows, estimateCandidate, type MetricRows, metricRows } from '../metrics.ts';
import type { NoiseByMetric } from '../noise.ts';
import { formatValue } from '../numbers.ts';
import { type GatePolicy, isKnownMetric, type MetricPolicy } from '../policy.ts';
import { smallerIsBetter } from '../policy-metrics.ts';
import type { Scores } from '../scores.ts';

export type { NoiseByMetric };

/** One check a metric of the policy: candidate and champion on the same rows. */
export function metricChecks(scores: Scores, policy: GatePolicy, noise: NoiseByMetric): Check[] {
  return policy.metrics.map((metric) => metricCheck(metric, { scores, policy, noise }));
}

function metricCheck(
  metric: MetricPolicy,
  { scores, policy, noise }: { scores: Scores; policy: GatePolicy; noise: NoiseByMetric },
): Check {
  const name = metric.metric;
  const rows = metricRows(scores, name);
  const head = {
    id: `metric:${name}`,
    kind: 'metric' as const,
    title: name,
    effect: metric.role === 'information' ? ('informs' as const) : ('blocks' as const),
  };
  if (scores.champion === null) {
    const single = estimateCandidate(metric, rows);
    return check({
      ...head,
      verdict: 'neutral',
      reason: isUndefined(single)
        ? `There is no champion yet; ${name} does not exist on these rows: ${single.detail}.`
        : `There is no champion yet; ${name} is ${formatValue(single.value)}.`,
      ...(isUndefined(single) ? {} : { candidate: single.value, se: single.se, n: single.n }),
      clusters: isUndefined(single) ? null : single.clusters,
      margin: typeof metric.margin === 'number' ? metric.margin : null,
    });
  }
  const decision = decideComparison({
    name,
    lowerIsBetter: smallerIsBetter(metric),
    estimate: compareRows(metric, rows),
    margin: metric.margin ?? null,
    require: metric.require,
    gain: metric.gain ?? null,
    alpha: policy.alpha,
    power: policy.power,
    noise: noise.get(name) ?? null,
  });
  const flips = isKnownMetric(name) ? flipsOf(rows, metric.threshold ?? 0.5) : undefined;
  return check({ ...head, ...decision, ...(flips === undefined ? {} : { flips }) });
}

/**
 * Rows whose prediction at the threshold is right for one model alone; undefined unless labels are 0/1 and
 * both predictions are probabilities.
 */
export function flipsOf(rows: MetricRows, threshold: number): { b: number; c: number } | undefined {
  const { label, candidate, champion } = rows;
  if (champion === null) return undefined;
  const probability = (p: number) => p >= 0 && p <= 1;
  if (!label.every((y) => y === 0 || y === 1)) return undefined;
  if (!candidate.every(probability) || !champion.every(probability)) return undefined;
  const right = (scores: Float64Array) => {
    const guess = atThreshold(scores, threshold);
    for (let i = 0; i < guess.length; i++) guess[i] = guess[i] === label[i] ? 1 : 0;
    return guess;
  };
  const { b, c } = countDiscordant(right(champion), right(candidate));
  return { b, c };
}
