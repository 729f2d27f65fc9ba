import { atThreshold } from '../../stats/classification.ts';
import { clopperPearson, type Proportion } from '../../stats/proportion.ts';
import { isUndefined } from '../../stats/undefined.ts';
import { type Check, check } from '../check.ts';
import { fewClusters } from '../decide.ts';
import { boundOf, estimateCandidate, type MetricRows, metricRows, type SingleEstimate } from '../metrics.ts';
import { formatValue, plural } from '../numbers.ts';
import type { FloorPolicy, GatePolicy } from '../policy.ts';
import type { Scores } from '../scores.ts';

/**
 * Limits that the candidate must keep by itself. On `lower_bound` the one-sided 1 − alpha bound on the bad
 * side decides: pass when it keeps the limit, fail when even the bound on the good side misses it, else
 * inconclusive; so it is with too few clusters. On `estimate` the point value decides.
 */
export function floorChecks(scores: Scores, policy: GatePolicy): Check[] {
  return policy.floors.map((floor) => floorCheck(floor, scores, policy));
}

function floorCheck(floor: FloorPolicy, scores: Scores, policy: GatePolicy): Check {
  const name = floor.metric;
  const { threshold = 0.5, k } = policy.metrics.find((metric) => metric.metric === name) ?? {};
  const limit = (floor.min ?? floor.max) as number;
  const isMinimum = floor.min !== undefined;
  const head = {
    id: `floor:${name}:${isMinimum ? 'min' : 'max'}`,
    kind: 'floor' as const,
    title: `${name} ${isMinimum ? '≥' : '≤'} ${formatValue(limit)}`,
    effect: 'blocks' as const,
  };
  const rows = metricRows(scores, name);
  const estimate = estimateCandidate({ metric: name, threshold, k }, rows);
  if (isUndefined(estimate)) {
    return check({
      ...head,
      verdict: 'inconclusive',
      reason: `${name} does not exist on these rows: ${estimate.detail}.`,
      margin: limit,
    });
  }
  const hits = proportionOf({ name, threshold, rows });
  const { low, high } = bounds(hits, estimate, policy.alpha);
  const few = fewClusters(estimate);
  const keeps = (value: number) => (isMinimum ? value >= limit : value <= limit);
  const [bad, good] = isMinimum ? [low, high] : [high, low];
  const onEstimate = floor.on === 'estimate';
  const verdict = onEstimate
    ? keeps(estimate.value)
      ? 'pass'
      : 'fail'
    : few !== null
      ? 'inconclusive'
      : keeps(bad)
        ? 'pass'
        : keeps(good)
          ? 'inconclusive'
          : 'fail';
  const side = isMinimum ? 'lower' : 'upper';
  const limitWord = isMinimum ? 'floor' : 'ceiling';
  const said = onEstimate ? '' : `, its ${side} bound ${formatValue(bad)}`;
  const tail =
    verdict !== 'inconclusive'
      ? '.'
      : few !== null
        ? `; ${few}.`
        : `; ${plural(hits?.n ?? estimate.n, 'row')} cannot tell on which side it lies.`;
  return check({
    ...head,
    verdict,
    reason: `${name} is ${formatValue(estimate.value)}${said}; the ${limitWord} is ${formatValue(limit)}${tail}`,
    candidate: estimate.value,
    se: estimate.se,
    low,
    high,
    margin: limit,
    method: onEstimate ? 'estimate' : hits === null ? 'influence' : 'clopper-pearson',
    n: estimate.n,
    clusters: estimate.clusters,
  });
}

/** Accuracy, precision and recall of independent rows are shares of rows: hits among those that count. */
function proportionOf(input: { name: string; threshold: number; rows: MetricRows }): Proportion | null {
  const { label, candidate, clusters } = input.rows;
  if (clusters !== null || !['accuracy', 'precision', 'recall'].includes(input.name)) return null;
  const predicted = atThreshold(candidate, input.threshold);
  let [count, n] = [0, 0];
  for (let i = 0; i < label.length; i++) {
    const base = input.name === 'recall' ? label[i] : input.name === 'precision' ? predicted[i] : 1;
    if (base !== 1) continue;
    n++;
    if (predicted[i] === label[i]) count++;
  }
  return { count, n };
}

function bounds(
  hits: Proportion | null,
  estimate: SingleEstimate,
  alpha: number,
): { low: number; high: number } {
  const exact = hits && clopperPearson(hits, 2 * alpha);
  if (exact !== null && !isUndefined(exact)) return { low: exact.low, high: exact.high };
  return { low: boundOf(estimate, 'low', alpha), high: boundOf(estimate, 'high', alpha) };
}
