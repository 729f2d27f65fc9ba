import type { BinaryMetric } from './classification.ts';

/** Truth and both models' predicted classes (0/1) on the same rows. */
export interface JointRows {
  readonly y: ArrayLike<number>;
  readonly a: ArrayLike<number>;
  readonly b: ArrayLike<number>;
}

/** Label of each joint cell, for a bootstrap stratified by label. */
export const JOINT_STRATA: Int32Array = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1);

/** Rows in each of the 8 cells, number 4y + 2a + b: all that any count metric of both models needs. */
export function jointCells({ y, a, b }: JointRows): Float64Array {
  const counts = new Float64Array(8);
  for (let i = 0; i < y.length; i++) {
    const cell = 4 * (y[i] as number) + 2 * (a[i] as number) + (b[i] as number);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

/** A count metric of one model from joint cells; NaN where it does not exist in a resample. */
export function cellMetric(metric: BinaryMetric | 'accuracy', cells: Float64Array, side: 'a' | 'b'): number {
  const at = (truth: number, guess: number) => {
    const base = 4 * truth + (side === 'a' ? 2 : 1) * guess;
    return (cells[base] as number) + (cells[base + (side === 'a' ? 1 : 2)] as number);
  };
  const tp = at(1, 1);
  const fp = at(0, 1);
  const fn = at(1, 0);
  switch (metric) {
    case 'accuracy':
      return (tp + at(0, 0)) / (tp + fp + fn + at(0, 0));
    case 'f1':
      return tp + fn > 0 ? (2 * tp) / (2 * tp + fp + fn) : Number.NaN;
    case 'precision':
      return tp / (tp + fp);
    case 'recall':
      return tp / (tp + fn);
  }
}
