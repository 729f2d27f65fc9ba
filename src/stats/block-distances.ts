/** Two groups of blocks over shared bins: cumulative counts of one group and of both, rows of the one and of the rest. */
export interface GroupView {
  readonly group: Float64Array;
  readonly total: Float64Array;
  readonly n: number;
  readonly m: number;
  /** Of the bins, ascending. */
  readonly positions: Float64Array;
}

/** Largest difference of the shares below a bin. */
export function ksOf({ group, total, n, m }: GroupView): number {
  let largest = 0;
  for (let i = 0; i < group.length; i++) {
    const below = group[i] as number;
    const gap = Math.abs(below / n - ((total[i] as number) - below) / m);
    if (gap > largest) largest = gap;
  }
  return largest;
}

/** Half of the summed differences of the bins' shares. */
export function totalVariationOf({ group, total, n, m }: GroupView): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < group.length; i++) {
    const below = group[i] as number;
    const gap = below / n - ((total[i] as number) - below) / m;
    sum += Math.abs(gap - last);
    last = gap;
  }
  return sum / 2;
}

export function wassersteinOf({ group, total, n, m, positions }: GroupView): number {
  let sum = 0;
  for (let i = 0; i + 1 < group.length; i++) {
    const below = group[i] as number;
    const gap = Math.abs(below / n - ((total[i] as number) - below) / m);
    sum += gap * ((positions[i + 1] as number) - (positions[i] as number));
  }
  return sum;
}

/** Writes |difference of means| and |difference of ln sd|; positions have unit variance. */
export function locationAndSpread({ group, total, n, m, positions }: GroupView, out: Float64Array): void {
  let s1 = 0;
  let s2 = 0;
  let o1 = 0;
  let o2 = 0;
  let last = 0;
  let lastTotal = 0;
  for (let i = 0; i < group.length; i++) {
    const count = (group[i] as number) - last;
    const other = (total[i] as number) - lastTotal - count;
    last = group[i] as number;
    lastTotal = total[i] as number;
    const x = positions[i] as number;
    s1 += count * x;
    s2 += count * x * x;
    o1 += other * x;
    o2 += other * x * x;
  }
  const variance = Math.max(0, s2 / n - (s1 / n) ** 2);
  const otherVariance = Math.max(0, o2 / m - (o1 / m) ** 2);
  out[0] = Math.abs(s1 / n - o1 / m);
  // a group narrower than 1e-6 counts as that wide
  out[1] = Math.abs(Math.log(Math.max(variance, 1e-12)) - Math.log(Math.max(otherVariance, 1e-12))) / 2;
}
