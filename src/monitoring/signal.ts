import { z } from 'zod';
import { Cause } from './runbook.ts';

/**
 * `alert`: somebody must look. `logged`: moved, but of little importance or in too few windows. `ok`.
 * `not_enough_data`: neither green nor alarm.
 */
export const SignalVerdict = z.enum(['alert', 'logged', 'ok', 'not_enough_data']);
export type SignalVerdict = z.infer<typeof SignalVerdict>;

/** One thing that `monitor` looks at. */
export const Signal = z.object({
  signal: z.enum([
    'data_drift',
    'prediction_drift',
    'concept_drift',
    'silent_failure',
    'suspicious_inputs',
    'service',
    'estimated_performance',
    'business_metric',
  ]),
  /**
   * The feature, `prediction`, `predicted_class`, the metric with its version, `p99_ms`, `error_rate`, `throughput`,
   * `boundary_walk` or `training_rows`.
   */
  name: z.string(),
  verdict: SignalVerdict,
  summary: z.string(),
  /** Effect or value, and the threshold it is held against. */
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  /** Of `value`, two-sided at level 1 − alpha, where it is an estimate that has one. */
  interval: z.object({ low: z.number(), high: z.number() }).nullable().default(null),
  p_block: z.number().nullable(),
  q_value: z.number().nullable(),
  /** Share of the importance, rank, and whether it is among the most important; null when not known. */
  importance: z.number().nullable(),
  rank: z.number().int().positive().nullable(),
  top: z.boolean().nullable(),
  severity: z.number().nullable(),
  /** The version that predicted, where the signal is about one. */
  version: z.number().int().nullable(),
  since: z.string().nullable(),
  /** Windows with this signal among the windows looked at. */
  windows: z.object({ violated: z.number().int(), evaluated: z.number().int() }),
});
export type Signal = z.infer<typeof Signal>;

/** Names of what `suspicious_inputs` looks for. */
export const suspicions = { walk: 'boundary_walk', training: 'training_rows' } as const;

/** The fields that a signal without them has. */
export const plainSignal = {
  value: null,
  threshold: null,
  interval: null,
  p_block: null,
  q_value: null,
  importance: null,
  rank: null,
  top: null,
  severity: null,
  version: null,
  since: null,
  windows: { violated: 0, evaluated: 1 },
} as const satisfies Partial<Signal>;

export const Action = z.object({
  action: z.enum(['retrain', 'review', 'fix_data', 'investigate']),
  reason: z.string(),
  cause: z.union([Cause, z.literal('service')]),
  /** The feature or metric that asks for it. */
  name: z.string(),
  /** The day of the review, YYYY-MM-DD. */
  due: z.string().nullable(),
});
export type Action = z.infer<typeof Action>;

export const Alert = z.object({
  cause: z.union([Cause, z.literal('service')]),
  /** Names the issue: the same model, environment and cause is the same issue. */
  fingerprint: z.string(),
  title: z.string(),
  /** Markdown for an issue; every value from the data is escaped. */
  body: z.string(),
  action: z.enum(['retrain', 'review', 'fix_data', 'investigate', 'none']),
  reason: z.string(),
});
export type Alert = z.infer<typeof Alert>;

/** Alerts before what was only logged, then by severity; signals without one (a broken schema) first. */
export function bySeverity(signals: readonly Signal[]): Signal[] {
  const order: Record<SignalVerdict, number> = { alert: 0, logged: 1, not_enough_data: 2, ok: 3 };
  const weight = (one: Signal) => one.severity ?? Number.POSITIVE_INFINITY;
  return [...signals].sort(
    (a, b) => order[a.verdict] - order[b.verdict] || (weight(a) === weight(b) ? 0 : weight(b) - weight(a)),
  );
}
