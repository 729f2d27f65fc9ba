import { type Clusters, compareInfluence } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import { ratioOfSums, type Weights } from './ratio.ts';
import { isUndefined, type Undefined } from './undefined.ts';
import { effectiveRows, unseenOf } from './unseen.ts';

/** Numerator and denominator of one model's ratio, row by row. */
export interface RatioColumns {
  readonly numerator: ArrayLike<number>;
  readonly denominator: ArrayLike<number>;
}

/**
 * Paired comparison of two ratios of sums on the same rows (WAPE, revenue per visit, share of accepted money) by
 * the delta method: influence wᵢ (uᵢ − R vᵢ) / Σ w v of each, see ratio.ts.
 */
export function pairedRatio(input: {
  readonly a: RatioColumns;
  readonly b: RatioColumns;
  readonly weights: Weights;
  readonly clusters: Clusters | null;
  readonly higherIsBetter: boolean;
}): PairedEstimate | Undefined {
  const { weights, clusters, higherIsBetter } = input;
  if (input.a.numerator.length !== input.b.numerator.length)
    throw new RangeError('pairedRatio: columns of unequal length');
  const a = ratioOfSums({ ...input.a, weights });
  if (isUndefined(a)) return a;
  const b = ratioOfSums({ ...input.b, weights });
  if (isUndefined(b)) return b;
  const compared = compareInfluence({ a, b, clusters, higherIsBetter });
  if (isUndefined(compared)) return compared;
  const effect = Math.max(Math.abs(a.value), Math.abs(b.value)) || 1;
  const rows = Math.min(...[a, b].map(({ share }) => effectiveRows(compared.n, share ?? null)));
  return { ...compared, ...unseenOf(a, b, () => ({ rows, effect })) };
}
