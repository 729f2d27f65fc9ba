import { type BlockColumn, cumulativeTotal, prepareColumn } from './block-column.ts';
import type { BlockColumnResult, ComponentMoments } from './block-permutation.ts';
import { normalQuantile } from './distributions.ts';

export interface PlantedColumn {
  readonly column: BlockColumn;
  /** Of the column's blocks, reference first; null where it is not stratified. */
  readonly strata: Int32Array | null;
  /** What the permutation test said of the column. */
  readonly result: BlockColumnResult;
  /** Chance of being found. */
  readonly power: number;
}

/**
 * Whether a shift would be significant with at least the given power, by its best component alone. `planted` is the
 * column with the shift in every block, reference blocks first.
 *
 * All blocks as they are against all blocks with the shift give each component's size T without noise. Chance has the
 * component's signed difference vary by s = √(mean² + sd²) of its permuted values, so it exceeds T − z s with
 * probability `power`; this must reach the critical value. A shift of one side also widens the permuted values, of N
 * blocks, to √(s² + T² / (N − 1)); so does what the window itself shows, which is taken out first.
 */
export function significantShift(
  { column, strata, result, power }: PlantedColumn,
  planted: ArrayLike<number>,
): boolean {
  const blocks = planted.length / column.bins;
  const both = new Float64Array(planted.length);
  both.set(column.reference);
  both.set(column.current, column.reference.length);
  const prepared = prepareColumn(
    { ...column, reference: both, current: planted },
    strata && twice(strata),
    cumulativeTotal(column),
  );
  const sizes = new Float64Array(prepared.components);
  prepared.measure(
    Int32Array.from({ length: blocks }, (_, i) => blocks + i),
    blocks,
    sizes,
  );
  const z = normalQuantile(power);
  return result.components.some((moments, k) => {
    const size = sizes[k] as number;
    const { mean, sd, spread } = withoutObserved(moments, blocks);
    if (!(spread > 0)) return size > 0;
    const widened = Math.sqrt(1 + (size / spread) ** 2 / (blocks - 1));
    return size - z * spread >= widened * (mean + sd * result.critical);
  });
}

/** Moments as they would be had nothing moved, and the spread of the signed difference. */
function withoutObserved({ observed, mean, sd }: ComponentMoments, blocks: number) {
  const square = mean ** 2 + sd ** 2;
  if (square === 0) return { mean, sd, spread: 0 };
  const still = Math.max(0.01 * square, ((blocks - 1) * square - observed ** 2) / Math.max(1, blocks - 2));
  const factor = Math.sqrt(still / square);
  return { mean: mean * factor, sd: sd * factor, spread: Math.sqrt(still) };
}

function twice(strata: Int32Array): Int32Array {
  const out = new Int32Array(2 * strata.length);
  out.set(strata);
  out.set(strata, strata.length);
  return out;
}
