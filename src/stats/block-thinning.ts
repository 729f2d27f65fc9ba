import { sampleBinomial } from './binomial-sample.ts';
import { rowTotal } from './block-rows.ts';
import { type Random, seededRandom } from './random.ts';

/** Blocks × bins of two sides, row by row. */
export interface BlockSides {
  readonly bins: number;
  readonly reference: Float64Array;
  readonly current: Float64Array;
}

/** Sides whose blocks differ by no more than this factor in their mean rows are left as they are. */
const alike = 1.2;

/**
 * Keeps so many rows of the side with the larger blocks, each by chance, that both sides have blocks of one mean size.
 * Blocks of fewer rows scatter more, so that a side made of small blocks is no chance assignment of all blocks: without
 * this, independent rows of which one side has a tenth a day are called different in 9 of 10 cases, and a change of a
 * side with ten times as many is hardly ever seen. Counts may be fractions, which are scaled.
 */
export function thinToSameVolume<Sides extends BlockSides>(sides: Sides, seed: number): Sides {
  const { bins, reference, current } = sides;
  const [before, after] = [meanRows(reference, bins), meanRows(current, bins)];
  if (!(Math.min(before, after) > 0) || Math.max(before, after) <= alike * Math.min(before, after))
    return sides;
  const random = seededRandom(seed);
  return before > after
    ? { ...sides, reference: thinned(reference, after / before, random) }
    : { ...sides, current: thinned(current, before / after, random) };
}

/** Mean rows of the blocks that have any. */
function meanRows(counts: Float64Array, bins: number): number {
  let [rows, blocks] = [0, 0];
  for (let block = 0; block < counts.length / bins; block++) {
    const n = rowTotal(counts, block * bins, bins);
    if (n > 0) blocks++;
    rows += n;
  }
  return blocks === 0 ? 0 : rows / blocks;
}

function thinned(counts: Float64Array, share: number, random: Random): Float64Array {
  const kept = new Float64Array(counts.length);
  for (let i = 0; i < kept.length; i++) {
    const n = counts[i] as number;
    const whole = Math.floor(n);
    kept[i] = sampleBinomial(random, whole, share) + (n - whole) * share;
  }
  return kept;
}
