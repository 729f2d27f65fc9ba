import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';
import { Change } from '../store/package-changes.ts';
import { Behaviour } from './behaviour.ts';
import { type Check, Check as CheckSchema } from './check.ts';
import { criticalSliceChecks } from './checks/critical-slices.ts';
import { Wear } from './checks/evaluation-set.ts';
import { FairnessResult, fairnessChecks } from './checks/fairness.ts';
import { floorChecks } from './checks/floors.ts';
import { metricChecks } from './checks/metrics.ts';
import { predictionRangeChecks } from './checks/prediction-range.ts';
import { SliceResult, sliceChecks } from './checks/slices.ts';
import { tooGoodChecks } from './checks/too-good.ts';
import type { NoiseByMetric } from './noise.ts';
import type { GatePolicy } from './policy.ts';
import { ScanResult } from './scans/judge.ts';
import type { Scores } from './scores.ts';

/** Counts of one histogram bar of both models' predictions; `upper` of the last bar is included in it. */
export const PredictionHistogram = z.object({
  /** Edges, one more than bars. */
  edges: z.array(z.number()),
  champion: z.array(z.number()).nullable(),
  candidate: z.array(z.number()),
});
export type PredictionHistogram = z.infer<typeof PredictionHistogram>;

/** For the next command of the report. */
export const Release = z.object({ model: Name, environment: Name });
export type Release = z.infer<typeof Release>;

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
  /** Rates by group, one for each measure and group. */
  fairness: z.array(FairnessResult).optional(),
  /** Scans of dependencies, images and code: which findings were known, and what followed from each. */
  scans: z.array(ScanResult).optional(),
  /** How often the evaluation set was asked, and what that costs; null where it is not known. */
  consultations: Wear.nullable().optional(),
  /** sha256 of the policy, and of the one by which the champion was judged, where that is known. */
  policy: z.object({ digest: Digest, champion: Digest.nullable() }).optional(),
  /** On which rows the candidate behaves otherwise; null without a champion. */
  behaviour: Behaviour.nullable().default(null),
  /** In what the two packages differ; null without a champion, or when its record is gone. */
  changes: z.array(Change).nullable().default(null),
  /** Where a candidate that passes goes next; null where the gate was asked without a project. */
  release: Release.nullable().default(null),
});
export type GateRecord = z.infer<typeof GateRecord>;

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
