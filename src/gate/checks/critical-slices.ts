import { type Check, check } from '../check.ts';
import { decideComparison } from '../decide.ts';
import { compareRows, metricRows, selectRows } from '../metrics.ts';
import { type NoiseByMetric, noiseOfSlice } from '../noise.ts';
import type { CriticalSlice, GatePolicy, MetricPolicy } from '../policy.ts';
import { smallerIsBetter } from '../policy-metrics.ts';
import type { Scores } from '../scores.ts';
import { rowsWhere } from '../slice-rows.ts';

interface Context {
  scores: Scores;
  policy: GatePolicy;
  noise: NoiseByMetric;
}

/** Declared slices, each of which must be shown not to lose more than a margin of its own. */
export function criticalSliceChecks(scores: Scores, policy: GatePolicy, noise: NoiseByMetric): Check[] {
  const checks: Check[] = [];
  for (const critical of policy.slices?.critical ?? []) {
    const metric =
      critical.metric === undefined
        ? policy.metrics.find((one) => one.role !== 'information')
        : policy.metrics.find((one) => one.metric === critical.metric);
    // the policy's schema asks for a metric, so this is a policy made in code
    if (metric === undefined) throw new Error('a critical slice needs a metric');
    checks.push(criticalCheck(critical, metric, { scores, policy, noise }));
  }
  return checks;
}

function criticalCheck(
  critical: CriticalSlice,
  metric: MetricPolicy,
  { scores, policy, noise }: Context,
): Check {
  const told = Object.entries(critical.where)
    .map(([column, value]) => `${column} = ${value === null ? 'missing' : String(value)}`)
    .join(', ');
  const indices = rowsWhere(scores, critical.where);
  const head = {
    id: `critical_slice:${metric.metric}:${told}`,
    kind: 'critical_slice' as const,
    title: `${metric.metric} where ${told}`,
    effect: 'blocks' as const,
  };
  if (scores.champion === null) {
    return check({
      ...head,
      verdict: 'neutral',
      reason: 'There is no champion yet to compare the slice with.',
    });
  }
  if (indices.length === 0) {
    return check({
      ...head,
      verdict: 'inconclusive',
      reason: `No row of the evaluation set has ${told}.`,
      n: 0,
    });
  }
  const decision = decideComparison({
    name: `${metric.metric} where ${told}`,
    lowerIsBetter: smallerIsBetter(metric),
    estimate: compareRows(metric, selectRows(metricRows(scores, metric.metric), indices)),
    margin: critical.margin,
    require: 'non-inferior',
    alpha: policy.alpha,
    power: policy.power,
    noise: noiseOfCritical(noise, metric.metric, critical.where) ?? null,
  });
  return check({ ...head, ...decision });
}

/** Of one column's value the slice's own noise; of several together the whole's. */
function noiseOfCritical(noise: NoiseByMetric, metric: string, where: CriticalSlice['where']) {
  const [first, ...others] = Object.entries(where);
  if (first === undefined || others.length > 0) return noise.get(metric);
  const [column, value] = first;
  return noiseOfSlice(noise, { metric, column, value: value === null ? null : String(value) });
}
