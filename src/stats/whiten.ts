/** Sums over the rows of each block: blocks × k numbers. */
export interface BlockSums {
  readonly sums: readonly Float64Array[];
  /** Rows per block. */
  readonly rows: Float64Array;
}

/**
 * Turns block sums so that directions in which blocks differ among themselves count less: with e_b = S_b − n_b mean,
 * C = Σ e_b e_bᵀ and L Lᵀ = C + ridge · (trace C / k) · I, gives L⁻¹ S_b. Squared lengths of differences are then
 * those of the regularised Fisher discriminant. No assignment of blocks to sides changes the result. Unchanged where
 * no block differs from another.
 *
 * Source: Harchaoui, Bach & Moulines (2008), "Testing for Homogeneity with Kernel Fisher Discriminant Analysis";
 * blocks here stand for their independent rows.
 */
export function whitenBlocks({ sums, rows }: BlockSums, ridge: number): readonly Float64Array[] {
  const k = sums[0]?.length ?? 0;
  const whole = rows.reduce((sum, n) => sum + n, 0);
  const mean = new Float64Array(k);
  for (const sum of sums) for (let i = 0; i < k; i++) mean[i]! += (sum[i] as number) / whole;
  const matrix = new Float64Array(k * k);
  sums.forEach((sum, block) => {
    const off = sum.map((value, i) => (value - (rows[block] as number) * (mean[i] as number)) / whole);
    for (let i = 0; i < k; i++)
      for (let j = 0; j <= i; j++) matrix[i * k + j]! += (off[i] as number) * (off[j] as number);
  });
  let trace = 0;
  for (let i = 0; i < k; i++) trace += matrix[i * k + i] as number;
  if (!(trace > 1e-30)) return sums;
  for (let i = 0; i < k; i++) matrix[i * k + i]! += (ridge * trace) / k;
  factorise(matrix, k);
  return sums.map((sum) => solveLower(matrix, sum));
}

/** Cholesky factor of a symmetric positive matrix, k × k, in its lower half in place. */
function factorise(matrix: Float64Array, k: number): void {
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * k + j] as number;
      for (let l = 0; l < j; l++) value -= (matrix[i * k + l] as number) * (matrix[j * k + l] as number);
      matrix[i * k + j] = i === j ? Math.sqrt(value) : value / (matrix[j * k + j] as number);
    }
}

/** y with L y = x; L lower triangular, k × k. */
function solveLower(lower: Float64Array, x: Float64Array): Float64Array {
  const k = x.length;
  const y = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    let value = x[i] as number;
    for (let j = 0; j < i; j++) value -= (lower[i * k + j] as number) * (y[j] as number);
    y[i] = value / (lower[i * k + i] as number);
  }
  return y;
}
