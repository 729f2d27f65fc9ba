import { z } from 'zod';
import { Digest } from '../json.ts';
import { Verdict } from '../outcome.ts';
import { type Check, Check as CheckSchema } from './check.ts';
import { criticalSliceChecks } from './checks/critical-slices.ts';
import { floorChecks } from './checks/floors.ts';
import { metricChecks, type NoiseByMetric } from './checks/metrics.ts';
import { predictionRangeChecks } from './checks/prediction-range.ts';
import { SliceResult, sliceChecks } from './checks/slices.ts';
import type { GatePolicy } from './policy.ts';
import type { Scores } from './scores.ts';

/** Counts of one histogram bar of both models' predictions; `upper` of the last bar is included in it. */
export const PredictionHistogram = z.object({
  /** Edges, one more than bars. */
  edges: z.array(z.number()),
  champion: z.array(z.number()).nullable(),
  candidate: z.array(z.number()),
});
export type PredictionHistogram = z.infer<typeof PredictionHistogram>;

/** gate.json: everything that the report is made from. */
export const GateRecord = z.object({
  schema: z.literal('modelgate.gate/1'),
  verdict: Verdict,
  reasons: z.array(z.string()),
  evaluation: Digest,
  /** Digests of the models; null when there is no champion yet. */
  candidate: Digest,
  champion: Digest.nullable(),
  rows: z.number(),
  clusters: z.number().nullable(),
  evaluation_set: z.object({ id: z.string(), sha256: z.string() }).nullable(),
  alpha: z.number(),
  power: z.number(),
  on_inconclusive: z.enum(['block', 'approve', 'pass']),
  checks: z.array(CheckSchema),
  slices: z.array(SliceResult),
  histogram: PredictionHistogram.nullable(),
});
export type GateRecord = z.infer<typeof GateRecord>;

/** All checks that the paired predictions alone decide. */
export function judgeScores(
  scores: Scores,
  policy: GatePolicy,
  noise: NoiseByMetric,
): { checks: Check[]; slices: SliceResult[] } {
  const sliced = sliceChecks(scores, policy, noise);
  return {
    checks: [
      ...metricChecks(scores, policy, noise),
      ...floorChecks(scores, policy),
      ...sliced.checks,
      ...criticalSliceChecks(scores, policy, noise),
      ...predictionRangeChecks(scores, policy),
    ],
    slices: sliced.slices,
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
