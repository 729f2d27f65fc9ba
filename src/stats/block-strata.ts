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
  const { shares, all } = sharesOf({ bins, counts, strata });
  const out = Float64Array.from(counts);
  for (let block = 0; block < strata.length; block++) {
    const own = shares.get(strata[block] as number) as Float64Array;
    const rows = rowsOf(counts, bins, block);
    for (let i = 0; i < bins; i++) out[block * bins + i]! -= rows * ((own[i] as number) - (all[i] as number));
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
  const { shares, all } = sharesOf({ bins, counts, strata });
  let between = 0;
  let whole = 0;
  for (let block = 0; block < strata.length; block++) {
    const rows = rowsOf(counts, bins, block);
    if (rows === 0) continue;
    const own = shares.get(strata[block] as number) as Float64Array;
    let [block2, stratum2, d, e] = [0, 0, 0, 0];
    for (let i = 0; i < bins; i++) {
      const here = (counts[block * bins + i] as number) / rows - (all[i] as number);
      const there = (own[i] as number) - (all[i] as number);
      d = ordered ? d + here : here;
      e = ordered ? e + there : there;
      block2 += d * d;
      stratum2 += e * e;
    }
    whole += rows * block2;
    between += rows * stratum2;
  }
  const blocks = strata.length;
  const groups = shares.size;
  if (!(whole > 0) || blocks <= groups) return 0;
  return 1 - ((1 - between / whole) * (blocks - 1)) / (blocks - groups);
}

function sharesOf({ bins, counts, strata }: StratifiedCounts): {
  shares: Map<number, Float64Array>;
  all: Float64Array;
} {
  const sums = new Map<number, Float64Array>();
  const all = new Float64Array(bins);
  for (let block = 0; block < strata.length; block++) {
    const stratum = strata[block] as number;
    const sum = sums.get(stratum) ?? new Float64Array(bins);
    sums.set(stratum, sum);
    for (let i = 0; i < bins; i++) {
      const n = counts[block * bins + i] as number;
      sum[i]! += n;
      all[i]! += n;
    }
  }
  const scaled = (sum: Float64Array): Float64Array => {
    const rows = sum.reduce((total, n) => total + n, 0);
    return rows > 0 ? sum.map((n) => n / rows) : Float64Array.from(all, (n) => n / Math.max(1, total));
  };
  const total = all.reduce((sum, n) => sum + n, 0);
  return { shares: new Map([...sums].map(([stratum, sum]) => [stratum, scaled(sum)])), all: scaled(all) };
}

/** Rows of one block. */
export function rowsOf(counts: Float64Array, bins: number, block: number): number {
  let rows = 0;
  for (let i = 0; i < bins; i++) rows += counts[block * bins + i] as number;
  return rows;
}
