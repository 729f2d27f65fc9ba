import { listAssignments } from '../stats/block-assignments.ts';
import { allBlocks } from '../stats/block-column.ts';
import { sumChosenRows, sumOfRows } from '../stats/block-rows.ts';
import { significantShifts } from '../stats/detectable-shift.ts';
import type { Candidate } from './aspects.ts';
import type { BlockCounts } from './block-counts.ts';
import type { SmallestDetectable } from './drift-report.ts';
import { plantedDistance, plantShift } from './plant.ts';
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
  const dealt = dealtSides(counts, permuted);
  // what was permuted can hold fewer rows of one side
  const tested = allBlocks(permuted.column);
  const isSignificant = significantShifts({ ...permuted, power });
  const found = (value: number) => {
    const planted = { scale, size: value * size };
    const { before, after } = dealt;
    let large = 0;
    for (let start = 0; start < after.length; start += counts.bins) {
      const of = (rows: Float64Array) => rows.subarray(start, start + counts.bins);
      if (plantedDistance(counts, planted, [of(before), of(after)]) >= threshold.value) large++;
    }
    if (large < (power * after.length) / counts.bins) return false;
    return isSignificant(plantShift({ ...counts, reference: tested }, planted.size));
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

/** Rows of deals × bins: of both sides, for blocks dealt to them at random as the permutation deals them. */
interface DealtSides {
  before: Float64Array;
  after: Float64Array;
}

function dealtSides(counts: BlockCounts, { strata }: Permuted): DealtSides {
  const { bins, reference, current } = counts;
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
  const still = allBlocks(counts);
  const whole = sumOfRows(still, bins);
  // the first assignment is the window as it was seen
  const [groups, rests] = [0, 1].map(() => new Float64Array((assignments.count - 1) * bins)) as [
    Float64Array,
    Float64Array,
  ];
  for (let t = 0; t < assignments.count; t++) {
    assignments.next(t, free, matched);
    if (t === 0) continue;
    const at = (t - 1) * bins;
    const group = groups.subarray(at, at + bins);
    sumChosenRows(still, strata === null ? free : matched, assignments.size, group);
    for (let bin = 0; bin < bins; bin++) rests[at + bin] = (whole[bin] as number) - (group[bin] as number);
  }
  return referenceBlocks <= currentBlocks
    ? { before: groups, after: rests }
    : { before: rests, after: groups };
}
