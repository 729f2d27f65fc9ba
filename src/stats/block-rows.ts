/**
 * Sums over rows of counts, each `length` long. Small functions without closures: a check runs each some ten thousand
 * times and once a day, so what compiling them costs matters as much as how fast they are then.
 */

/** Adds the numbers from `at` on to those of `out` from `to` on. */
export function addRow(out: Float64Array, to: number, rows: Float64Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) out[to + i]! += rows[at + i] as number;
}

/** The same for as many numbers as `scaled` has, times a factor. */
export function addScaled(out: Float64Array, to: number, scaled: Float64Array, factor: number): void {
  for (let i = 0; i < scaled.length; i++) out[to + i]! += factor * (scaled[i] as number);
}

/** Sum of the numbers from `at` on. */
export function rowTotal(rows: Float64Array, at: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += rows[at + i] as number;
  return sum;
}

/** Replaces the numbers from `at` on by how many lie up to each. */
export function accumulateRow(rows: Float64Array, at: number, length: number): void {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    sum += rows[at + i] as number;
    rows[at + i] = sum;
  }
}

/** Sum of all rows, each `length` long. */
export function sumOfRows(rows: Float64Array, length: number): Float64Array {
  const sum = new Float64Array(length);
  for (let at = 0; at < rows.length; at += length) addRow(sum, 0, rows, at, length);
  return sum;
}

/** Writes the sum of the chosen rows, the first k of `chosen`, each as long as `out`; four at a time. */
export function sumChosenRows(rows: Float64Array, chosen: Int32Array, k: number, out: Float64Array): void {
  const length = out.length;
  out.fill(0);
  let c = 0;
  for (; c + 4 <= k; c += 4) {
    const one = (chosen[c] as number) * length;
    const two = (chosen[c + 1] as number) * length;
    const three = (chosen[c + 2] as number) * length;
    const four = (chosen[c + 3] as number) * length;
    for (let i = 0; i < length; i++)
      out[i]! +=
        (rows[one + i] as number) +
        (rows[two + i] as number) +
        (rows[three + i] as number) +
        (rows[four + i] as number);
  }
  for (; c < k; c++) addRow(out, 0, rows, (chosen[c] as number) * length, length);
}
