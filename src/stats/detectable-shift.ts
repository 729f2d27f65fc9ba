import { allBlocks, type BlockColumn, columnFrame, prepareColumn, typicalComponent } from './block-column.ts';
import type { BlockColumnResult, ComponentMoments } from './block-permutation.ts';
import { rowTotal, sumOfRows } from './block-rows.ts';
import { normalQuantile } from './distributions.ts';
import { blockRanks, typicalBlock } from './typical-block.ts';

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
 * Tells of shifts whether they would be significant with at least the given power, by their best component alone.
 * `planted` is the column with the shift in every block, reference blocks first, each with the rows that it had.
 *
 * All blocks as they are against all blocks with the shift give each component's size T without noise. Chance has the
 * component's signed difference vary by s = √(mean² + sd²) of its permuted values, so it exceeds T − z s with
 * probability `power`; this must reach the critical value. A shift of one side also widens the permuted values, of N
 * blocks, to √(s² + T² / (N − 1)); so does what the window itself shows, which is taken out first.
 */
export function significantShifts({
  column,
  strata,
  result,
  power,
}: PlantedColumn): (planted: Float64Array) => boolean {
  const { typical, sizesOfSums, typicalSize } = shiftMeasures(column, strata);
  const z = normalQuantile(power);
  return (planted) => {
    const blocks = planted.length / column.bins;
    const reaches = (moments: ComponentMoments, size: number) => {
      const { mean, sd, spread } = withoutObserved(moments, blocks);
      if (!(spread > 0)) return size > 0;
      const widened = Math.sqrt(1 + (size / spread) ** 2 / (blocks - 1));
      return size - z * spread >= widened * (mean + sd * result.critical);
    };
    const sizes = sizesOfSums(planted);
    // the typical block costs more than all others: asked last
    if (result.components.some((moments, k) => k !== typical && reaches(moments, sizes[k] as number)))
      return true;
    const moments = typical === null ? undefined : result.components[typical];
    return moments !== undefined && reaches(moments, typicalSize(planted));
  };
}

/** The components of all blocks with a shift against all blocks as they are. */
export function shiftSizes(
  column: BlockColumn,
  strata: Int32Array | null,
): (planted: Float64Array) => Float64Array {
  const { typical, sizesOfSums, typicalSize } = shiftMeasures(column, strata);
  return (planted) => {
    const sizes = sizesOfSums(planted);
    if (typical !== null) sizes[typical] = typicalSize(planted);
    return sizes;
  };
}

interface ShiftMeasures {
  /** Place of the typical block among the components, if it is one. */
  typical: number | null;
  /** All other components: those of the two sums. Over all blocks of one kind, what strata and volume take from one they give to others. */
  sizesOfSums: (planted: Float64Array) => Float64Array;
  typicalSize: (planted: Float64Array) => number;
}

function shiftMeasures(column: BlockColumn, strata: Int32Array | null): ShiftMeasures {
  const { bins, statistic } = column;
  const still = allBlocks(column);
  const blocks = still.length / bins;
  const frame = columnFrame(column);
  const [whole, second] = [sumOfRows(still, bins), Int32Array.of(1)];
  const before = placesOfBlocks(still, frame.positions);
  const chosen = Int32Array.from({ length: blocks }, (_, i) => blocks + i);
  return {
    typical: statistic === 'combined' ? typicalComponent : statistic === 'typical_block' ? 0 : null,
    sizesOfSums: (planted) => {
      const sums = { ...column, reference: whole, current: sumOfRows(planted, bins) };
      const { components, measure } = prepareColumn(sums, null, frame);
      const sizes = new Float64Array(components);
      measure(second, 1, sizes);
      return sizes;
    },
    typicalSize: (planted) => {
      const means = centredMeans([before, placesOfBlocks(planted, frame.positions)], strata);
      return typicalBlock(blockRanks(means), chosen, blocks);
    },
  };
}

interface BlockPlaces {
  /** Of each block, and the sum of its rows' positions. */
  rows: Float64Array;
  sums: Float64Array;
}

function placesOfBlocks(counts: Float64Array, positions: Float64Array): BlockPlaces {
  const bins = positions.length;
  const blocks = counts.length / bins;
  const rows = new Float64Array(blocks);
  const sums = new Float64Array(blocks);
  for (let block = 0; block < blocks; block++) {
    rows[block] = rowTotal(counts, block * bins, bins);
    sums[block] = weightedTotal(counts, block * bins, positions);
  }
  return { rows, sums };
}

function weightedTotal(counts: Float64Array, at: number, positions: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < positions.length; i++) sum += (counts[at + i] as number) * (positions[i] as number);
  return sum;
}

/** Mean position of each block, of both kinds in turn, less what its stratum differs in; NaN without rows. */
function centredMeans(kinds: readonly BlockPlaces[], strata: Int32Array | null): Float64Array {
  const blocks = kinds[0]?.rows.length ?? 0;
  const strataCount = strata === null ? 1 : 1 + strata.reduce((most, one) => Math.max(most, one), 0);
  const [rows, sums] = [new Float64Array(strataCount), new Float64Array(strataCount)];
  const stratumOf = (block: number) => strata?.[block] ?? 0;
  for (const kind of kinds) {
    for (let block = 0; block < blocks; block++) {
      rows[stratumOf(block)]! += kind.rows[block] as number;
      sums[stratumOf(block)]! += kind.sums[block] as number;
    }
  }
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const all = total(sums) / total(rows);
  const means = new Float64Array(kinds.length * blocks);
  kinds.forEach((kind, k) => {
    for (let block = 0; block < blocks; block++) {
      const stratum = stratumOf(block);
      const differs = (sums[stratum] as number) / (rows[stratum] as number) - all;
      // NaN of 0 / 0
      means[k * blocks + block] = (kind.sums[block] as number) / (kind.rows[block] as number) - differs;
    }
  });
  return means;
}

/** Moments as they would be had nothing moved, and the spread of the signed difference. */
function withoutObserved({ observed, mean, sd }: ComponentMoments, blocks: number) {
  const square = mean ** 2 + sd ** 2;
  if (square === 0) return { mean, sd, spread: 0 };
  const still = Math.max(0.01 * square, ((blocks - 1) * square - observed ** 2) / Math.max(1, blocks - 2));
  const factor = Math.sqrt(still / square);
  return { mean: mean * factor, sd: sd * factor, spread: Math.sqrt(still) };
}
