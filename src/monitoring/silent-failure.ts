import { boundOf, lowerIsBetter, type SingleEstimate } from '../gate/metrics.ts';
import { differenceLowerBound } from '../stats/difference-bound.ts';
import { encodeClusters } from '../stats/influence.ts';
import { isUndefined, type Undefined, undefinedBecause } from '../stats/undefined.ts';
import type { LabelledPredictions } from './concept-signals.ts';
import { readable } from './format.ts';
import {
  estimateMetric,
  type GateReader,
  type GateScores,
  type MetricChoice,
  watchedMetric,
} from './gate-scores.ts';
import { type MonitoringPolicy, maximumFall } from './policy.ts';
import { plainSignal, type Signal } from './signal.ts';

export interface SilentFailureOptions {
  policy: MonitoringPolicy;
  task: 'classification' | 'regression';
  gateOf: GateReader;
  /** The service's own signals, which say whether anything else would have told of the fall. */
  service: readonly Signal[];
}

/**
 * Silent failure by version: the metric of what was served against the value with which the version passed its
 * gate. The alarm needs the one-sided bound of the fall beyond the tolerated one; a fall that chance explains is "not
 * enough data". No floor has to be set for it.
 */
export async function silentFailureSignals(
  groups: readonly LabelledPredictions[],
  options: SilentFailureOptions,
): Promise<Signal[]> {
  const signals: Signal[] = [];
  for (const group of groups) signals.push(signalOf(group, await options.gateOf(group.version), options));
  return signals;
}

function signalOf(
  group: LabelledPredictions,
  gate: GateScores | null,
  { policy, task, service }: SilentFailureOptions,
): Signal {
  const { version } = group;
  const base = {
    ...plainSignal,
    signal: 'silent_failure' as const,
    name: `quality of version ${version}`,
    version,
  };
  const unknown = (why: string): Signal => ({
    ...base,
    verdict: 'not_enough_data',
    summary: `not enough data: ${why}`,
  });
  if (gate === null) return unknown('the version was registered without predictions to compare with');
  const n = group.label.length;
  const needed = policy.metric?.minimum_rows ?? policy.minimum_rows;
  if (n < needed)
    return unknown(`${n} of ${group.predictions} predictions have a label, ${needed} are needed`);
  const choice = watchedMetric(policy, gate, task);
  const before = estimateMetric(choice, { ...gate, clusters: gate.clusters });
  if (isUndefined(before)) return unknown(`at the gate: ${before.detail}`);
  const now = servedEstimate(choice, { group, gate, before, policy });
  if (isUndefined(now)) return unknown(now.detail);

  const tolerated = maximumFall(policy, choice.metric, before.value);
  const sign = lowerIsBetter(choice.metric) ? -1 : 1;
  const side = (estimate: SingleEstimate, which: 'low' | 'high') =>
    sign * boundOf(estimate, sign === 1 ? which : which === 'low' ? 'high' : 'low', policy.alpha);
  const fall = sign * (before.value - now.value);
  const least = differenceLowerBound(
    { value: sign * before.value, low: side(before, 'low') },
    { value: sign * now.value, high: side(now, 'high') },
  );
  const common = {
    ...base,
    name: `${choice.metric} of version ${version} since its gate`,
    value: now.value,
    threshold: before.value - sign * tolerated,
  };
  const fine = service.every(({ verdict }) => verdict !== 'alert');
  const worse = sign === 1 ? 'less' : 'more';
  const told = `${choice.metric} of version ${version} is ${readable(now.value)} over ${n} labelled predictions, ${readable(before.value)} at its gate`;
  const limit = `${readable(tolerated)} ${worse} is tolerated`;
  if (least > tolerated) {
    return {
      ...common,
      verdict: 'alert',
      summary: `${fine ? '200s with quality fallen: ' : ''}${told}: at least ${readable(least)} ${worse}, ${limit}`,
      windows: { violated: 1, evaluated: 1 },
    };
  }
  if (fall > tolerated)
    return {
      ...common,
      verdict: 'not_enough_data',
      summary: `${told}, which chance can still explain; ${limit}`,
    };
  return { ...common, verdict: 'ok', summary: `${told}; ${limit}` };
}

/**
 * The served value with an error that counts days, not rows. With few days their spread is taken from the gate's:
 * with G days there and m here the variance is G/m times the gate's, with G − 1 degrees of freedom.
 */
function servedEstimate(
  choice: MetricChoice,
  {
    group,
    gate,
    before,
    policy,
  }: {
    group: LabelledPredictions;
    gate: GateScores;
    before: SingleEstimate;
    policy: MonitoringPolicy;
  },
): SingleEstimate | Undefined {
  const days = encodeClusters(group.block as (string | null)[]);
  const rows = { label: group.label, candidate: group.prediction };
  if (days.count >= policy.minimum_blocks) return estimateMetric(choice, { ...rows, clusters: days });
  const known = gate.daily ? (gate.clusters?.count ?? 0) : 0;
  if (known < policy.minimum_blocks) {
    return days.count > 1
      ? estimateMetric(choice, { ...rows, clusters: days })
      : undefinedBecause('too_few_clusters', 'one day, and nothing is known of how days differ');
  }
  const alone = estimateMetric(choice, { ...rows, clusters: null });
  if (isUndefined(alone)) return alone;
  const se = Math.max(alone.se, before.se * Math.sqrt(known / days.count));
  return { value: alone.value, n: alone.n, clusters: days.count, se, df: known - 1 };
}
