import type { SparseCounts } from '../data/sparse-counts.ts';

/** A profile's rows by bins of width 2^exponent, and the mean of their values. */
interface Profile {
  exponent: number;
  bins: SparseCounts;
  mean: number | null;
}

/** A bin of fewer rows, as a share of all, says too little of where its own mean lies. */
const fullest = 1 / 8;

/**
 * Rows of a profile by bins of width 2^to, finer than its own: each of its bins at its middle, but the fullest where the
 * profile's mean says that it lies. A day of which a tenth is in another unit has bins wider than all that the other
 * nine tenths are, and these, at the middle of one, would look moved by several times their width. What is known of the
 * other bins' rows is their middle; their errors cancel where they are many. Null where no bin is that full, or where
 * the mean says nothing, since values are so far apart that its rounding is all that is left.
 */
export function aroundMean({ exponent, bins, mean }: Profile, to: number): number[] | null {
  const step = 2 ** (exponent - to);
  const width = 2 ** exponent;
  let rows = 0;
  let sum = 0;
  let at = 0;
  for (let i = 0; i < bins.length; i += 2) {
    const n = bins[i + 1] as number;
    rows += n;
    sum += n * ((bins[i] as number) + 0.5) * width;
    if (n > (bins[at + 1] as number)) at = i;
  }
  const most = bins[at + 1] ?? 0;
  if (mean === null || most === 0 || most < fullest * rows) return null;
  const off = (rows * mean - sum) / most;
  if (!(Math.abs(off) <= width)) return null;
  const first = (bins[at] as number) * step;
  const placed = Math.floor((bins[at] as number) * step + 0.5 * step + off / 2 ** to);
  return Array.from(bins, (value, i) => {
    if (i % 2 === 1) return value;
    return i === at ? Math.min(first + step - 1, Math.max(first, placed)) : Math.floor((value + 0.5) * step);
  });
}
