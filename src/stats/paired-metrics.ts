import type { RowLoss } from './losses.ts';

/** The metrics that can be compared by name. */
export const PAIRED_METRICS = [
  'accuracy',
  'auc',
  'f1',
  'precision',
  'recall',
  'balanced_accuracy',
  'macro_f1',
  'log_loss',
  'brier',
  'rmse',
  'mse',
  'mae',
  'mape',
  'ndcg',
  'calibration_error',
] as const;

export type PairedMetric = (typeof PAIRED_METRICS)[number];

/** Metrics that are the mean of a loss of each row, or its root. */
export const LOSSES: Partial<Record<PairedMetric, RowLoss>> = {
  log_loss: 'log_loss',
  brier: 'brier',
  mse: 'squared',
  rmse: 'squared',
  mae: 'absolute',
  mape: 'absolute_percentage',
};

/** Whether more is better for a metric. */
export function higherIsBetter(metric: PairedMetric): boolean {
  return LOSSES[metric] === undefined && metric !== 'calibration_error';
}
