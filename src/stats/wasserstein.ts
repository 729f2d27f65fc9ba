import { type Undefined, undefinedBecause } from './undefined.ts';

/**
 * First Wasserstein distance ∫ |F₁ − F₂| dx of two samples, in the column's unit; SciPy's
 * `wasserstein_distance`. O(n log n).
 */
export function wasserstein(first: Float64Array, second: Float64Array): number | Undefined {
  if (first.length === 0 || second.length === 0) return undefinedBecause('empty', 'a sample has no rows');
  return wassersteinSorted(first.slice().sort(), second.slice().sort());
}

/** The same for ascending samples. */
export function wassersteinSorted(a: Float64Array, b: Float64Array): number | Undefined {
  const last = Math.max(a[a.length - 1] as number, b[b.length - 1] as number);
  const least = Math.min(a[0] as number, b[0] as number);
  if (!Number.isFinite(last) || !Number.isFinite(least))
    return undefinedBecause('not_finite', 'a value is not a finite number');
  const n = a.length;
  const m = b.length;
  let i = 0;
  let j = 0;
  let x = least;
  let sum = 0;
  while (i < n && j < m) {
    const one = a[i] as number;
    const other = b[j] as number;
    const next = one < other ? one : other;
    sum += Math.abs(i / n - j / m) * (next - x);
    x = next;
    if (one === next) while (i < n && a[i] === next) i++;
    if (other === next) while (j < m && b[j] === next) j++;
  }
  // one sample is used up: the other's rest lies above it
  for (; i < n; i++) {
    sum += (1 - i / n) * ((a[i] as number) - x);
    x = a[i] as number;
  }
  for (; j < m; j++) {
    sum += (1 - j / m) * ((b[j] as number) - x);
    x = b[j] as number;
  }
  return sum;
}

/** The same from counts on shared ascending values (bin centres give the distance to within a bin's width). */
export function wassersteinFromCounts(input: {
  readonly values: Float64Array;
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
}): number | Undefined {
  const { values, first, second } = input;
  const [n, m] = [total(first), total(second)];
  if (n === 0 || m === 0) return undefinedBecause('empty', 'a sample has no rows');
  let sum = 0;
  let below = 0;
  let belowOther = 0;
  for (let i = 0; i + 1 < values.length; i++) {
    below += first[i] as number;
    belowOther += second[i] as number;
    sum += Math.abs(below / n - belowOther / m) * ((values[i + 1] as number) - (values[i] as number));
  }
  return sum;
}

/**
 * The same where the second sample's values all lie `shift` higher than the shared ones. O(number of values).
 */
export function wassersteinOfShifted(input: {
  readonly values: Float64Array;
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
  readonly shift: number;
}): number | Undefined {
  const { values, first, second, shift } = input;
  const [n, m] = [total(first), total(second)];
  if (n === 0 || m === 0) return undefinedBecause('empty', 'a sample has no rows');
  let [i, j, below, belowOther, sum] = [0, 0, 0, 0, 0];
  let x = 0;
  while (i < values.length || j < values.length) {
    const one = i < values.length ? (values[i] as number) : Infinity;
    const other = j < values.length ? (values[j] as number) + shift : Infinity;
    const next = Math.min(one, other);
    const gap = Math.abs(below / n - belowOther / m);
    if (gap > 0) sum += gap * (next - x);
    x = next;
    if (one === next) below += first[i++] as number;
    if (other === next) belowOther += second[j++] as number;
  }
  return sum;
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] as number;
  return sum;
}

/** Standard deviation with divisor n (ddof 0), two passes; `counts` repeats values where given. */
export function standardDeviation(
  values: ArrayLike<number>,
  counts: ArrayLike<number> | null = null,
): number {
  let n = values.length;
  let sum = 0;
  let square = 0;
  if (counts === null) {
    for (let i = 0; i < n; i++) sum += values[i] as number;
    const mean = sum / n;
    for (let i = 0; i < n; i++) square += ((values[i] as number) - mean) ** 2;
    return Math.sqrt(square / n);
  }
  n = 0;
  for (let i = 0; i < values.length; i++) {
    n += counts[i] as number;
    sum += (counts[i] as number) * (values[i] as number);
  }
  const mean = sum / n;
  for (let i = 0; i < values.length; i++)
    square += (counts[i] as number) * ((values[i] as number) - mean) ** 2;
  return Math.sqrt(square / n);
}

/** distance / sd(reference, ddof 0); null where the reference is constant and the unit does not exist. */
export function normedWasserstein(distance: number, referenceSd: number): number | null {
  return referenceSd > 0 ? distance / referenceSd : distance === 0 ? 0 : null;
}
