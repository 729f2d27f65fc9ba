import { addRow, addScaled, rowTotal, sumOfRows } from './block-rows.ts';

/** Counts of blocks × bins, row by row, and the stratum of each block (its weekday, say). */
export interface StratifiedCounts {
  readonly bins: number;
  readonly counts: Float64Array;
  readonly strata: Int32Array;
}

/**
 * Takes what the strata differ in out of the counts: from each block its rows × (shares of its stratum − shares of
 * all). Rows of a block and counts of a bin over all blocks stay; single counts may become negative fractions.
 * Strata are taken over both sides together, so no assignment of blocks to sides changes the result.
 */
export function centreStrata({ bins, counts, strata }: StratifiedCounts): Float64Array {
  const { gaps } = sharesOf({ bins, counts, strata });
  const out = counts.slice();
  for (let block = 0; block < strata.length; block++) {
    const rows = rowTotal(counts, block * bins, bins);
    addScaled(out, block * bins, gaps[strata[block] as number] as Float64Array, -rows);
  }
  return out;
}

/** Fewer assignments within strata than this leave p too coarse. */
const assignmentsNeeded = 1000;

/**
 * Whether to compare within strata: where that takes more of the variance between blocks away than it costs in
 * blocks that have no partner on the other side. `ordered`: by shares below each bin, as for numbers, else by the
 * bins' own. The first `referenceBlocks` blocks are one side.
 */
export function worthStratifying(
  input: StratifiedCounts & { readonly referenceBlocks: number; readonly ordered: boolean },
): boolean {
  const { strata, referenceBlocks } = input;
  if (!enoughAssignments(strata, referenceBlocks)) return false;
  const blocks = strata.length;
  const paired = sizesOf(strata, referenceBlocks)
    .map(([first, second]) => (first * second) / (first + second))
    .reduce((sum, size) => sum + size, 0);
  const kept = (paired * blocks) / (referenceBlocks * (blocks - referenceBlocks));
  return 1 - explained(input) < kept;
}

/** Whether blocks can be exchanged within strata in so many ways that p is not too coarse. */
export function enoughAssignments(strata: Int32Array, referenceBlocks: number): boolean {
  let assignments = 1;
  for (const [first, second] of sizesOf(strata, referenceBlocks))
    for (let i = 1; i <= Math.min(first, second); i++) assignments *= (first + second + 1 - i) / i;
  return assignments >= assignmentsNeeded;
}

/** Blocks of each stratum on either side. */
function sizesOf(strata: Int32Array, referenceBlocks: number): [reference: number, current: number][] {
  const sizes = new Map<number, [number, number]>();
  strata.forEach((stratum, block) => {
    const size = sizes.get(stratum) ?? [0, 0];
    size[block < referenceBlocks ? 0 : 1]++;
    sizes.set(stratum, size);
  });
  return [...sizes.values()];
}

/** Share of the variance between blocks that lies between strata, less what chance alone gives (adjusted R²). */
function explained({
  bins,
  counts,
  strata,
  ordered,
}: StratifiedCounts & { readonly ordered: boolean }): number {
  const { gaps, all } = sharesOf({ bins, counts, strata });
  const nothing = new Float64Array(bins);
  const sizes = gaps.map((gap) => squaredGap(gap, 0, { rows: 1, from: nothing, ordered }));
  let between = 0;
  let whole = 0;
  for (let block = 0; block < strata.length; block++) {
    const rows = rowTotal(counts, block * bins, bins);
    if (rows === 0) continue;
    whole += rows * squaredGap(counts, block * bins, { rows, from: all, ordered });
    between += rows * (sizes[strata[block] as number] as number);
  }
  const blocks = strata.length;
  const groups = new Set(strata).size;
  if (!(whole > 0) || blocks <= groups) return 0;
  return 1 - ((1 - between / whole) * (blocks - 1)) / (blocks - groups);
}

/** Sum of the squares by which shares differ from others: bin by bin, or below each bin where they are `ordered`. */
function squaredGap(
  counts: Float64Array,
  at: number,
  { rows, from, ordered }: { rows: number; from: Float64Array; ordered: boolean },
): number {
  let sum = 0;
  let below = 0;
  for (let i = 0; i < from.length; i++) {
    const gap = (counts[at + i] as number) / rows - (from[i] as number);
    below = ordered ? below + gap : gap;
    sum += below * below;
  }
  return sum;
}

/** Shares of all blocks, and what the shares of each stratum differ from them by. */
function sharesOf({ bins, counts, strata }: StratifiedCounts): { gaps: Float64Array[]; all: Float64Array } {
  const sums: Float64Array[] = Array.from(
    { length: 1 + strata.reduce((most, stratum) => Math.max(most, stratum), 0) },
    () => new Float64Array(bins),
  );
  for (let block = 0; block < strata.length; block++)
    addRow(sums[strata[block] as number] as Float64Array, 0, counts, block * bins, bins);
  const all = sumOfRows(counts, bins);
  const total = rowTotal(all, 0, bins);
  if (total > 0) divide(all, total);
  return { gaps: sums.map((sum) => gapOf(sum, all)), all };
}

function gapOf(counts: Float64Array, all: Float64Array): Float64Array {
  const rows = rowTotal(counts, 0, counts.length);
  const gap = new Float64Array(counts.length);
  if (rows > 0)
    for (let i = 0; i < gap.length; i++) gap[i] = (counts[i] as number) / rows - (all[i] as number);
  return gap;
}

function divide(counts: Float64Array, by: number): void {
  for (let i = 0; i < counts.length; i++) counts[i]! /= by;
}
