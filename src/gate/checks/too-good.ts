import { isUndefined } from '../../stats/undefined.ts';
import { type Check, check } from '../check.ts';
import { compareRows, estimateCandidate, metricRows } from '../metrics.ts';
import type { NoiseByMetric } from '../noise.ts';
import { formatValue } from '../numbers.ts';
import type { GatePolicy } from '../policy.ts';
import { smallerIsBetter } from '../policy-metrics.ts';
import type { Scores } from '../scores.ts';

/**
 * What is too good to be true is a leak more often than a success: a metric at its ceiling, or a gain of many
 * standard deviations of retraining. Neither fails; a person looks, so both are inconclusive.
 */
export function tooGoodChecks(scores: Scores, policy: GatePolicy, noise: NoiseByMetric): Check[] {
  if (policy.leakage === undefined) return [];
  return [...ceilings(scores, policy), ...jumps(scores, policy, noise)];
}

const head = (part: string, metric: string, title: string) => ({
  id: `leakage:${part}:${metric}`,
  kind: 'leakage' as const,
  title: `${metric} ${title}`,
  effect: 'blocks' as const,
});

function ceilings(scores: Scores, policy: GatePolicy): Check[] {
  return Object.entries(policy.leakage?.ceiling ?? {}).map(([name, limit]) => {
    const metric = policy.metrics.find((one) => one.metric === name) ?? { metric: name };
    const estimate = estimateCandidate(metric, metricRows(scores, name));
    const fields = { ...head('ceiling', name, 'too good'), margin: limit, method: 'estimate' };
    if (isUndefined(estimate)) {
      const reason = `${name} does not exist on these rows: ${estimate.detail}.`;
      return check({ ...fields, verdict: 'inconclusive', reason });
    }
    const { value, n } = estimate;
    const plausible = smallerIsBetter(metric) ? value > limit : value < limit;
    return check({
      ...fields,
      verdict: plausible ? 'pass' : 'inconclusive',
      reason: plausible
        ? `${name} is ${formatValue(value)}, on the believable side of ${formatValue(limit)}.`
        : `${name} is ${formatValue(value)}, which is too good to be true from ${formatValue(limit)} on: look for a leak before it is approved.`,
      candidate: value,
      n,
    });
  });
}

function jumps(scores: Scores, policy: GatePolicy, noise: NoiseByMetric): Check[] {
  const most = policy.leakage?.jump;
  if (most === undefined) return [];
  return policy.metrics
    .filter(({ role }) => role !== 'information')
    .map((metric) => {
      const name = metric.metric;
      const fields = { ...head('jump', name, 'jump'), margin: most, method: 'retraining' };
      if (scores.champion === null) {
        return check({ ...fields, verdict: 'neutral', reason: 'There is no champion yet to jump from.' });
      }
      const estimate = compareRows(metric, metricRows(scores, name));
      const sd = noise.get(name)?.sd;
      if (isUndefined(estimate) || sd === undefined) {
        const why = isUndefined(estimate) ? estimate.detail : 'give or measure gate.training_noise';
        const reason = `A jump of ${name} cannot be judged: ${why}.`;
        return check({ ...fields, verdict: 'inconclusive', reason });
      }
      const plausible = estimate.diff <= most * sd;
      return check({
        ...fields,
        verdict: plausible ? 'pass' : 'inconclusive',
        reason: plausible
          ? `${name} gained no more than ${formatValue(most)} standard deviations of retraining (sd ${formatValue(sd)}).`
          : `${name} is better by ${formatValue(estimate.diff)}, more than ${formatValue(most)} standard deviations of retraining (sd ${formatValue(sd)}): look for a leak before it is approved.`,
        champion: estimate.estimateA,
        candidate: estimate.estimateB,
        diff: estimate.diff,
        n: estimate.n,
      });
    });
}
