import { z } from 'zod';
import { compareColumns } from '../gate/compare.ts';
import { knownMetrics, leastAlpha, Margin } from '../gate/policy.ts';
import { defineStage } from './define.ts';

const column = z.string().min(1).max(200);
const number = z.number().nullable();
const defaultMargin = 0.01;

/** Compares two columns of scores or predicted classes of any table on the same rows. */
export const compare = defineStage({
  name: 'compare',
  description:
    'Compares two columns of scores or classes of a CSV or Parquet file on the same rows, with interval and verdict.',
  inputs: z.object({
    /** A local Parquet or CSV file. */
    file: z.string().min(1),
    label: column,
    champion: column,
    candidate: column,
    metric: z.enum(knownMetrics),
    threshold: z.number().min(0).max(1).default(0.5),
    /** Places of a ranking that count for ndcg. */
    k: z.int().min(1).max(10_000).default(10),
    /** Tolerated loss in the metric's unit, or "1%" of the champion's value; null is 0.01. */
    margin: Margin.nullable().default(null),
    /** Of each one-sided bound; the two-sided interval has level 1 − alpha. */
    alpha: z.number().min(leastAlpha).lt(0.5).default(0.05),
    cluster: column.nullable().default(null),
    weight: column.nullable().default(null),
    /** Of the bootstrap: calibration_error with clusters or weights. The other methods draw no random numbers. */
    seed: z.number().int().nonnegative().default(0),
  }),
  outputs: z.object({
    metric: z.string(),
    method: z.string().nullable(),
    n: z.number(),
    clusters: number,
    /** There where fewer than 10 clusters, or clusters too uneven, leave the verdict inconclusive. */
    few_clusters: z.literal(true).optional(),
    champion: number,
    candidate: number,
    /** candidate − champion, the sign turned so that higher is better. */
    diff: number,
    se: number,
    ci_low: number,
    ci_high: number,
    confidence: z.number(),
    bound_low: number,
    bound_high: number,
    /** Why the bounds, which decide, are wider than the method's own; absent where they are not. */
    bounds_widened: z.string().optional(),
    p_two_sided: number,
    p_worse: number,
    margin: number,
    mde80: number,
    rows_needed: number,
    /** b: only the champion is right; c: only the candidate. Null for regression. */
    flips: z.object({ b: z.number(), c: z.number() }).nullable(),
    mcnemar: z
      .object({
        b: z.number(),
        c: z.number(),
        p_exact: z.number(),
        p_midp: z.number(),
        chi2: z.number(),
        p_chi2: z.number(),
      })
      .optional(),
    alpha: z.number(),
    /** Of a metric at a threshold; absent where predictions are classes. */
    threshold: z.number().optional(),
    /** Classes among labels and predictions; absent where predictions are scores. */
    classes: z.number().optional(),
    seed: z.number(),
    /** Why the metric does not exist on these rows. */
    undefined_because: z.string().optional(),
  }),
  cache: false,
  async run(inputs, context) {
    const engine = await context.engine();
    try {
      await engine.addFile('scores', inputs.file);
      const { seed, file: _, margin, ...question } = inputs;
      const result = await compareColumns(engine, {
        view: 'scores',
        ...question,
        seed,
        margin: margin ?? defaultMargin,
      });
      return {
        verdict: result.verdict,
        reason_code:
          result.verdict === 'pass'
            ? 'gate_passed'
            : result.verdict === 'fail'
              ? 'gate_failed'
              : 'gate_inconclusive',
        summary: result.reason,
        outputs: { ...result.outputs, seed },
      };
    } finally {
      await engine.close();
    }
  },
});
