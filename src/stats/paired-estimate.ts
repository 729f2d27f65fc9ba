import { halfWidths, harmP, visibleDrop } from './deciding-bounds.ts';
import { tCdf, tQuantile } from './distributions.ts';
import { mcnemar } from './mcnemar.ts';
import { tangoBound, tangoInterval } from './tango.ts';
import { satterthwaite, type UnitSpread } from './unit-spread.ts';
import { type Unseen, unseenOfDiscordant, unseenShift } from './unseen.ts';

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
  /** How it rests on its rows or clusters; the bounds that decide need it where these are few or uneven. */
  readonly spread?: UnitSpread;
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

/**
 * Interval, bounds, p-values and what the data can see. All but the bounds and `deciding` are the method's own;
 * those hold on few and uneven rows too, and are the method's own wherever that is good enough.
 */
export interface Conclusion {
  readonly ciLow: number;
  readonly ciHigh: number;
  /** Level of the two-sided interval, 1 − alpha. */
  readonly confidence: number;
  /** One-sided bounds, each at level 1 − alpha (deciding-bounds.ts). */
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
  readonly deciding: {
    /** Whether the bounds are wider than the method's own. */
    readonly widened: boolean;
    /** Below alpha just when boundHigh is below 0. */
    readonly pWorse: number;
    readonly mde80: number;
    readonly rowsNeeded: number | null;
  };
}

/** Turns an estimate into interval, bounds and p-values. */
export function conclude(estimate: PairedEstimate, options: ConclusionOptions): Conclusion {
  const { alpha, margin, power = 0.8 } = options;
  const { diff, df, discordant, unseen } = estimate;
  const oneSided = tQuantile(1 - alpha, df);
  const half =
    estimate.se > 0
      ? oneSided * estimate.se
      : discordant
        ? tangoBound(discordant, oneSided, 'high')
        : unseenShift(unseen, alpha);
  const mde80 = half * (1 + tQuantile(power, df) / oneSided);
  const rowsFor = (drop: number) => {
    const rows = margin !== null && margin > 0 ? estimate.n * (drop / margin) ** 2 : Number.NaN;
    return Number.isFinite(rows) ? Math.ceil(rows * (1 - 1e-12)) : null;
  };
  const common = { confidence: 1 - alpha, mde80, rowsNeeded: rowsFor(mde80) };
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
      deciding: { widened: false, pWorse: test.pWorseMidP, mde80, rowsNeeded: common.rowsNeeded },
    };
  }
  const halfTwo = tQuantile(1 - alpha / 2, df) * estimate.se;
  const t = diff / estimate.se;
  const { low, high, widened } = halfWidths(estimate, alpha);
  const visible = widened ? visibleDrop(estimate, { alpha, power }) : mde80;
  return {
    ...common,
    ciLow: diff - halfTwo,
    ciHigh: diff + halfTwo,
    boundLow: diff - low,
    boundHigh: diff + high,
    pTwoSided: estimate.se > 0 ? 2 * tCdf(-Math.abs(t), df) : diff === 0 ? 1 : 0,
    pWorse: estimate.se > 0 ? tCdf(t, df) : diff < 0 ? 0 : 1,
    deciding: { widened, pWorse: harmP(estimate, alpha), mde80: visible, rowsNeeded: rowsFor(visible) },
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
  const added = 2 * noise.sd ** 2;
  const withNoise = (se: number, df: number | null) => {
    const parts = [
      { variance: se ** 2, df: df ?? Number.POSITIVE_INFINITY },
      { variance: added, df: noise.df ?? Number.POSITIVE_INFINITY },
    ];
    const known = parts.filter(({ variance }) => variance > 0);
    const sum = known.length === 0 ? (df ?? Number.POSITIVE_INFINITY) : satterthwaite(known);
    return { se: Math.sqrt(se ** 2 + added), df: Number.isFinite(sum) ? sum : null };
  };
  const { discordant, spread, ...rest } = estimate;
  const total = withNoise(estimate.se, estimate.df);
  const unseen = discordant === undefined ? null : unseenOfDiscordant(discordant);
  return { ...rest, ...total, ...(unseen === null ? {} : { unseen }), ...noisy(spread) };

  function noisy(of: UnitSpread | undefined): { spread: UnitSpread } | Record<string, never> {
    if (of === undefined) return {};
    const { se, df } = withNoise(of.se, of.df);
    // the noise is taken as even: it thins the skewness out
    return { spread: { se, df: df ?? of.df, skewness: se > 0 ? of.skewness * (of.se / se) ** 3 : 0 } };
  }
}
