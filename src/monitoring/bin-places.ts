import type { SparseCounts } from '../data/sparse-counts.ts';
import { countBelow } from '../stats/sorted.ts';

/** One profile's rows by bin of width 2^exponent. */
export interface GridCounts {
  exponent: number;
  bins: SparseCounts;
}

/** The bins of several profiles on one grid. */
export interface BinPlaces {
  /** Numbers of all bins, ascending. */
  numbers: Float64Array;
  /** For each profile the places of its bins among these. */
  places: Int32Array[];
}

/** So many neighbouring bins are marked in an array; outliers beyond them are sorted. */
const denseBins = 2 ** 16;

/** Puts bins on the grid of 2^to: each into the one in which it lies, or where it is wider, in which its middle lies. */
export function placeOnGrid(profiles: readonly GridCounts[], to: number): BinPlaces {
  const { from, size } = denseRange(profiles, to);
  const used = new Uint8Array(size);
  const outliers: number[] = [];
  const places = profiles.map(({ exponent, bins }) => {
    const step = stepTo(exponent, to);
    const slots = new Int32Array(bins.length >> 1);
    if (!fillSlots(slots, bins, used, { ...step, from })) gatherOutliers(slots, bins, step, outliers);
    return slots;
  });
  const numbers = allNumbers(used, from, outliers);
  const placeOfSlot = countUp(used, countBelow(numbers, from));
  const placeOfOutlier = Int32Array.from(outliers, (number) => countBelow(numbers, number));
  for (const slots of places) replaceSlots(slots, placeOfSlot, placeOfOutlier);
  return { numbers, places };
}

/** What turns a bin's number into that of another width: a bin that is divided goes with its middle. */
interface Step {
  middle: number;
  width: number;
}

function stepTo(exponent: number, to: number): Step {
  return { middle: exponent > to ? 0.5 : 0, width: 2 ** (exponent - to) };
}

/** Writes how far each bin lies behind the first of the dense ones, -1 where it is none of them; whether all are. */
function fillSlots(
  slots: Int32Array,
  bins: SparseCounts,
  used: Uint8Array,
  { middle, width, from }: Step & { from: number },
): boolean {
  let all = true;
  for (let i = 0; i < slots.length; i++) {
    const slot = Math.floor(((bins[2 * i] as number) + middle) * width) - from;
    if (slot >= 0 && slot < used.length) {
      used[slot] = 1;
      slots[i] = slot;
    } else {
      slots[i] = -1;
      all = false;
    }
  }
  return all;
}

/** Appends the numbers of bins without a slot; these get -1 for the first outlier, -2 for the second, and so on. */
function gatherOutliers(
  slots: Int32Array,
  bins: SparseCounts,
  { middle, width }: Step,
  outliers: number[],
): void {
  for (let i = 0; i < slots.length; i++)
    if (slots[i] === -1) slots[i] = -outliers.push(Math.floor(((bins[2 * i] as number) + middle) * width));
}

function replaceSlots(slots: Int32Array, placeOfSlot: Int32Array, placeOfOutlier: Int32Array): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as number;
    slots[i] = (slot >= 0 ? placeOfSlot[slot] : placeOfOutlier[-1 - slot]) as number;
  }
}

/** Where most bins lie: all of them, or those around the middle one of the profile that has most. */
function denseRange(profiles: readonly GridCounts[], to: number): { from: number; size: number } {
  let first = Infinity;
  let last = -Infinity;
  let middle = 0;
  let most = 0;
  for (const { exponent, bins } of profiles) {
    const length = bins.length >> 1;
    if (length === 0) continue;
    const step = stepTo(exponent, to);
    const numberAt = (i: number) => Math.floor(((bins[2 * i] as number) + step.middle) * step.width);
    first = Math.min(first, numberAt(0));
    last = Math.max(last, numberAt(length - 1));
    if (length > most) {
      most = length;
      middle = numberAt(length >> 1);
    }
  }
  if (most === 0) return { from: 0, size: 0 };
  return last - first < denseBins
    ? { from: first, size: last - first + 1 }
    : { from: middle - denseBins / 2, size: denseBins };
}

function allNumbers(used: Uint8Array, from: number, outliers: readonly number[]): Float64Array {
  const apart = Float64Array.from(outliers).sort();
  const distinct = apart.filter((number, i) => i === 0 || number !== apart[i - 1]);
  const below = countBelow(distinct, from);
  const near = usedNumbers(used, from);
  const numbers = new Float64Array(distinct.length + near.length);
  numbers.set(distinct.subarray(0, below));
  numbers.set(near, below);
  numbers.set(distinct.subarray(below), below + near.length);
  return numbers;
}

/** The numbers of the used slots, of which the first is that of `from`. */
function usedNumbers(used: Uint8Array, from: number): Float64Array {
  const numbers = new Float64Array(used.length);
  let end = 0;
  for (let slot = 0; slot < used.length; slot++) if (used[slot] === 1) numbers[end++] = from + slot;
  return numbers.subarray(0, end);
}

/** The place of each used slot, counted from `first` on. */
function countUp(used: Uint8Array, first: number): Int32Array {
  const places = new Int32Array(used.length);
  let place = first;
  for (let slot = 0; slot < used.length; slot++) if (used[slot] === 1) places[slot] = place++;
  return places;
}
