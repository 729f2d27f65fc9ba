import { kolmogorovSf } from './kolmogorov.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** Two-sample Kolmogorov-Smirnov test. */
export interface KsResult {
  /** max |F₁ − F₂| */
  readonly statistic: number;
  readonly pValue: number;
  readonly method: 'exact' | 'asymptotic';
}

/** Counts of two samples on shared values: `values` ascending, `first[i]` and `second[i]` rows at values[i]. */
export interface SharedCounts {
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
}

const MAX_EXACT = 10_000;

/**
 * SciPy's `ks_2samp(method='auto')`: exact p while both samples have at most 10,000 rows, else (and where exact
 * arithmetic fails) the distribution of Dₙ at n = round(n₁n₂/(n₁+n₂)). Ties make p conservative. O(n log n).
 */
export function ksTwoSample(first: Float64Array, second: Float64Array): KsResult | Undefined {
  const a = first.slice().sort();
  const b = second.slice().sort();
  if (a.length === 0 || b.length === 0) return undefinedBecause('empty', 'a sample has no rows');
  if (Number.isNaN(a.at(-1)) || Number.isNaN(b.at(-1)))
    return undefinedBecause('not_finite', 'a value is NaN');
  return ksPValue(ksStatisticSorted(a, b), a.length, b.length);
}

/** The same test from counts on shared ascending values: nothing is sorted. */
export function ksFromCounts({ first, second }: SharedCounts): KsResult | Undefined {
  let n = 0;
  let m = 0;
  for (let i = 0; i < first.length; i++) n += first[i] as number;
  for (let i = 0; i < second.length; i++) m += second[i] as number;
  if (n === 0 || m === 0) return undefinedBecause('empty', 'a sample has no rows');
  let statistic = 0;
  let below = 0;
  let belowOther = 0;
  for (let i = 0; i < first.length; i++) {
    below += first[i] as number;
    belowOther += second[i] as number;
    statistic = Math.max(statistic, Math.abs(below / n - belowOther / m));
  }
  return ksPValue(statistic, n, m);
}

/** max |F₁ − F₂| of two sorted samples. */
export function ksStatisticSorted(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  const m = b.length;
  let i = 0;
  let j = 0;
  let statistic = 0;
  while (i < n && j < m) {
    const one = a[i] as number;
    const other = b[j] as number;
    if (one <= other) while (i < n && a[i] === one) i++;
    if (other <= one) while (j < m && b[j] === other) j++;
    const gap = Math.abs(i / n - j / m);
    if (gap > statistic) statistic = gap;
  }
  return statistic;
}

/** p-value of a two-sample statistic, as `ks_2samp(method='auto')` finds it. */
export function ksPValue(statistic: number, n: number, m: number): KsResult {
  if (Math.max(n, m) <= MAX_EXACT) {
    const g = gcd(n, m);
    const lcm = (n / g) * m;
    const h = roundHalfEven(statistic * lcm);
    const exact = h === 0 ? 1 : exactP({ n, m, g, h });
    if (exact >= 0 && exact <= 1) return { statistic: h / lcm, pValue: exact, method: 'exact' };
    return ksAsymptotic(h / lcm, n, m);
  }
  return ksAsymptotic(statistic, n, m);
}

function ksAsymptotic(statistic: number, n: number, m: number): KsResult {
  const [large, small] = n > m ? [n, m] : [m, n];
  const effective = roundHalfEven((large * small) / (large + small));
  return { statistic, pValue: kolmogorovSf(statistic, effective), method: 'asymptotic' };
}

function exactP({ n, m, g, h }: { n: number; m: number; g: number; h: number }): number {
  if (n === m) return outsideSquare(n, h);
  // P(D ≥ d) ≤ e exp(−2 d² nm/(n+m)) (Wei & Dudley 2012): below 1e-320 there is nothing left to count
  const d = (h * g) / n / m;
  if (2 * d * d * ((n * m) / (n + m)) > 740) return 0;
  return outside({ m: n, n: m, g, h });
}

/** Share of lattice paths to (n, n) that touch |x − y| = h (Gnedenko & Korolyuk 1951), by a Horner scheme. */
function outsideSquare(n: number, h: number): number {
  let p = 0;
  for (let k = Math.floor(n / h); k >= 0; k--) {
    let ratio = 1;
    for (let j = 0; j < h; j++) ratio = ((n - k * h - j) * ratio) / (n + k * h + j + 1);
    p = ratio * (1 - p);
  }
  return 2 * p;
}

/** Share of lattice paths to (m, n) that leave |x/m − y/n| < h/lcm (Hodges 1958), one column at a time, after SciPy (BSD-3-Clause). */
function outside(input: { m: number; n: number; g: number; h: number }): number {
  const [m, n] = input.m < input.n ? [input.n, input.m] : [input.m, input.n];
  const { g, h } = input;
  const mg = m / g;
  const ng = n / g;
  let from = 0;
  let to = Math.min(Math.ceil(h / mg), n + 1);
  let length = to - from;
  const share = new Float64Array(Math.min(2 * to + 2, n + 1)).fill(1);
  share.fill(0, from, to);
  for (let i = 1; i <= m; i++) {
    const lastFrom = from;
    const lastLength = length;
    from = Math.min(Math.max(Math.floor((ng * i - h) / mg) + 1, 0), n);
    to = Math.min(Math.ceil((ng * i + h) / mg), n + 1);
    if (to <= from) return 1;
    let value = from === 0 ? 0 : 1;
    length = to - from;
    for (let k = 0; k < length; k++) {
      const j = k + from;
      value = ((share[j - lastFrom] as number) * i + value * j) / (i + j);
      share[k] = value;
    }
    if (lastLength > length) share.fill(1, length, lastLength);
  }
  return share[length - 1] as number;
}

function gcd(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
