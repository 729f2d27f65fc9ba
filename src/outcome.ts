import { z } from 'zod';
import { type Code, codes } from './codes.ts';

export const Verdict = z.enum(['pass', 'fail', 'inconclusive']);
export type Verdict = z.infer<typeof Verdict>;

/** How every end of a stage is told: as JSON, as step outputs, in the job summary, on a terminal. */
export const Outcome = z.object({
  schema: z.literal('modelgate.outcome/1'),
  stage: z.string(),
  /** `error`: the stage could not do its work (the user's mistake or ours), so it says nothing of the model. */
  verdict: z.enum([...Verdict.options, 'error']),
  reason_code: z.enum(Object.keys(codes) as [Code, ...Code[]]),
  /** One plain sentence. */
  summary: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()),
  /** Seconds of wall time, by part; `total` always. */
  timings: z.record(z.string(), z.number()),
  trace_id: z.string(),
  cached: z.boolean(),
  failure_class: z.enum(['data', 'infrastructure', 'model', 'unknown']).optional(),
  error: z
    .object({ code: z.string(), message: z.string(), where: z.string().nullable(), fix: z.string() })
    .optional(),
});
export type Outcome = z.infer<typeof Outcome>;

export const exitCodes = { pass: 0, fail: 1, inconclusive: 2 } as const;

/** 0 done or pass · 1 refused, failed or the user's error · 2 inconclusive · 70 our error. */
export function exitCode(outcome: Pick<Outcome, 'verdict' | 'reason_code'>): number {
  if (outcome.reason_code === 'internal' || outcome.reason_code === 'registry_unreachable') return 70;
  if (outcome.verdict === 'error') return 1;
  return exitCodes[outcome.verdict];
}
