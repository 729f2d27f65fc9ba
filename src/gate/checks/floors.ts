import { wilson } from '../../stats/proportion.ts';
import { isUndefined } from '../../stats/undefined.ts';
import { type Check, check } from '../check.ts';
import { boundOf, estimateCandidate, metricRows, type SingleEstimate } from '../metrics.ts';
import { formatValue, plural } from '../numbers.ts';
import type { FloorPolicy, GatePolicy } from '../policy.ts';
import type { Scores } from '../scores.ts';

/**
 * Limits that the candidate must keep by itself. On `lower_bound` the one-sided 1 − alpha bound on the bad
 * side decides: pass when it keeps the limit, fail when even the bound on the good side misses it, else
 * inconclusive. On `estimate` the point value decides.
 */
export function floorChecks(scores: Scores, policy: GatePolicy): Check[] {
  return policy.floors.map((floor) => floorCheck(floor, scores, policy));
}

function floorCheck(floor: FloorPolicy, scores: Scores, policy: GatePolicy): Check {
  const name = floor.metric;
  const threshold = policy.metrics.find((metric) => metric.metric === name)?.threshold ?? 0.5;
  const limit = (floor.min ?? floor.max) as number;
  const isMinimum = floor.min !== undefined;
  const head = {
    id: `floor:${name}:${isMinimum ? 'min' : 'max'}`,
    kind: 'floor' as const,
    title: `${name} ${isMinimum ? '≥' : '≤'} ${formatValue(limit)}`,
    effect: 'blocks' as const,
  };
  const estimate = estimateCandidate({ metric: name, threshold }, metricRows(scores, name));
  if (isUndefined(estimate)) {
    return check({
      ...head,
      verdict: 'inconclusive',
      reason: `${name} does not exist on these rows: ${estimate.detail}.`,
      margin: limit,
    });
  }
  const { low, high } = bounds(name, estimate, policy.alpha);
  const keeps = (value: number) => (isMinimum ? value >= limit : value <= limit);
  const [bad, good] = isMinimum ? [low, high] : [high, low];
  const onEstimate = floor.on === 'estimate';
  const verdict = onEstimate
    ? keeps(estimate.value)
      ? 'pass'
      : 'fail'
    : keeps(bad)
      ? 'pass'
      : keeps(good)
        ? 'inconclusive'
        : 'fail';
  const side = isMinimum ? 'lower' : 'upper';
  const limitWord = isMinimum ? 'floor' : 'ceiling';
  const said = onEstimate ? '' : `, its ${side} bound ${formatValue(bad)}`;
  const tail =
    verdict === 'inconclusive' ? `; ${plural(estimate.n, 'row')} cannot tell on which side it lies.` : '.';
  return check({
    ...head,
    verdict,
    reason: `${name} is ${formatValue(estimate.value)}${said}; the ${limitWord} is ${formatValue(limit)}${tail}`,
    candidate: estimate.value,
    se: estimate.se,
    low,
    high,
    margin: limit,
    method: onEstimate ? 'estimate' : isProportion(name, estimate) ? 'wilson' : 'influence',
    n: estimate.n,
    clusters: estimate.clusters,
  });
}

const isProportion = (name: string, estimate: SingleEstimate) =>
  name === 'accuracy' && estimate.clusters === null;

function bounds(name: string, estimate: SingleEstimate, alpha: number): { low: number; high: number } {
  if (isProportion(name, estimate)) {
    const count = Math.round(estimate.value * estimate.n);
    const interval = wilson({ count, n: estimate.n }, 2 * alpha);
    if (!isUndefined(interval)) return { low: interval.low, high: interval.high };
  }
  return { low: boundOf(estimate, 'low', alpha), high: boundOf(estimate, 'high', alpha) };
}
