import type { Clusters, LinearEstimate } from './influence.ts';

/**
 * How an estimate rests on its units (rows, or clusters). Where units weigh unevenly, the usual standard error is
 * too small and has fewer degrees of freedom than units: the one that holds most of the weight has hardly any
 * residual. `decidingBounds` (paired-bounds.ts) uses these instead; with even units they are the usual ones.
 */
export interface UnitSpread {
  /** Jackknife standard error: each unit left out in turn (CR3). */
  readonly se: number;
  /** Degrees of freedom by Satterthwaite; + 1 it is the effective number of units. */
  readonly df: number;
  /** Third moment of the sum over its standard deviation cubed: 1/√k where k equal rows all point one way. */
  readonly skewness: number;
}

/** Shares and influence of one unit in one stratum. */
interface Units {
  readonly count: number;
  readonly strata: number;
  /** By unit · strata + stratum. */
  readonly shareA: Float64Array;
  readonly shareB: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** A unit that holds everything cannot be left out. */
const leastRest = 1e-9;

/**
 * The spread of estimate B, or of B − A. Leaving out unit g moves a ratio of sums by ψ_g / (1 − h_g), h_g the
 * unit's share of the denominator: exact for means and ratios, to first order for the AUC, whose positives and
 * negatives are strata with shares of their own.
 *
 * Source: Efron & Stein (1981), Ann. Statist. 9:586-596; MacKinnon, Nielsen, Webb (2023), "Cluster-robust
 * inference: a guide to empirical practice", J. Econometrics 232:272-299 (CR3); degrees of freedom as in Bell &
 * McCaffrey (2002), Survey Methodology 28:169-181.
 */
export function unitSpread(input: {
  readonly a: LinearEstimate | null;
  readonly b: LinearEstimate;
  readonly clusters: Clusters | null;
}): UnitSpread {
  const units = collect(input);
  const { count, strata, a, b, shareA, shareB } = units;
  const together = input.a === null || alike(input.a.share, input.b.share);
  const parts = new Float64Array(2 * strata);
  let square = 0;
  let cube = 0;
  let used = 0;
  for (let g = 0; g < count; g++) {
    let sum = 0;
    let weight = 0;
    for (let s = 0; s < strata; s++) {
      const at = g * strata + s;
      weight += (shareA[at] as number) + (shareB[at] as number);
      const first = (a[at] as number) / Math.max(leastRest, 1 - (shareA[at] as number));
      const second = (b[at] as number) / Math.max(leastRest, 1 - (shareB[at] as number));
      if (together) parts[2 * s]! += (second - first) ** 2;
      else {
        parts[2 * s]! += first ** 2;
        parts[2 * s + 1]! += second ** 2;
      }
      sum += second - first;
    }
    if (weight > 0) used++;
    square += sum * sum;
    cube += sum * sum * sum;
  }
  const df = [...parts.keys()].flatMap((index) => {
    if (together && index % 2 === 1) return [];
    const shares = together || index % 2 === 1 ? shareB : shareA;
    return [
      {
        variance: parts[index] as number,
        df: degreesOf(strata === 1 ? shares : every(shares, index >> 1, strata)),
      },
    ];
  });
  return {
    se: Math.sqrt((square * Math.max(0, used - 1)) / Math.max(1, used)),
    df: satterthwaite(df),
    skewness: square > 0 ? cube / square ** 1.5 : 0,
  };
}

/** Degrees of freedom of a sum of independent variances, (Σ v)² / Σ v²/df; the smallest where all are 0. */
export function satterthwaite(parts: readonly { variance: number; df: number }[]): number {
  const largest = parts.reduce((most, { variance }) => Math.max(most, variance), 0);
  if (!(largest > 0)) return parts.reduce((least, { df }) => Math.min(least, df), Number.MAX_VALUE);
  let sum = 0;
  let spread = 0;
  for (const { variance, df } of parts) {
    sum += variance / largest;
    spread += (variance / largest) ** 2 / df;
  }
  return sum ** 2 / spread;
}

/**
 * Degrees of freedom of the jackknife variance of a weighted mean whose units have the shares h: 2 E²/Var of the
 * quadratic form Σ u_g² (x_g − x̄)², u = h/(1 − h), for normal units of one variance. Units − 1 for equal shares, 1
 * where one holds more than half. For clusters one variance means rows that are wholly alike within them, which
 * is the safe end (Carter, Schnepel, Steigerwald 2017, Rev. Econ. Stat. 99:698-709).
 */
export function degreesOf(shares: ArrayLike<number>): number {
  let units = 0;
  let largest = 0;
  let v = 0;
  for (let g = 0; g < shares.length; g++) {
    const h = shares[g] as number;
    if (h > 0) units++;
    largest = Math.max(largest, h);
    v += h * h;
  }
  if (units < 2 || largest > 0.5) return 1;
  // M_gh = u_g u_h cov(x_g − x̄, x_h − x̄) = u_g u_h (δ_gh − h_g − h_h + v): df = tr(M)² / tr(M²)
  const sums = [0, 0, 0];
  let trace = 0;
  let diagonal = 0;
  for (let g = 0; g < shares.length; g++) {
    const h = shares[g] as number;
    const u = (h / (1 - h)) ** 2;
    const own = 1 + v - 2 * h;
    sums[0]! += u;
    sums[1]! += u * h;
    sums[2]! += u * h * h;
    trace += u * own;
    diagonal += u * u * (own ** 2 - (v - 2 * h) ** 2);
  }
  const [u0 = 0, u1 = 0, u2 = 0] = sums;
  const square = v * v * u0 * u0 + 2 * u2 * u0 - 4 * v * u1 * u0 + 2 * u1 * u1 + diagonal;
  return Math.min(units - 1, Math.max(1, trace ** 2 / square));
}

function alike(a: Float64Array | undefined, b: Float64Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.every((share, i) => share === b[i]);
}

function every(values: Float64Array, first: number, step: number): Float64Array {
  const out = new Float64Array(values.length / step);
  for (let i = 0; i < out.length; i++) out[i] = values[i * step + first] as number;
  return out;
}

/** Rows as they are, or summed by cluster. */
function collect(input: {
  readonly a: LinearEstimate | null;
  readonly b: LinearEstimate;
  readonly clusters: Clusters | null;
}): Units {
  const { a, b, clusters } = input;
  const n = b.psi.length;
  const strata = b.strata === undefined ? 1 : b.strata.count;
  const count = clusters?.count ?? n;
  const none = new Float64Array(count * strata);
  const sums = (of: Float64Array): Float64Array => {
    if (clusters === null && strata === 1) return of;
    const out = new Float64Array(count * strata);
    for (let i = 0; i < n; i++) {
      const unit = clusters === null ? i : (clusters.codes[i] as number);
      out[unit * strata + (b.strata === undefined ? 0 : (b.strata.codes[i] as number))]! += of[i] as number;
    }
    return out;
  };
  const shares = ({ share }: LinearEstimate) => sums(share ?? new Float64Array(n).fill(1 / n));
  return {
    count,
    strata,
    shareA: a === null ? none : shares(a),
    shareB: shares(b),
    a: a === null ? none : sums(a.psi),
    b: sums(b.psi),
  };
}
