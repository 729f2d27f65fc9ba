import { z } from 'zod';
import { Digest } from '../json.ts';
import { Verdict } from '../outcome.ts';
import { Change } from '../store/package-changes.ts';
import { Behaviour } from './behaviour.ts';
import { Check } from './check.ts';
import { Wear } from './checks/evaluation-set.ts';
import { FairnessResult } from './checks/fairness.ts';
import { SliceResult } from './checks/slices.ts';
import { Release } from './release.ts';
import { ScanResult } from './scans/judge.ts';

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
  checks: z.array(Check),
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
