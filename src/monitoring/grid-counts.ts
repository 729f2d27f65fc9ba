import type { SparseCounts } from '../data/sparse-counts.ts';
import { countBelow } from '../stats/sorted.ts';

/** One profile's rows by bin of width 2^exponent, of one of the two sides. */
export interface GridPart {
  exponent: number;
  bins: SparseCounts;
  side: 0 | 1;
}

/** Profiles on one grid: a bin is there where it holds a row of either side. */
export interface GridCounts {
  /** Numbers of all bins, ascending. */
  numbers: Float64Array;
  /** Rows by bin of both sides. */
  counts: [Float64Array, Float64Array];
  /** Rows of each profile. */
  rows: Float64Array;
  /** Prepares adding a profile's rows to those of groups of bins, which begin at `at`; `groupOf` has each bin's. */
  grouped: (groupOf: Int32Array) => (part: GridPart, groups: Float64Array, at: number) => void;
}

/** So many neighbouring bins are counted in an array; outliers beyond them in a map. */
const denseBins = 2 ** 16;

/**
 * Puts profiles on the grid of 2^to: each bin's rows into the one in which it lies, or where it is wider, in which its
 * middle lies. Each profile is gone through once here and once for its groups: a check has millions of bins.
 */
export function countOnGrid(parts: readonly GridPart[], to: number): GridCounts {
  const range = denseRange(parts, to);
  const { from, size } = range;
  const dense = [new Float64Array(size), new Float64Array(size)] as const;
  const outliers = new Map<number, [number, number]>();
  const rows = Float64Array.from(parts, (part) => {
    const run = runInside(part, to, range);
    let sum = addRun(dense[part.side], from, run);
    for (const [number, n] of outside(run)) {
      const known = outliers.get(number) ?? [0, 0];
      known[part.side] += n;
      outliers.set(number, known);
      sum += n;
    }
    return sum;
  });
  const slots = usedSlots(dense);
  const far = Float64Array.from(outliers.keys()).sort();
  const below = countBelow(far, from);
  const numbers = new Float64Array(far.length + slots.length);
  const counts: GridCounts['counts'] = [new Float64Array(numbers.length), new Float64Array(numbers.length)];
  const placeOfOutlier = new Map<number, number>();
  far.forEach((number, i) => {
    const place = i < below ? i : i + slots.length;
    placeOfOutlier.set(number, place);
    numbers[place] = number;
    for (const side of [0, 1] as const) counts[side][place] = outliers.get(number)?.[side] ?? 0;
  });
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as number;
    numbers[below + i] = from + slot;
    counts[0][below + i] = dense[0][slot] as number;
    counts[1][below + i] = dense[1][slot] as number;
  }
  const grouped: GridCounts['grouped'] = (groupOf) => {
    const groupOfSlot = new Int32Array(size);
    for (let i = 0; i < slots.length; i++) groupOfSlot[slots[i] as number] = groupOf[below + i] as number;
    return (part, groups, at) => {
      const run = runInside(part, to, range);
      addToGroups(groups, at, { groupOfSlot, from }, run);
      for (const [number, n] of outside(run))
        groups[at + (groupOf[placeOfOutlier.get(number) as number] as number)]! += n;
    };
  };
  return { numbers, counts, rows, grouped };
}

/** What turns a bin's number into that of another width: a bin that is divided goes with its middle. */
interface Step {
  middle: number;
  width: number;
}

function stepTo(exponent: number, to: number): Step {
  return { middle: exponent > to ? 0.5 : 0, width: 2 ** (exponent - to) };
}

function numberOf(bin: number, { middle, width }: Step): number {
  return Math.floor((bin + middle) * width);
}

/** Neighbouring bins, which begin with this number. */
interface Dense {
  from: number;
  size: number;
}

/** The bins of a profile that are dense ones: those from `start` to `end` in the flat array. */
interface Run {
  bins: SparseCounts;
  step: Step;
  start: number;
  end: number;
}

function runInside({ exponent, bins }: GridPart, to: number, { from, size }: Dense): Run {
  const step = stepTo(exponent, to);
  const run = { bins, step, start: 0, end: bins.length };
  if (run.end === 0) return run;
  if (numberOf(bins[0] as number, step) < from) run.start = firstFrom(bins, step, from);
  if (numberOf(bins[run.end - 2] as number, step) >= from + size)
    run.end = firstFrom(bins, step, from + size);
  return run;
}

