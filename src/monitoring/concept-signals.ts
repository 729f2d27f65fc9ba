import { boundOf, estimateCandidate, lowerIsBetter } from '../gate/metrics.ts';
import { encodeClusters } from '../stats/influence.ts';
import { isUndefined } from '../stats/undefined.ts';
import { readable } from './format.ts';
import type { MonitoringPolicy } from './policy.ts';
import { plainSignal, type Signal } from './signal.ts';

/** Predictions of one version whose truth has arrived. */
export interface LabelledPredictions {
  version: number;
  label: Float64Array;
  prediction: Float64Array;
  /** Block (day) of each row: errors of one day are alike. */
  block: readonly (string | null)[];
  keys: readonly string[];
  /** Predictions of this version in the window, with or without a label. */
  predictions: number;
}

/**
 * Concept drift by version: the metric of what was served against its floor. The alarm needs the one-sided bound
 * (clustered by day) on the wrong side; a value under the floor that chance explains is "not enough data".
 */
export function conceptSignals(groups: readonly LabelledPredictions[], policy: MonitoringPolicy): Signal[] {
  const { metric } = policy;
  const floor = metric?.floor;
  if (metric === undefined || floor === undefined) return [];
  return groups.map((group) => {
    const name = `${metric.name} of version ${group.version}`;
    const base = {
      ...plainSignal,
      signal: 'concept_drift' as const,
      name,
      threshold: floor,
      version: group.version,
    };
    const n = group.label.length;
    if (n < metric.minimum_rows) {
      const summary = `not enough data: ${n} of ${group.predictions} predictions have a label, ${metric.minimum_rows} are needed`;
      return { ...base, verdict: 'not_enough_data', summary };
    }
    const days = encodeClusters(group.block as (string | null)[]);
    const estimate = estimateCandidate(
      { metric: metric.name, threshold: policy.prediction.threshold },
      {
        label: group.label,
        candidate: group.prediction,
        champion: null,
        clusters: days.count >= policy.minimum_blocks ? days : null,
        losses: undefined,
      },
    );
    if (isUndefined(estimate))
      return { ...base, verdict: 'not_enough_data', summary: `not enough data: ${estimate.detail}` };
    const lower = lowerIsBetter(metric.name);
    const best = boundOf(estimate, lower ? 'low' : 'high', policy.alpha);
    const under = (value: number) => (lower ? value > floor : value < floor);
    const limit = `the ${lower ? 'ceiling' : 'floor'} is ${readable(floor)}`;
    const told = `${name} is ${readable(estimate.value)} over ${n} labelled predictions; ${limit}`;
    const common = { ...base, value: estimate.value };
    if (under(best))
      return { ...common, verdict: 'alert', summary: told, windows: { violated: 1, evaluated: 1 } };
    if (under(estimate.value))
      return { ...common, verdict: 'not_enough_data', summary: `${told}, which chance can still explain` };
    return { ...common, verdict: 'ok', summary: told };
  });
}
