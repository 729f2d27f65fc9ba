import { type Clusters, compareInfluence } from './influence.ts';
import type { PairedEstimate } from './paired-estimate.ts';
import { type Weights, weightedMean } from './ratio.ts';
import { isUndefined, type Undefined, undefinedBecause } from './undefined.ts';
import { unseenOfLosses } from './unseen.ts';

/** Two columns of row values (losses, hits, money), the same rows in both. */
export interface PairedColumns {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly weights: Weights;
  readonly clusters: Clusters | null;
  readonly higherIsBetter: boolean;
  /** The least that counts as the largest loss of a row: 1 for hits and losses of probabilities (unseen.ts). */
  readonly floor?: number;
  /** The targets, for a scale where both models are perfect. */
  readonly targets?: Float64Array;
}

/**
 * Paired comparison of means: the paired t test, s_d / √n with n − 1 degrees of freedom; with clusters the
 * cluster-robust sandwich and t with G − 1; with weights linearised weighted means.
 */
export function pairedMean(input: PairedColumns): PairedEstimate | Undefined {
  const { a, b, weights, clusters, higherIsBetter } = input;
  if (a.length !== b.length) throw new RangeError('pairedMean: columns of unequal length');
  const meanA = weightedMean(a, weights);
  if (isUndefined(meanA)) return meanA;
  const meanB = weightedMean(b, weights);
  if (isUndefined(meanB)) return meanB;
  const difference = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) difference[i] = (b[i] as number) - (a[i] as number);
  const meanD = weightedMean(difference, weights);
  if (isUndefined(meanD)) return meanD;
  if (a.length < 2) return undefinedBecause('too_few_rows', '1 row: a standard error needs at least 2');
  const zero = { ...meanD, value: 0, psi: new Float64Array(a.length) };
  const compared = compareInfluence({ a: zero, b: meanD, clusters, higherIsBetter });
  if (isUndefined(compared)) return compared;
  return {
    ...compared,
    method: clusters === null ? 'paired_t' : 'paired_t_cluster',
    estimateA: meanA.value,
    estimateB: meanB.value,
    ...unseenOfLosses(input),
  };
}
