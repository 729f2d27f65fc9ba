import { z } from 'zod';
import { lazyObject, lazySchema } from '../lazy-schema.ts';
import { metricName } from './policy-metrics.ts';

const column = z.string().min(1).max(128);
const scalar = z.union([z.string().max(200), z.number(), z.boolean(), z.null()]);

export const FloorPolicy = lazySchema(() =>
  z
    .strictObject({
      metric: metricName.describe('A metric of the candidate alone.'),
      min: z.number().finite().optional().describe('The value must not be below it.'),
      max: z.number().finite().optional().describe('The value must not be above it (losses, errors, costs).'),
      threshold: z
        .number()
        .finite()
        .optional()
        .describe('The same as min where higher is better, and as max where lower is.'),
      on: z
        .enum(['lower_bound', 'estimate'])
        .default('lower_bound')
        .describe(
          'lower_bound: the one-sided bound on the bad side must keep the floor. estimate: the point value.',
        ),
    })
    .refine(
      ({ min, max, threshold }) => [min, max, threshold].filter((limit) => limit !== undefined).length === 1,
      'expected either min or max, or threshold in their place',
    ),
);

/** A floor in its one form: exactly one of min and max. */
export interface FloorPolicy {
  metric: string;
  min?: number | undefined;
  max?: number | undefined;
  on: 'lower_bound' | 'estimate';
}

export const FairnessPolicy = lazyObject(() => ({
  group: z
    .array(column)
    .min(1)
    .max(10)
    .describe('Columns whose values are the groups; keep them in features.keep.'),
  reference: z
    .record(column, scalar)
    .default({})
    .describe('The group that the others are held against, by column. Left out: the largest.'),
  selection_ratio: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.8)
    .describe(
      "A group's rate of positive predictions may be this share of the reference's, and the other way round: four fifths.",
    ),
  tpr_gap: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('How far the rates of found positives may lie apart. Left out: not judged.'),
  fpr_gap: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('How far the rates of false alarms may lie apart. Left out: not judged.'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Probability from which a row counts as selected.'),
  min_rows: z.number().int().min(2).default(100).describe('Smaller groups are named, not judged.'),
}));
export type FairnessPolicy = z.infer<typeof FairnessPolicy>;

const GoldenFile = lazyObject(() => ({
  file: z
    .string()
    .min(1)
    .max(500)
    .describe('JSONL (.jsonl, .ndjson), CSV or Parquet: key, and label, or min and max of the prediction.'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Probability from which the predicted label is 1.'),
}));
export const GoldenPolicy = lazySchema(() =>
  z
    .union([z.string().min(1).max(500), GoldenFile])
    .transform((given) => (typeof given === 'string' ? { file: given, threshold: 0.5 } : given)),
);
export type GoldenPolicy = z.infer<typeof GoldenPolicy>;

const leakAction = z.enum(['fail', 'warn', 'ignore']);
export const LeakagePolicy = lazyObject(() => ({
  exact: leakAction
    .default('fail')
    .describe(
      'Rows of the evaluation set that stand in the training set, all columns but key and time equal.',
    ),
  near: leakAction
    .default('warn')
    .describe('Further rows that are equal but for letter case, rounding, or a column of many.'),
  key: leakAction.default('fail').describe('Keys that stand in both.'),
  temporal: leakAction
    .default('warn')
    .describe('Rows of the evaluation set that are not newer than the newest training row.'),
  ceiling: z
    .record(metricName, z.number().finite())
    .default({})
    .describe('Values that are too good to be true, {auc: 0.99}: from there on a person looks.'),
  jump: z
    .number()
    .positive()
    .optional()
    .describe('A gain of more than this many standard deviations of retraining is too good: a person looks.'),
}));
export type LeakagePolicy = z.infer<typeof LeakagePolicy>;
