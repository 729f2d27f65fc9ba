import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Code, codes } from './codes.ts';
import { errorRecord, UserError } from './errors.ts';

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

/** What went wrong in, before or around a stage: the user's mistake or ours, in the form of an outcome. */
export function failedOutcome(failure: {
  stage: string;
  error: unknown;
  inputs?: Record<string, unknown>;
  trace_id?: string;
  /** Wall time until it failed, in seconds. */
  seconds?: number;
}): Omit<Outcome, 'outputs'> & { outputs: Record<never, never> } {
  const { stage, error } = failure;
  const theirs = error instanceof UserError;
  const record = errorRecord(error);
  return {
    schema: 'modelgate.outcome/1',
    stage,
    verdict: 'error',
    reason_code: theirs ? error.code : 'internal',
    summary: record.message,
    inputs: failure.inputs ?? {},
    outputs: {},
    timings: { total: failure.seconds ?? 0 },
    trace_id: failure.trace_id ?? randomUUID(),
    cached: false,
    failure_class: theirs ? error.failureClass : 'unknown',
    error: record,
  };
}
