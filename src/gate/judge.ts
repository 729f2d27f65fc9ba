import type { Check } from './check.ts';
import { criticalSliceChecks } from './checks/critical-slices.ts';
import { type FairnessResult, fairnessChecks } from './checks/fairness.ts';
import { floorChecks } from './checks/floors.ts';
import { metricChecks } from './checks/metrics.ts';
import { predictionRangeChecks } from './checks/prediction-range.ts';
import { type SliceResult, sliceChecks } from './checks/slices.ts';
import { tooGoodChecks } from './checks/too-good.ts';
import type { NoiseByMetric } from './noise.ts';
import type { GatePolicy } from './policy.ts';
import type { PredictionHistogram } from './record.ts';
import type { Scores } from './scores.ts';

/** All checks that the paired predictions alone decide. */
export function judgeScores(
  scores: Scores,
  policy: GatePolicy,
  noise: NoiseByMetric,
): { checks: Check[]; slices: SliceResult[]; fairness: FairnessResult[] } {
  const sliced = sliceChecks(scores, policy, noise);
  const fair = fairnessChecks(scores, policy);
  return {
    checks: [
      ...metricChecks(scores, policy, noise),
      ...floorChecks(scores, policy),
      ...sliced.checks,
      ...criticalSliceChecks(scores, policy, noise),
      ...predictionRangeChecks(scores, policy),
      ...fair.checks,
      ...tooGoodChecks(scores, policy, noise),
    ],
    slices: sliced.slices,
    fairness: fair.fairness,
  };
}

/** Both models' predictions in bars of equal width over their common range. Values that are not finite are left out. */
export function predictionHistogram(scores: Scores, bars = 40): PredictionHistogram | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of [scores.candidate, scores.champion]) {
    for (const value of values ?? []) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(high > low)) return null;
  const edges = Array.from({ length: bars + 1 }, (_, i) => low + ((high - low) * i) / bars);
  const count = (values: Float64Array): number[] => {
    const counts = new Array<number>(bars).fill(0);
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      const bar = Math.min(bars - 1, Math.floor(((value - low) / (high - low)) * bars));
      counts[bar] = (counts[bar] as number) + 1;
    }
    return counts;
  };
  return { edges, champion: scores.champion && count(scores.champion), candidate: count(scores.candidate) };
}
