import type { BlockCounts } from './block-counts.ts';

/**
 * Counts as if every block's values had moved: numbers by `size` in the column's own unit (a bin's rows lie evenly
 * between the middles to its neighbours), categories by `size` of 1 of the rows from all other levels to the first
 * one. What falls past the ends stays in the outermost bins.
 */
export function plantShift({ bins, positions, reference }: BlockCounts, size: number): Float64Array {
  return positions === null ? moveShare(reference, bins, size) : moveValues(reference, positions, size);
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

function moveValues(counts: Float64Array, positions: Float64Array, size: number): Float64Array {
  const bins = positions.length;
  const ends = binEnds(positions);
  // rows that end below edge i after the shift are those that lay below edge i − size: whole bins and a part of one
  const whole = new Int32Array(bins);
  const parts = new Float64Array(bins);
  let bin = 0;
  for (let i = 0; i < bins - 1; i++) {
    const x = (ends[i + 1] as number) - size;
    while (bin < bins && (ends[bin + 1] as number) <= x) bin++;
    whole[i] = bin;
    if (bin === bins) continue;
    const low = ends[bin] as number;
    const high = ends[bin + 1] as number;
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

/** Ends of bins: halfway to the neighbours' positions, and at the outermost as far again. Bin i is between ends i and i + 1. */
function binEnds(positions: Float64Array): Float64Array {
  const bins = positions.length;
  const ends = new Float64Array(bins + 1);
  for (let i = 1; i < bins; i++) ends[i] = ((positions[i - 1] as number) + (positions[i] as number)) / 2;
  const first = positions[0] as number;
  const last = positions[bins - 1] as number;
  ends[0] = 2 * first - (bins === 1 ? first : (ends[1] as number));
  ends[bins] = 2 * last - (bins === 1 ? last : (ends[bins - 1] as number));
  return ends;
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
