/** A step function that does not fall: the rate of each block of neighbouring scores. */
export interface IsotonicFit {
  /** Score from which each block but the first applies: halfway between two blocks' scores. Ascending. */
  readonly edges: Float64Array;
  /** Mean of y in each block, ascending. */
  readonly rates: Float64Array;
  /** Rows of each block. */
  readonly sizes: Float64Array;
}

/**
 * Isotonic regression of y on scores by pooling adjacent violators; equal scores share a block. O(n log n). Rows are
 * first put into bins of at least `least` rows, none across the score `cut`: single rows at the ends else make rates
 * of 0 and 1, and a fit that promises more than it keeps.
 *
 * Source: Ayer, Brunk, Ewing, Reid, Silverman (1955), Ann. Math. Statist. 26(4); as a calibration of scores Zadrozny
 * & Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates", KDD.
 */
export function isotonicFit(
  { score, y }: { readonly score: Float64Array; readonly y: Float64Array },
  { least = 1, cut = Number.NEGATIVE_INFINITY }: { least?: number; cut?: number } = {},
): IsotonicFit {
  const order = Array.from(score.keys()).sort((a, b) => (score[a] as number) - (score[b] as number));
  const blocks: { sum: number; size: number; first: number; last: number }[] = [];
  for (const i of order) {
    const at = score[i] as number;
    const top = blocks.at(-1);
    if (top !== undefined && (top.last === at || (top.size < least && top.last < cut === at < cut))) {
      top.sum += y[i] as number;
      top.size++;
      top.last = at;
    } else {
      pool(blocks);
      blocks.push({ sum: y[i] as number, size: 1, first: at, last: at });
    }
  }
  pool(blocks);
  return {
    edges: Float64Array.from(
      blocks.slice(1),
      ({ first }, k) => (first + (blocks[k]?.last ?? Number.NaN)) / 2,
    ),
    rates: Float64Array.from(blocks, ({ sum, size }) => sum / size),
    sizes: Float64Array.from(blocks, ({ size }) => size),
  };
}

/** Merges the last block with those before it while their rates do not rise. */
function pool(blocks: { sum: number; size: number; first: number; last: number }[]): void {
  for (;;) {
    const [before, last] = blocks.slice(-2);
    if (before === undefined || last === undefined) return;
    if (before.sum / before.size < last.sum / last.size) return;
    before.sum += last.sum;
    before.size += last.size;
    before.last = last.last;
    blocks.pop();
  }
}

/** The block that a score lies in. */
export function blockOf({ edges }: IsotonicFit, score: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) <= score) low = middle + 1;
    else high = middle;
  }
  return low;
}