/** Where the first bin of at least this number lies in the flat array. */
function firstFrom(bins: SparseCounts, step: Step, number: number): number {
  let low = 0;
  let high = bins.length >> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numberOf(bins[2 * middle] as number, step) < number) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** Numbers and rows of a profile's other bins that hold a row. */
function outside({ bins, step, start, end }: Run): [number, number][] {
  const found: [number, number][] = [];
  for (let i = start === 0 ? end : 0; i < bins.length; i = i + 2 === start ? end : i + 2) {
    const n = bins[i + 1] as number;
    if (n > 0) found.push([numberOf(bins[i] as number, step), n]);
  }
  return found;
}

/** Adds a profile's rows to the dense ones; gives their number. Bins of 32 bits that become no finer are shifted: in most checks all are. */
function addRun(dense: Float64Array, from: number, { bins, step, start, end }: Run): number {
  const shift = shiftOf(bins, step);
  if (shift !== null) return addShifted(dense, from, bins as Int32Array, { shift, start, end });
  let rows = 0;
  for (let i = start; i < end; i += 2) {
    const n = bins[i + 1] as number;
    dense[numberOf(bins[i] as number, step) - from]! += n;
    rows += n;
  }
  return rows;
}

function shiftOf(bins: SparseCounts, { width }: Step): number | null {
  return bins instanceof Int32Array && width <= 1 && width >= 2 ** -31 ? -Math.log2(width) : null;
}

interface Shifted {
  shift: number;
  start: number;
  end: number;
}

function addShifted(
  dense: Float64Array,
  from: number,
  bins: Int32Array,
  { shift, start, end }: Shifted,
): number {
  let rows = 0;
  for (let i = start; i < end; i += 2) {
    const n = bins[i + 1] as number;
    dense[((bins[i] as number) >> shift) - from]! += n;
    rows += n;
  }
  return rows;
}

interface Groups {
  groupOfSlot: Int32Array;
  from: number;
}

function addToGroups(
  groups: Float64Array,
  at: number,
  { groupOfSlot, from }: Groups,
  { bins, step, start, end }: Run,
): void {
  const shift = shiftOf(bins, step);
  if (shift !== null) {
    addShiftedToGroups(groups, at, { groupOfSlot, from, bins: bins as Int32Array, shift, start, end });
    return;
  }
  for (let i = start; i < end; i += 2) {
    const slot = numberOf(bins[i] as number, step) - from;
    groups[at + (groupOfSlot[slot] as number)]! += bins[i + 1] as number;
  }
}

function addShiftedToGroups(
  groups: Float64Array,
  at: number,
  { groupOfSlot, from, bins, shift, start, end }: Groups & Shifted & { bins: Int32Array },
): void {
  for (let i = start; i < end; i += 2) {
    const group = groupOfSlot[((bins[i] as number) >> shift) - from] as number;
    groups[at + group]! += bins[i + 1] as number;
  }
}

/** Where most bins lie: all of them, or those around the middle one of the profile that has most. */
function denseRange(parts: readonly GridPart[], to: number): Dense {
  let first = Infinity;
  let last = -Infinity;
  let middle = 0;
  let most = 0;
  for (const { exponent, bins } of parts) {
    const { length } = bins;
    if (length === 0) continue;
    const step = stepTo(exponent, to);
    first = Math.min(first, numberOf(bins[0] as number, step));
    last = Math.max(last, numberOf(bins[length - 2] as number, step));
    if (length > most) {
      most = length;
      middle = numberOf(bins[2 * (length >> 2)] as number, step);
    }
  }
  if (most === 0) return { from: 0, size: 0 };
  return last - first < denseBins
    ? { from: first, size: last - first + 1 }
    : { from: middle - denseBins / 2, size: denseBins };
}

/** Which of the dense bins hold a row. */
function usedSlots([before, after]: readonly [Float64Array, Float64Array]): Int32Array {
  const slots = new Int32Array(before.length);
  let end = 0;
  for (let slot = 0; slot < before.length; slot++)
    if ((before[slot] as number) + (after[slot] as number) > 0) slots[end++] = slot;
  return slots.subarray(0, end);
}
