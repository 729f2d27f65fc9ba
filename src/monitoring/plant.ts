import { wassersteinOfShifted } from '../stats/wasserstein.ts';
import type { BlockCounts } from './block-counts.ts';
import { distance, type EffectScale } from './effect.ts';

/**
 * Counts as if every block's values had moved: numbers by `size` in the column's own unit (a bin's rows lie evenly from
 * where it begins to where the next one does), categories by `size` of 1 of the rows from all other levels to the first
 * one. What falls past the ends stays in the outermost bins.
 */
export function plantShift({ bins, starts, reference }: BlockCounts, size: number): Float64Array {
  return starts === undefined ? moveShare(reference, bins, size) : moveValues(reference, starts, size);
}

/**
 * The effect that such a shift of the second side shows, in the scale's unit. Of numbers it is that of the values
 * themselves: counts of the planted bins would put what enters a wide bin at its middle, up to five times too far.
 */
export function plantedDistance(
  counts: BlockCounts,
  { scale, size }: { scale: EffectScale; size: number },
  [before, after]: [Float64Array, Float64Array],
): number {
  const { bins, positions } = counts;
  if (positions === null) return distance(counts, scale, [before, moveShare(after, bins, size)]);
  const raw = wassersteinOfShifted({ values: positions, first: before, second: after, shift: size });
  return typeof raw === 'number' ? raw / scale.sd : 0;
}

function moveShare(counts: Float64Array, bins: number, size: number): Float64Array {
  const moved = counts.slice();
  for (let at = 0; at < counts.length; at += bins) moveRowShare(moved, at, bins, size);
  return moved;
}

function moveRowShare(moved: Float64Array, at: number, bins: number, size: number): void {
  let rest = 0;
  for (let i = 1; i < bins; i++) rest += moved[at + i] as number;
  const taken = Math.min(rest, size * (rest + (moved[at] as number)));
  const factor = rest === 0 ? 1 : 1 - taken / rest;
  for (let i = 1; i < bins; i++) moved[at + i]! *= factor;
  moved[at]! += taken;
}

function moveValues(counts: Float64Array, starts: Float64Array, size: number): Float64Array {
  const bins = starts.length;
  // rows that end below bin i + 1 after the shift are those that lay below its start − size: whole bins and a part of one
  const whole = new Int32Array(bins);
  const parts = new Float64Array(bins);
  let bin = 0;
  for (let i = 0; i < bins - 1; i++) {
    const x = (starts[i + 1] as number) - size;
    while (bin < bins - 1 && (starts[bin + 1] as number) <= x) bin++;
    whole[i] = bin;
    const low = starts[bin] as number;
    const high = starts[bin + 1] as number;
    parts[i] = Math.min(1, Math.max(0, (x - low) / (high - low)));
  }
  whole[bins - 1] = bins;
  const moved = new Float64Array(counts.length);
  const below = new Float64Array(bins + 1);
  for (let at = 0; at < counts.length; at += bins) {
    accumulateInto(below, counts, at);
    moveRow(moved, at, { counts, below, whole, parts });
  }
  return moved;
}

/** Rows of a block below each bin; the last is all of them. */
function accumulateInto(below: Float64Array, counts: Float64Array, at: number): void {
  let sum = 0;
  for (let i = 1; i < below.length; i++) {
    sum += counts[at + i - 1] as number;
    below[i] = sum;
  }
}

function moveRow(
  moved: Float64Array,
  at: number,
  source: { counts: Float64Array; below: Float64Array; whole: Int32Array; parts: Float64Array },
): void {
  const { counts, below, whole, parts } = source;
  let last = 0;
  for (let i = 0; i < whole.length; i++) {
    const from = whole[i] as number;
    let sum = below[from] as number;
    if (from < whole.length) sum += (parts[i] as number) * (counts[at + from] as number);
    moved[at + i] = sum - last;
    last = sum;
  }
}
