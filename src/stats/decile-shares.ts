const parts = 10;

/** The bins that end nearest to the nine deciles of all rows, each once. `total` is cumulative. */
export function decileBins(total: Float64Array): Int32Array {
  const rows = total[total.length - 1] as number;
  const found = new Set<number>();
  for (let part = 1; part < parts && rows > 0; part++) {
    const wanted = (part * rows) / parts;
    let nearest = 0;
    for (let i = 1; i < total.length; i++)
      if (Math.abs((total[i] as number) - wanted) < Math.abs((total[nearest] as number) - wanted))
        nearest = i;
    // below the last row lie all of them, on both sides
    if ((total[nearest] as number) < rows) found.add(nearest);
  }
  return Int32Array.from(found);
}

/**
 * |Difference of the shares of rows at or below| each of the bins given, written to `out` from `at` on. The Kolmogorov-Smirnov
 * distance is the largest such difference; studentised one by one they also show where a column is quiet: the early
 * arrivals of a stormy month move little from day to day, the late ones much.
 */
export function shareBelowDifferences(
  deciles: Int32Array,
  { group, total, n, m }: { group: Float64Array; total: Float64Array; n: number; m: number },
  { out, at }: { out: Float64Array; at: number },
): void {
  for (let d = 0; d < deciles.length; d++) {
    const bin = deciles[d] as number;
    const below = group[bin] as number;
    out[at + d] = Math.abs(below / n - ((total[bin] as number) - below) / m);
  }
}
