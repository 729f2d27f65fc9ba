import { type BlockColumn, prepareColumn } from './block-column.ts';
import { seededRandom, shuffle } from './random.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** Columns over the same blocks (days, weeks) and how often to permute. */
export interface BlockPermutationInput {
  readonly columns: readonly BlockColumn[];
  readonly referenceBlocks: number;
  readonly currentBlocks: number;
  /** Random permutations, 3999 unless said; all assignments are listed instead where there are no more of them. */
  readonly permutations?: number;
  readonly seed: number;
  /** Stratum of each block, reference first (its weekday, say), for the columns that are `stratified`. */
  readonly strata?: Int32Array;
}

/** One column's result. */
export interface BlockColumnResult {
  /** The distance observed; for `combined` the studentised maximum. */
  readonly observed: number;
  /** Share of assignments with a distance at least as large, the observed one among them. */
  readonly p: number;
  /** p adjusted over all columns by step-down max-T: the same assignments, the largest studentised distances. */
  readonly pMaxT: number;
}

export interface BlockPermutationResult {
  readonly columns: readonly BlockColumnResult[];
  /** Assignments compared, the observed one among them; 1 / assignments is the smallest p there is. */
  readonly assignments: number;
  /** True where every assignment was listed and p is exact. */
  readonly exact: boolean;
}

/**
 * Permutation test of whole blocks: rows of one block may depend on each other in any way, blocks are
 * exchangeable if nothing drifted. p = #{T* ≥ T} / assignments, valid at any number of them. Stratified columns are
 * assigned within strata, from the same random order of blocks as the others.
 *
 * Source: Westfall & Young (1993), "Resampling-Based Multiple Testing", 2.6 and algorithm 2.8 (step-down max-T); Phipson & Smyth
 * (2010), "Permutation P-values Should Never Be Zero".
 */
export function blockPermutation(input: BlockPermutationInput): BlockPermutationResult | Undefined {
  const { columns, referenceBlocks, currentBlocks, permutations = 3999, seed, strata = null } = input;
  const blocks = referenceBlocks + currentBlocks;
  if (referenceBlocks < 1 || currentBlocks < 1)
    return undefinedBecause(
      'too_few_clusters',
      `${referenceBlocks} reference and ${currentBlocks} current blocks`,
    );
  for (const { bins, reference, current } of columns)
    if (reference.length !== referenceBlocks * bins || current.length !== currentBlocks * bins)
      throw new RangeError('blockPermutation: a column does not hold blocks × bins counts');
  const within = columns.map(({ stratified }) => stratified === true && strata !== null);
  const sides = { referenceBlocks, currentBlocks, permutations, seed };
  const assignments = listAssignments({ ...sides, strata: within.includes(true) ? strata : null });
  const prepared = columns.map((column, c) => prepareColumn(column, within[c] ? strata : null));
  const values = prepared.map(({ components }) =>
    Array.from({ length: components }, () => new Float64Array(assignments.count)),
  );
  const out = new Float64Array(Math.max(1, ...prepared.map(({ components }) => components)));
  const free = new Int32Array(blocks);
  const matched = new Int32Array(blocks);
  for (let t = 0; t < assignments.count; t++) {
    assignments.next(t, free, matched);
    prepared.forEach((column, c) => {
      column.measure(within[c] ? matched : free, assignments.size, out);
      (values[c] as Float64Array[]).forEach((component, k) => {
        component[t] = out[k] as number;
      });
    });
  }
  const single = values.map((parts) =>
    parts.length === 1 ? (parts[0] as Float64Array) : largest(parts.map(studentised)),
  );
  const scaled = single.map(studentised);
  const adjusted = stepDown(scaled);
  return {
    columns: single.map((distances, c) => ({
      observed: distances[0] as number,
      p: shareAtLeast(distances, distances[0] as number),
      pMaxT: adjusted[c] as number,
    })),
    assignments: assignments.count,
    exact: assignments.exact,
  };
}

/** (T − mean) / sd over all assignments; zeros where T never varies. */
function studentised(values: Float64Array): Float64Array {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i] as number;
  const mean = sum / n;
  let square = 0;
  for (let i = 0; i < n; i++) square += ((values[i] as number) - mean) ** 2;
  const sd = Math.sqrt(square / n);
  return values.map((v) => (sd > 1e-12 * Math.abs(mean) ? (v - mean) / sd : 0));
}

/**
 * Adjusted p of each column: the most extreme one against the largest of all columns, the next against the largest
 * of the rest, and so on, made to ascend. The chance of any false alarm is that of the single step, also among the
 * columns that stay where others moved.
 */
