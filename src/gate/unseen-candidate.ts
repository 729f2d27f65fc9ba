import { atThreshold } from '../stats/classification.ts';
import { type ClassMetric, rowSets } from '../stats/compare-classes.ts';
import { unseenOfClasses } from '../stats/delong.ts';
import type { LinearEstimate } from '../stats/influence.ts';
import { rowLosses } from '../stats/losses.ts';
import { LOSSES } from '../stats/paired-metrics.ts';
import { isUndefined } from '../stats/undefined.ts';
import { effectiveRows, effectOfMean, largest, type Unseen, unseenAmong } from '../stats/unseen.ts';
import type { MetricChoice, MetricRows } from './metrics.ts';
import { isKnownMetric } from './policy.ts';

/**
 * What unseen rows could do to one model's metric, where too few rows carry its error: of recall the positives, of
 * precision the predicted ones, of the AUC the smaller class. A loss is as large as the largest that was seen.
 */
export function unseenOfCandidate(
  choice: MetricChoice,
  rows: MetricRows,
  { psi, value, share }: LinearEstimate,
): { unseen: Unseen } | Record<string, never> {
  const n = psi.length;
  const among = (effect: number, count = n) => unseenAmong([{ influence: psi, rows: count, effect }]);
  const { label: y, candidate: prediction } = rows;
  if (!isKnownMetric(choice.metric)) {
    const own = rows.losses;
    const most = own === undefined ? 0 : largest(own.candidate);
    const divisor = own?.denominators?.candidate;
    if (divisor === undefined) return among(most || 1);
    const mean = Math.abs(divisor.reduce((sum, one) => sum + one, 0) / n);
    return among(most / mean || Math.abs(value) || 1, effectiveRows(n, share ?? null));
  }
  const metric = choice.metric;
  const loss = LOSSES[metric];
  if (loss !== undefined) {
    const found = rowLosses(loss, { y, prediction });
    if (isUndefined(found)) return {};
    const floor = loss === 'log_loss' || loss === 'brier' ? 1 : 0;
    const square = loss === 'squared';
    const most = Math.max(floor, largest(found)) || largest(square ? y.map((one) => one * one) : y) || 1;
    if (metric !== 'rmse') return among(most);
    return among(effectOfMean(n, (share) => Math.sqrt(value ** 2 + share * most) - value));
  }
  switch (metric) {
    case 'auc':
      return unseenOfClasses({ y, weights: null, psi });
    case 'accuracy':
      return among(1);
    case 'ndcg':
      return among(1, rows.clusters?.count ?? n);
    case 'calibration_error':
      return among(2);
    default: {
      const predicted = atThreshold(prediction, choice.threshold ?? 0.5);
      return unseenAmong(rowSets(metric as ClassMetric, { y, predicted, weights: null }, [psi]));
    }
  }
}
