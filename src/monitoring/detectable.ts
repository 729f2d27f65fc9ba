import { listAssignments } from '../stats/block-assignments.ts';
import { significantShift } from '../stats/detectable-shift.ts';
import type { Candidate } from './aspects.ts';
import { type BlockCounts, sumBlocks } from './block-counts.ts';
import type { SmallestDetectable } from './drift-report.ts';
import { distance } from './effect.ts';
import { plantShift } from './plant.ts';
import type { Permuted } from './significance.ts';

/** The chance with which the smallest shift is found. */
export const power = 0.8;
/** Sizes among which a smallest shift is searched: standard deviations of the column, or points of share. */
export const searched = { sd: [0.005, 4], points: [0.1, 60] } as const;

const halvings = 8;

/** Sides dealt at random to see what effect a shift would show beside chance. */
const deals = 20;

/**
 * The smallest shift of the whole window (of the mean; for categories of share to the most frequent level) that is
 * significant with 80 % power, and whose effect reaches its threshold in 80 % of sides dealt from the window's own blocks;
 * by halving on a logarithmic scale to 3 %. Null where the column was not tested, its reference is constant, or the
 * largest size searched is too small.
 */
export function smallestDetectable(
  { aspect, counts, scale, threshold }: Candidate,
  permuted: Permuted | null,
): SmallestDetectable | null {
  const unit = scale.unit;
  if (permuted === null || aspect !== 'distribution' || unit === 'value') return null;
  // in the terms of plantShift
  const size = unit === 'sd' ? scale.sd : 0.01;
  const still = bothSides(counts);
  const sides = dealtSides(still, counts, permuted);
  // what was permuted can hold fewer rows of one side
  const tested = bothSides(permuted.column);
  const found = (value: number) => {
    const plant = (reference: Float64Array) => plantShift({ ...counts, reference }, value * size);
    const large = sides.filter(
      ([before, after]) => distance(counts, scale, [before, plant(after)]) >= threshold.value,
    );
    return large.length >= power * sides.length && significantShift({ ...permuted, power }, plant(tested));
  };
  let [low, high] = searched[unit] as readonly [number, number];
  if (!found(high)) return null;
  for (let i = 0; i < halvings; i++) {
    const middle = Math.sqrt(low * high);
    if (found(middle)) high = middle;
    else low = middle;
  }
  return { value: high, unit, shift: unit === 'sd' ? high * size : null };
}

function bothSides({ reference, current }: Record<'reference' | 'current', ArrayLike<number>>): Float64Array {
  const both = new Float64Array(reference.length + current.length);
  both.set(reference);
  both.set(current, reference.length);
  return both;
}

/** Rows per bin of both sides, for blocks dealt to them at random as the permutation deals them. */
function dealtSides(
  still: Float64Array,
  { bins, reference, current }: BlockCounts,
  { strata }: Permuted,
): [Float64Array, Float64Array][] {
  const [referenceBlocks, currentBlocks] = [reference.length / bins, current.length / bins];
  const blocks = referenceBlocks + currentBlocks;
  const assignments = listAssignments({
    referenceBlocks,
    currentBlocks,
    permutations: deals,
    seed: 0,
    strata,
  });
  const [free, matched] = [new Int32Array(blocks), new Int32Array(blocks)];
  const whole = sumBlocks(still, bins);
  const sides: [Float64Array, Float64Array][] = [];
  for (let t = 0; t < assignments.count; t++) {
    assignments.next(t, free, matched);
    // the first is the window as it was seen
    if (t === 0) continue;
    const group = new Float64Array(bins);
    for (const block of (strata === null ? free : matched).subarray(0, assignments.size))
      for (let bin = 0; bin < bins; bin++) group[bin]! += still[block * bins + bin] as number;
    const rest = whole.map((n, bin) => n - (group[bin] as number));
    sides.push(referenceBlocks <= currentBlocks ? [group, rest] : [rest, group]);
  }
  return sides;
}
