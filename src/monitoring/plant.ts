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
  const moved = Float64Array.from(counts);
  for (let start = 0; start < counts.length; start += bins) {
    let rest = 0;
    let rows = 0;
    for (let i = 0; i < bins; i++) {
      rows += counts[start + i] as number;
      if (i > 0) rest += counts[start + i] as number;
    }
    const taken = Math.min(rest, size * rows);
    for (let i = 1; i < bins; i++) moved[start + i]! *= rest === 0 ? 1 : 1 - taken / rest;
    moved[start]! += taken;
  }
  return moved;
}

function moveValues(counts: Float64Array, positions: Float64Array, size: number): Float64Array {
  const bins = positions.length;
  const at = (i: number) => positions[i] as number;
  // edge i is the upper end of bin i; bin 0 begins as far below its middle as it ends above
  const edges = Float64Array.from({ length: bins - 1 }, (_, i) => (at(i) + at(i + 1)) / 2);
  const ends = [
    2 * at(0) - (edges[0] ?? at(0)),
    ...edges,
    2 * at(bins - 1) - (edges[bins - 2] ?? at(bins - 1)),
  ];
  // rows that end below edge i after the shift are those that lay below edge i − size
  const sources = Array.from(edges, (edge) => {
    const x = edge - size;
    let bin = 0;
    while (bin < bins && (ends[bin + 1] as number) <= x) bin++;
    const [low, high] = [ends[bin] as number, ends[bin + 1] ?? Infinity];
    return { bin, part: bin === bins ? 0 : Math.min(1, Math.max(0, (x - low) / (high - low))) };
  });
  const moved = new Float64Array(counts.length);
  const below = new Float64Array(bins + 1);
  for (let start = 0; start < counts.length; start += bins) {
    for (let i = 0; i < bins; i++) below[i + 1] = (below[i] as number) + (counts[start + i] as number);
    let last = 0;
    for (let i = 0; i < bins; i++) {
      const source = sources[i];
      const sum =
        source === undefined
          ? (below[bins] as number)
          : (below[source.bin] as number) + source.part * (counts[start + source.bin] ?? 0);
      moved[start + i] = sum - last;
      last = sum;
    }
  }
  return moved;
}