function stepDown(scaled: readonly Float64Array[]): number[] {
  const observed = scaled.map((column) => column[0] as number);
  const ascending = [...scaled.keys()].sort((a, b) => (observed[a] as number) - (observed[b] as number));
  const adjusted: number[] = [];
  let rest: Float64Array = new Float64Array(scaled[0]?.length ?? 0).fill(-Infinity);
  for (const c of ascending) {
    rest = largest([rest, scaled[c] as Float64Array]);
    adjusted[c] = shareAtLeast(rest, observed[c] as number);
  }
  let most = 0;
  for (const c of ascending.toReversed()) {
    most = Math.max(most, adjusted[c] as number);
    adjusted[c] = most;
  }
  return adjusted;
}

function largest(rows: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(rows[0]?.length ?? 0).fill(-Infinity);
  for (const row of rows)
    for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i] as number, row[i] as number);
  return out;
}

/** Share of values ≥ x, equal up to rounding included. */
function shareAtLeast(values: Float64Array, x: number): number {
  const limit = x - 1e-10 * Math.max(1e-2, Math.abs(x));
  let count = 0;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) >= limit) count++;
  return count / values.length;
}

interface Assignments {
  readonly count: number;
  readonly exact: boolean;
  /** Blocks in the group that is summed: the smaller side. */
  readonly size: number;
  /**
   * Writes assignment t's group to the front of `free`, and of `matched` with as many blocks of each stratum as were
   * observed; t = 0 is the observed one, t ascends.
   */
  readonly next: (t: number, free: Int32Array, matched: Int32Array) => void;
}

function listAssignments(input: {
  readonly referenceBlocks: number;
  readonly currentBlocks: number;
  readonly permutations: number;
  readonly seed: number;
  readonly strata: Int32Array | null;
}): Assignments {
  const { referenceBlocks: r, currentBlocks: c, permutations, strata } = input;
  const blocks = r + c;
  const size = Math.min(r, c);
  // the smaller side is the group that is summed
  const observed = Int32Array.from({ length: size }, (_, i) => (r <= c ? i : r + i));
  const total = choose(blocks, size);
  if (strata === null && total <= permutations + 1) {
    const combination = Int32Array.from({ length: size }, (_, i) => i);
    return {
      count: total,
      exact: true,
      size,
      next: (t, chosen) => {
        if (t === 0) return chosen.set(observed);
        // walk all combinations in order, the observed one moved to the front
        if (t > 1) advance(combination, blocks);
        if (combination.every((block, i) => block === observed[i])) advance(combination, blocks);
        chosen.set(combination);
      },
    };
  }
  const random = seededRandom(input.seed);
  const order = Int32Array.from({ length: blocks }, (_, i) => i);
  const quotas = strata === null ? null : countByStratum(observed, strata);
  return {
    count: permutations + 1,
    exact: false,
    size,
    next: (t, free, matched) => {
      if (t === 0) {
        free.set(observed);
        matched.set(observed);
        return;
      }
      shuffle(order, random, strata === null ? size : blocks);
      free.set(order.subarray(0, size));
      if (strata !== null && quotas !== null) takeQuotas({ order, strata, quotas }, matched);
    },
  };
}

function countByStratum(group: Int32Array, strata: Int32Array): Int32Array {
  const counts = new Int32Array(1 + strata.reduce((most, stratum) => Math.max(most, stratum), 0));
  for (const block of group) counts[strata[block] as number]! += 1;
  return counts;
}

/** The first blocks in the order, as many of each stratum as its quota. Of one order, so that both kinds of columns move together. */
function takeQuotas(
  { order, strata, quotas }: { order: Int32Array; strata: Int32Array; quotas: Int32Array },
  matched: Int32Array,
): void {
  const left = Int32Array.from(quotas);
  let at = 0;
  for (const block of order) {
    const stratum = strata[block] as number;
    if ((left[stratum] as number) === 0) continue;
    left[stratum]! -= 1;
    matched[at++] = block;
  }
}

function advance(combination: Int32Array, n: number): void {
  const k = combination.length;
  let i = k - 1;
  while (i >= 0 && combination[i] === n - k + i) i--;
  if (i < 0) return;
  combination[i]!++;
  for (let j = i + 1; j < k; j++) combination[j] = (combination[j - 1] as number) + 1;
}

/** n over k, rounded; Infinity past 2⁵³. */
function choose(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) {
    value = (value * (n - k + i)) / i;
    if (value > Number.MAX_SAFE_INTEGER) return Infinity;
  }
  return Math.round(value);
}
