import { logGamma } from './special.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** Two-sample Cramér-von Mises test. */
export interface CramerVonMisesResult {
  /** T = nm/(n+m) ω² */
  readonly statistic: number;
  readonly pValue: number;
  readonly method: 'exact' | 'asymptotic';
}

/**
 * SciPy's `cramervonmises_2samp(method='auto')`: exact while both samples have at most 20 rows, else the limiting
 * distribution of the standardised statistic. Ties take mid-ranks.
 *
 * Source: Anderson (1962), Ann. Math. Statist. 33:1148-1159; Xiao, Gordon, Yakovlev (2006), J. Stat. Softw. 17(8);
 * Csörgő & Faraway (1996), J. R. Stat. Soc. B 58:221-234.
 */
export function cramerVonMises(first: Float64Array, second: Float64Array): CramerVonMisesResult | Undefined {
  const n = first.length;
  const m = second.length;
  if (n < 2 || m < 2) return undefinedBecause('too_few_rows', `${n} and ${m} rows: 2 of each are needed`);
  const a = first.slice().sort();
  const b = second.slice().sort();
  if (Number.isNaN(a[n - 1]) || Number.isNaN(b[m - 1]))
    return undefinedBecause('not_finite', 'a value is NaN');
  const u4 = fourfoldRankSum(a, b);
  const total = n + m;
  const nm = BigInt(n) * BigInt(m);
  // U/(nm(n+m)) − (4nm−1)/(6(n+m)) in whole numbers: its two terms cancel to the last digits for large samples
  const statistic = Number(3n * u4 - 2n * nm * (4n * nm - 1n)) / (12 * n * m * total);
  if (Math.max(n, m) <= 20) return { statistic, pValue: exactP(Number(u4) / 4, n, m), method: 'exact' };
  const mean = (1 + 1 / total) / 6;
  const variance =
    ((total + 1) * (4 * n * m * total - 3 * (n * n + m * m) - 2 * n * m)) / (45 * total ** 2 * 4 * n * m);
  const scaled = 1 / 6 + (statistic - mean) / Math.sqrt(45 * variance);
  const pValue = scaled < 0.003 ? 1 : Math.max(0, 1 - limitCdf(scaled));
  return { statistic, pValue, method: 'asymptotic' };
}

/** 4U, U = n Σ (r(xᵢ) − i)² + m Σ (r(yⱼ) − j)², r the mid-rank in the pooled sample; exact. */
function fourfoldRankSum(a: Float64Array, b: Float64Array): bigint {
  const sums: [bigint, bigint] = [0n, 0n];
  const pending: [number, number] = [0, 0];
  const add = (side: 0 | 1, doubled: number) => {
    pending[side] += doubled * doubled;
    if (pending[side] < 2 ** 51) return;
    sums[side] += BigInt(pending[side]);
    pending[side] = 0;
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    const [fromA, fromB] = [i, j];
    while (i < a.length && a[i] === x) i++;
    while (j < b.length && b[j] === x) j++;
    const doubledRank = fromA + fromB + 1 + i + j;
    for (let k = fromA; k < i; k++) add(0, doubledRank - 2 * (k + 1));
    for (let k = fromB; k < j; k++) add(1, doubledRank - 2 * (k + 1));
  }
  return (
    BigInt(a.length) * (sums[0] + BigInt(pending[0])) + BigInt(b.length) * (sums[1] + BigInt(pending[1]))
  );
}

/** Limiting distribution, P(ω² ≤ x), summed until a term is below 1e-7 as SciPy does. */
function limitCdf(x: number): number {
  let total = 0;
  for (let k = 0; ; k++) {
    const u = Math.exp(logGamma(k + 0.5) - logGamma(k + 1)) / (Math.PI ** 1.5 * Math.sqrt(x));
    const y = 4 * k + 1;
    const q = (y * y) / (16 * x);
    const term = u * Math.sqrt(y) * Math.exp(-q) * besselK(0.25, q);
    total += term;
    if (Math.abs(term) < 1e-7) return total;
  }
}

/** K_ν(z) = ∫₀^∞ exp(−z cosh t) cosh(νt) dt by the trapezoidal rule, which converges exponentially here. */
function besselK(order: number, z: number): number {
  const step = 1 / 64;
  let sum = Math.exp(-z) / 2;
  for (let i = 1; i < 4000; i++) {
    const t = i * step;
    const term = Math.exp(-z * Math.cosh(t)) * Math.cosh(order * t);
    sum += term;
    if (term < sum * 1e-18 || term === 0) break;
  }
  return sum * step;
}

/** Share of the splits of n + m ranks with ζ at least the observed, by Xiao's recursion over frequency tables. */
function exactP(u: number, n: number, m: number): number {
  let [x, y] = [n, m];
  while (y > 0) [x, y] = [y, x % y];
  const lcm = (n / x) * m;
  const stepV = lcm / n;
  const stepU = lcm / m;
  const nm = n * m;
  const zeta = Math.floor((lcm ** 2 * (n + m) * (6 * u - nm * (4 * nm - 1))) / (6 * nm ** 2));
  let tables: Map<number, number>[] = Array.from({ length: n + 1 }, () => new Map<number, number>());
  (tables[0] as Map<number, number>).set(0, 1);
  for (let w = 0; w <= m; w++) {
    const next: Map<number, number>[] = [];
    let row = new Map<number, number>();
    tables.forEach((table, v) => {
      const merged = new Map(row);
      for (const [value, count] of table) merged.set(value, (merged.get(value) ?? 0) + count);
      const square = (stepV * v - stepU * w) ** 2;
      row = new Map([...merged].map(([value, count]) => [value + square, count]));
      next.push(row);
    });
    tables = next;
  }
  let [atLeast, all] = [0, 0];
  for (const [value, count] of tables[n] as Map<number, number>) {
    all += count;
    if (value >= zeta) atLeast += count;
  }
  return atLeast / all;
}
