import type { LinearEstimate } from './influence.ts';

/**
 * What rows that were not seen could do. A standard error comes from the rows that differ: where none or a few
 * do (one model twice, two models without a mistake, five rows) it is near zero and says nothing of the rows to
 * come. If none of n rows differed, up to 1 − α^(1/n) of all rows can differ (exact binomial limit at level
 * 1 − α, the "rule of three" for large n), and each can cost what one row can cost at most. So the half-width of
 * a bound is at least effect · (1 − α^(1/rows)).
 *
 * Source: Clopper & Pearson (1934), Biometrika 26:404-413, for zero events; Hanley & Lippman-Hand (1983), JAMA 249.
 * The largest effect stands in for all of them, so the limit is on the safe side. It is asked of each set of rows
 * that a metric averages over: positives and negatives for the AUC, predicted positives for precision. Rows are taken
 * as independent, in clusters too: few clusters decide nothing (gate/decide.ts).
 */
export interface Unseen {
  /** Rows among which a row that differs would have been seen (for recall the positives; by weight, Kish's number). */
  readonly rows: number;
  /** Change of the metric if all these rows differed as much as one row can. */
  readonly effect: number;
}

/** Below so many rows that carry a difference, its se is not relied on alone. */
const carriersNeeded = 5;

/** Whether so few rows (by weight, Kish's number) carry the difference that the unseen ones have to be counted. */
function tooFewCarriers(carriers: number, rows: number): boolean {
  return Math.min(carriers, rows) < carriersNeeded - 1e-9;
}

/**
 * How many rows carry a spread, by the inverse participation ratio (Σψ²)² / Σψ⁴: k for k equal values among zeros;
 * and the largest of them, absolute.
 */
function concentrationOf(psi: Float64Array): { most: number; carriers: number } {
  const most = largest(psi);
  let square = 0;
  let fourth = 0;
  for (let i = 0; i < psi.length; i++) {
    const share = (psi[i] as number) / most;
    const one = share * share;
    square += one;
    fourth += one * one;
  }
  return { most, carriers: square ** 2 / fourth };
}

/** Rows that a metric averages over, and their influences on what is estimated. */
export interface RowSet extends Unseen {
  readonly influence: Float64Array;
}

/**
 * The widest limit of the sets that too few rows carry, if any: fewer than 5, as the influences weigh them. A
 * thousandth of a row's effect is none.
 */
export function unseenAmong(sets: readonly RowSet[]): { unseen: Unseen } | Record<string, never> {
  // several sets may rest on the same influences
  const known = new Map(
    [...new Set(sets.map((one) => one.influence))].map((psi) => [psi, concentrationOf(psi)]),
  );
  const blind = sets.filter(({ influence, rows, effect }) => {
    const { most = 0, carriers = 0 } = known.get(influence) ?? {};
    return tooFewCarriers(most <= effect / rows / 1000 ? 0 : carriers, rows);
  });
  if (blind.length === 0) return {};
  const { rows, effect } = widest(blind);
  return { unseen: { rows, effect } };
}

/** Kish's effective number of rows, (Σw)² / Σw²; the number of rows without weights. */
export function effectiveRows(n: number, weights: Float64Array | null): number {
  if (weights === null) return n;
  let sum = 0;
  let square = 0;
  for (let i = 0; i < n; i++) {
    sum += weights[i] as number;
    square += (weights[i] as number) ** 2;
  }
  return square > 0 ? sum ** 2 / square : 0;
}

/** Half-width that the unseen rows ask for at one-sided level 1 − alpha; 0 where they need not be counted. */
export function unseenShift(unseen: Unseen | undefined, alpha: number): number {
  return unseen === undefined ? 0 : -unseen.effect * Math.expm1(Math.log(alpha) / unseen.rows);
}

/** The level at which the unseen rows alone could make up a difference: the inverse of `unseenShift`. */
export function unseenP(unseen: Unseen | undefined, diff: number): number {
  if (unseen === undefined) return 0;
  const share = Math.abs(diff) / unseen.effect;
  return share >= 1 ? 0 : Math.exp(unseen.rows * Math.log1p(-share));
}

/** The unseen rows of a comparison of hits, where Tango's interval no longer applies (training noise is added). */
export function unseenOfDiscordant(counts: { b: number; c: number; n: number }): Unseen | null {
  return tooFewCarriers(counts.b + counts.c, counts.n) ? { rows: counts.n, effect: 1 } : null;
}

/**
 * `unseen` of a difference of mean losses, counted on the losses themselves: a row carries the difference where
 * the models' losses differ by more than a thousandth of what one row can differ by. That is the largest loss of
 * either model, at least `floor` (1 for losses of probabilities); without any loss, the largest target; else 1.
 */
export function unseenOfLosses(input: {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly weights: Float64Array | null;
  readonly floor?: number;
  readonly targets?: Float64Array;
  /** What the metric changes by when the mean loss rises by an amount; the amount itself unless said. */
  readonly change?: (amount: number) => number;
}): { unseen: Unseen } | Record<string, never> {
  const { a, b, weights, targets } = input;
  const scale = Math.max(input.floor ?? 0, largest(a), largest(b)) || (targets && largest(targets)) || 1;
  let spread = false;
  let carried = 0;
  let square = 0;
  const first = (b[0] as number) - (a[0] as number);
  for (let i = 0; i < a.length; i++) {
    const difference = (b[i] as number) - (a[i] as number);
    const w = weights === null ? 1 : (weights[i] as number);
    if (Math.abs(difference) > scale / 1000) {
      carried += w;
      square += w * w;
    }
    if (Math.abs(difference - first) > scale * 1e-12) spread = true;
  }
  const rows = effectiveRows(a.length, weights);
  const carriers = square > 0 ? carried ** 2 / square : 0;
  if (!Number.isFinite(scale) || !tooFewCarriers(spread ? carriers : 0, rows)) return {};
  const { change } = input;
  const effect = change === undefined ? scale : effectOfMean(rows, (share) => change(share * scale));
  return { unseen: { rows, effect } };
}

/** The largest absolute value, 0 of none. */
export function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] as number));
  return most;
}

/**
 * The effect for a metric that is no straight line in the share of rows that differ, such as a root of a mean:
 * what it changes by at the limit of that share at level .95, over the share.
 */
export function effectOfMean(rows: number, change: (share: number) => number): number {
  const share = unseenShift({ rows, effect: 1 }, 0.05);
  return change(share) / share;
}

/** The worse of several limits: which one asks for the wider bound at the usual level. */
export function widest(limits: readonly Unseen[]): Unseen {
  return limits.reduce((p, q) => (unseenShift(q, 0.05) > unseenShift(p, 0.05) ? q : p));
}

/** `unseen` of a difference of two linear estimates, where their influence values need it; else nothing. */
export function unseenOf(
  a: LinearEstimate,
  b: LinearEstimate,
  limit: () => Unseen,
): { unseen: Unseen } | Record<string, never> {
  return unseenAmong([{ ...limit(), influence: b.psi.map((own, i) => own - (a.psi[i] as number)) }]);
}
