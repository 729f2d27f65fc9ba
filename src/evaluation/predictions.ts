import { UserError } from '../errors.ts';
import type { Signature } from './predictor.ts';

/**
 * One number a row from the output tensor: [rows], [rows, 1], or for classification [rows, 2], whose second
 * column is the positive class. Throws `model_signature` for any other shape.
 */
export function positiveColumn(
  output: { values: Float32Array | Float64Array; shape: readonly number[] },
  rows: number,
  signature: Signature,
): Float32Array | Float64Array {
  const { values, shape } = output;
  const width = shape.length === 1 ? 1 : shape.length === 2 ? shape[1]! : 0;
  const allowed = width === 1 || (width === 2 && signature.task === 'classification');
  if (shape[0] !== rows || !allowed || values.length !== rows * width) {
    throw new UserError({
      code: 'model_signature',
      message: `The output has the shape [${shape.join(', ')}] for ${rows} rows.`,
      where: 'model.onnx',
      fix: 'Name an output of one number a row, or of two probabilities for a binary classification.',
    });
  }
  return width === 1 ? values : values.filter((_, i) => i % 2 === 1);
}

/** Float32 sums of trees may pass the ends of [0, 1] by a rounding. */
const slack = 1e-5;

/**
 * Refuses predictions that are NaN or infinite, or for classification not a probability: `prediction_invalid`
 * with the number of such rows and the first ones (counted from 1).
 */
export function checkPredictions(predictions: Float64Array, task: Signature['task']): void {
  const valid =
    task === 'classification'
      ? (p: number) => p >= -slack && p <= 1 + slack
      : (p: number) => Number.isFinite(p);
  const first: number[] = [];
  let count = 0;
  for (let row = 0; row < predictions.length; row++) {
    if (valid(predictions[row]!)) continue;
    count++;
    if (first.length < 5) first.push(row);
  }
  if (count === 0) return;
  const shown = first.map((row) => `row ${row + 1}: ${predictions[row]}`).join(', ');
  throw new UserError({
    code: 'prediction_invalid',
    message: `${count} of ${predictions.length} predictions are no ${task === 'classification' ? 'probability' : 'finite number'} (${shown}${count > first.length ? ', …' : ''}).`,
    where: 'model.onnx',
    fix: 'Look at the features of these rows: a null where the model takes none, or a division by zero, is the usual cause.',
  });
}
