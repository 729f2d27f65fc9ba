import { z } from 'zod';
import { Verdict } from '../outcome.ts';
import { visible } from '../visible.ts';

export const CheckKind = z.enum([
  'metric',
  'floor',
  'slices',
  'critical_slice',
  'rule',
  'prediction_range',
  'leakage',
  'fairness',
  'golden',
  'evaluation_set',
  'policy',
  'latency',
  'model_size',
  'scan',
]);
export type CheckKind = z.infer<typeof CheckKind>;

const number = z.number().nullable();

/**
 * One judgement of the gate. Differences are candidate − champion with the sign turned so that higher is
 * better; `low` and `high` are one-sided bounds, each at level 1 − alpha: they decide.
 */
export const Check = z.object({
  /** Unique in a gate: `metric:auc`, `rule:no-negative-price`. */
  id: z.string(),
  kind: CheckKind,
  /** What is judged, for people: a metric's name, a rule's id, a slice. */
  title: z.string(),
  /** blocks: counts for the verdict. warns, informs: shown only. */
  effect: z.enum(['blocks', 'warns', 'informs']),
  /** neutral: a comparison without a champion; it counts neither for nor against. */
  verdict: z.enum([...Verdict.options, 'neutral']),
  /** One plain sentence with the decisive numbers. */
  reason: z.string(),
  champion: number.default(null),
  candidate: number.default(null),
  diff: number.default(null),
  se: number.default(null),
  low: number.default(null),
  high: number.default(null),
  margin: number.default(null),
  method: z.string().nullable().default(null),
  n: number.default(null),
  clusters: number.default(null),
  /** One-sided: small when the candidate is worse. */
  p: number.default(null),
  /** The smallest true drop that these rows show with the policy's power. */
  mde: number.default(null),
  /** Rows at which a drop of the margin would be seen with that power; null when no number of rows is enough. */
  rows_needed: number.default(null),
  /** Rows that the candidate gets wrong and the champion right (b), and the other way round (c). */
  flips: z.object({ b: z.number(), c: z.number() }).optional(),
  /** Present when the noise of retraining entered: its sd, and the bounds for these two fixed models alone. */
  noise: z
    .object({ sd: z.number(), replicates: number, fixed_low: z.number(), fixed_high: z.number() })
    .optional(),
});
export type Check = z.infer<typeof Check>;
export type CheckInput = z.input<typeof Check>;

/** Fills the fields that a check does not use, turns what JSON cannot say into null, and shows what hides in names. */
export function check(input: CheckInput): Check {
  const finite = Object.fromEntries(
    Object.entries(input).map(([key, value]) => [
      key,
      typeof value === 'number' && !Number.isFinite(value) ? null : value,
    ]),
  );
  return Check.parse({ ...finite, title: visible(input.title), reason: visible(input.reason) });
}
