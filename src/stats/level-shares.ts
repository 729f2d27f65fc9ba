/** A level with less than this share of all rows is judged by the total variation alone. */
const commonShare = 0.01;
const mostLevels = 50;

/** Bins that hold at least one in a hundred rows of both sides together, the largest 50. `total` is cumulative. */
export function commonLevels(total: Float64Array): Int32Array {
  const rows = total[total.length - 1] as number;
  const size = (bin: number) => (total[bin] as number) - (bin > 0 ? (total[bin - 1] as number) : 0);
  const common = [...total.keys()].filter((bin) => rows > 0 && size(bin) >= commonShare * rows);
  return Int32Array.from(common.sort((a, b) => size(b) - size(a) || a - b).slice(0, mostLevels));
}

/** |Difference of the shares| of each level given, written to `out` from `at` on; `group` and `total` are cumulative. */
export function shareDifferences(
  levels: Int32Array,
  { group, total, n, m }: { group: Float64Array; total: Float64Array; n: number; m: number },
  { out, at }: { out: Float64Array; at: number },
): void {
  for (let l = 0; l < levels.length; l++) {
    const bin = levels[l] as number;
    const own = (group[bin] as number) - (bin > 0 ? (group[bin - 1] as number) : 0);
    const all = (total[bin] as number) - (bin > 0 ? (total[bin - 1] as number) : 0);
    out[at + l] = Math.abs(own / n - (all - own) / m);
  }
}
