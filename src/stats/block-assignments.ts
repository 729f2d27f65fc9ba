import { seededRandom, shuffle } from './random.ts';

/** Assignments of blocks to two sides. */
export interface Assignments {
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

/**
 * All assignments where there are no more of them than permutations asked for (and no strata), else random ones.
 */
export function listAssignments(input: {
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
