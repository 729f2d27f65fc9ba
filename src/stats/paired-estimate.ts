import { tCdf, tQuantile } from './distributions.ts';
import { mcnemar } from './mcnemar.ts';
import { tangoBound, tangoInterval } from './tango.ts';
import { type Unseen, unseenOfDiscordant, unseenP, unseenShift } from './unseen.ts';

/** How the standard error, interval and p-values of a paired difference were found. */
export type PairedMethod =
  | 'mcnemar_midp+tango'
  | 'delong'
  | 'paired_t'
  | 'paired_t_cluster'
  | 'influence'
  | 'bootstrap';

/** Discordant rows of a paired 0/1 comparison: b, A right and B wrong; c, A wrong and B right; of n. */
export interface Discordant {
  readonly b: number;
  readonly c: number;
  readonly n: number;
}

/**
 * A paired comparison of B (candidate) with A (champion). Estimates are in the metric's own unit; `diff` is
 * B − A, its sign flipped for metrics where lower is better, so that higher is always better.
 */
export interface PairedEstimate {
  readonly method: PairedMethod;
  readonly n: number;
  /** Number of clusters, null where rows are taken as independent. */
  readonly clusters: number | null;
  readonly estimateA: number;
  readonly estimateB: number;
  readonly diff: number;
  readonly se: number;
  /** Degrees of freedom of t; null means normal. */
  readonly df: number | null;
  /** Present for mcnemar_midp+tango, whose interval and p do not come from se. */
  readonly discordant?: Discordant;
  /** Present where too few rows carry the difference for se to tell of the rows that were not seen. */
  readonly unseen?: Unseen;
}

/** What is asked of an estimate. `alpha` is one-sided for the bounds, two-sided for the interval. */
export interface ConclusionOptions {
  readonly alpha: number;
  /** Tolerated drop of `diff`, > 0; null leaves rowsNeeded out. */
  readonly margin: number | null;
  /** Power of the minimal detectable effect; 0.8 unless said. */
  readonly power?: number;
}

/** Interval, bounds, p-values and what the data can see. */
export interface Conclusion {
  readonly ciLow: number;
  readonly ciHigh: number;
  /** Level of the two-sided interval, 1 − alpha. */
  readonly confidence: number;
  /** One-sided bounds, each at level 1 − alpha. */
  readonly boundLow: number;
  readonly boundHigh: number;
  /** H0: diff = 0. */
  readonly pTwoSided: number;
  /** H0: diff ≥ 0, small when B is worse. */
  readonly pWorse: number;
  /** Smallest true drop that a one-sided test at alpha sees with the power asked for: (q₁₋α + q_power) se. */
  readonly mde80: number;
  /** n (mde80 / margin)², rounded up: rows at which a drop of `margin` would be seen. */
  readonly rowsNeeded: number | null;
}

/**
 * Turns an estimate into interval, bounds and p-values. No bound is nearer to the difference than the rows allow
 * that could differ and were not seen (unseen.ts).
 */
export function conclude(estimate: PairedEstimate, options: ConclusionOptions): Conclusion {
  const { alpha, margin, power = 0.8 } = options;
  const { diff, df, discordant, unseen } = estimate;
  const oneSided = tQuantile(1 - alpha, df);
  const halfOne = discordant
    ? estimate.se > 0
      ? oneSided * estimate.se
      : tangoBound(discordant, oneSided, 'high')
    : Math.max(oneSided * estimate.se, unseenShift(unseen, alpha));
  const se = halfOne / oneSided;
  const mde80 = (oneSided + tQuantile(power, df)) * se;
  const rows = margin !== null && margin > 0 ? estimate.n * (mde80 / margin) ** 2 : Number.NaN;
  const rowsNeeded = Number.isFinite(rows) ? Math.ceil(rows * (1 - 1e-12)) : null;
  const common = { confidence: 1 - alpha, mde80, rowsNeeded };
  if (discordant) {
    const interval = tangoInterval(discordant, alpha);
    const test = mcnemar(discordant);
    return {
      ...common,
      ciLow: interval.low,
      ciHigh: interval.high,
      boundLow: tangoBound(discordant, oneSided, 'low'),
      boundHigh: tangoBound(discordant, oneSided, 'high'),
      pTwoSided: test.pMidP,
      pWorse: test.pWorseMidP,
    };
  }
  const halfTwo = Math.max(tQuantile(1 - alpha / 2, df) * estimate.se, unseenShift(unseen, alpha / 2));
  const t = diff / estimate.se;
  const least = unseenP(unseen, diff);
  const twoSided = estimate.se > 0 ? 2 * tCdf(-Math.abs(t), df) : diff === 0 ? 1 : 0;
  const worse = estimate.se > 0 ? tCdf(t, df) : diff < 0 ? 0 : 1;
  return {
    ...common,
    ciLow: diff - halfTwo,
    ciHigh: diff + halfTwo,
    boundLow: diff - halfOne,
    boundHigh: diff + halfOne,
    pTwoSided: Math.min(1, Math.max(twoSided, 2 * least)),
    pWorse: diff < 0 ? Math.max(worse, least) : worse,
  };
}

/** Variance of retraining: sd between retrains of one recipe, and its degrees of freedom (null: taken as known). */
export interface TrainingNoise {
  readonly sd: number;
  readonly df: number | null;
}

/**
 * The estimate for recipes instead of two fixed models: variance se² + 2 sd², degrees of freedom by
 * Satterthwaite, (se² + 2sd²)² / (se⁴/df + 4sd⁴/df_sd).
 */
export function addTrainingNoise(estimate: PairedEstimate, noise: TrainingNoise): PairedEstimate {
  const own = estimate.se ** 2;
  const added = 2 * noise.sd ** 2;
  const spread = (estimate.df ? own ** 2 / estimate.df : 0) + (noise.df ? added ** 2 / noise.df : 0);
  const { discordant, ...rest } = estimate;
  const unseen = discordant === undefined ? null : unseenOfDiscordant(discordant);
  return {
    ...rest,
    ...(unseen === null ? {} : { unseen }),
    se: Math.sqrt(own + added),
    df: spread > 0 ? (own + added) ** 2 / spread : null,
  };
}
