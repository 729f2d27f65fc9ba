import { type Undefined, undefinedBecause } from './undefined.ts';

/** The target and one model's predictions, row by row. */
export interface Predictions {
  readonly y: Float64Array;
  readonly prediction: Float64Array;
}

/** A row loss: its mean over rows is the metric. */
export type RowLoss = 'log_loss' | 'brier' | 'squared' | 'absolute' | 'absolute_percentage';

const EPS = 2 ** -52;

/**
 * Loss of each row.
 * log_loss: −y ln p − (1−y) ln(1−p), p clipped to [2⁻⁵², 1 − 2⁻⁵²] as scikit-learn does; brier: (p − y)²;
 * squared: (p − y)²; absolute: |p − y|; absolute_percentage: |p − y| / |y|, undefined when a target is 0.
 */
export function rowLosses(loss: RowLoss, { y, prediction }: Predictions): Float64Array | Undefined {
  const n = y.length;
  if (prediction.length !== n) throw new RangeError('rowLosses: columns of unequal length');
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const truth = y[i] as number;
    const p = prediction[i] as number;
    if (!Number.isFinite(truth) || !Number.isFinite(p))
      return undefinedBecause('not_finite', `row ${i + 1}: target ${truth}, prediction ${p}`);
    if (loss === 'log_loss' || loss === 'brier') {
      if (truth !== 0 && truth !== 1)
        return undefinedBecause('out_of_range', `row ${i + 1}: target ${truth} is not 0 or 1`);
      if (p < 0 || p > 1) return undefinedBecause('out_of_range', `row ${i + 1}: ${p} is not a probability`);
    }
    if (loss === 'absolute_percentage' && truth === 0)
      return undefinedBecause('zero_target', `row ${i + 1}: a percentage of a zero target does not exist`);
    out[i] = oneLoss(loss, truth, p);
  }
  return out;
}

function oneLoss(loss: RowLoss, y: number, p: number): number {
  switch (loss) {
    case 'log_loss': {
      const clipped = Math.min(1 - EPS, Math.max(EPS, p));
      return y === 1 ? -Math.log(clipped) : -Math.log1p(-clipped);
    }
    case 'brier':
    case 'squared':
      return (p - y) ** 2;
    case 'absolute':
      return Math.abs(p - y);
    case 'absolute_percentage':
      return Math.abs(p - y) / Math.abs(y);
  }
}
