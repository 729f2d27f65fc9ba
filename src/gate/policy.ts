import { z } from 'zod';
import { PAIRED_METRICS, type PairedMetric } from '../stats/compare-metric.ts';

/** Metrics that the gate knows by name; any other name needs `row_loss`. */
export const knownMetrics = PAIRED_METRICS;
export type KnownMetric = PairedMetric;

export function isKnownMetric(name: string): name is KnownMetric {
  return (knownMetrics as readonly string[]).includes(name);
}

const metricName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected 1 to 63 of a-z 0-9 _ beginning with a letter');
const id = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 of a-z 0-9 . _ -');
const column = z.string().min(1).max(128);
const sqlExpression = z.string().min(1).max(2000);

export const Margin = z
  .union([
    z.number().positive().finite(),
    z.string().regex(/^\d+(\.\d+)?%$/, 'expected a number, or a percentage of the champion\'s value: "1%"'),
  ])
  .refine((margin) => typeof margin === 'number' || Number.parseFloat(margin) > 0, 'must be above 0')
  .describe("Tolerated loss: in the metric's own unit (0.01), or a percentage of the champion's value (1%).");
export type Margin = z.infer<typeof Margin>;

export const MetricPolicy = z
  .strictObject({
    metric: metricName.describe(
      `One of ${knownMetrics.join(', ')}; or a name of your own together with row_loss.`,
    ),
    role: z
      .enum(['primary', 'guardrail', 'information'])
      .default('guardrail')
      .describe('primary and guardrail block; information is shown only.'),
    margin: Margin.optional().describe(
      "Tolerated loss against the champion: 0.01 in the metric's unit, or 1% of the champion's value. Needed to require non-inferior.",
    ),
    require: z
      .enum(['non-inferior', 'superior'])
      .default('non-inferior')
      .describe('non-inferior: not worse by more than the margin. superior: better than the champion.'),
    row_loss: sqlExpression
      .optional()
      .describe(
        'A business metric: SQL for the cost of one row over key, label, prediction and the kept columns; its mean is compared, lower is better.',
      ),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('Probability from which a row counts as positive, for accuracy, f1, precision and recall.'),
  })
  .superRefine((metric, context) => {
    if (!isKnownMetric(metric.metric) && metric.row_loss === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['metric'],
        message: `expected one of ${knownMetrics.join(', ')}, or a row_loss beside it`,
      });
    }
    if (isKnownMetric(metric.metric) && metric.row_loss !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['row_loss'],
        message: `${metric.metric} is a known metric: give a business metric a name of its own`,
      });
    }
    if (metric.role !== 'information' && metric.require === 'non-inferior' && metric.margin === undefined) {
      context.addIssue({ code: 'custom', path: ['margin'], message: 'needed to require non-inferior' });
    }
  });
export type MetricPolicy = z.infer<typeof MetricPolicy>;

export const FloorPolicy = z
  .strictObject({
    metric: metricName.describe('A metric of the candidate alone.'),
    min: z.number().finite().optional().describe('The value must not be below it.'),
    max: z.number().finite().optional().describe('The value must not be above it (losses, errors, costs).'),
    on: z
      .enum(['lower_bound', 'estimate'])
      .default('lower_bound')
      .describe(
        'lower_bound: the one-sided bound on the bad side must keep the floor. estimate: the point value.',
      ),
  })
  .refine((floor) => (floor.min === undefined) !== (floor.max === undefined), 'expected either min or max');
export type FloorPolicy = z.infer<typeof FloorPolicy>;

export const CriticalSlice = z.strictObject({
  where: z
    .record(column, z.union([z.string().max(200), z.number(), z.boolean(), z.null()]))
    .refine((where) => Object.keys(where).length > 0, 'expected at least one column: value')
    .describe('The rows where each of these columns has this value.'),
  metric: metricName
    .optional()
    .describe('The metric that must not fall there. Left out: the first one that blocks.'),
  margin: Margin,
});
export type CriticalSlice = z.infer<typeof CriticalSlice>;

export const SlicesPolicy = z.strictObject({
  by: z
    .array(column)
    .max(20)
    .default([])
    .describe('Columns whose values make the slices; keep them in features.keep.'),
  min_rows: z.number().int().min(2).default(100).describe('Smaller slices are listed, not tested.'),
  correction: z
    .literal('holm')
    .default('holm')
    .describe('All tests over blocking metrics and slices together keep alpha, by Holm.'),
  warn: z
    .number()
    .positive()
    .lt(1)
    .default(0.1)
    .describe(
      'False discovery rate (Benjamini-Hochberg) of the slices that are pointed out without blocking.',
    ),
  critical: z
    .array(CriticalSlice)
    .max(100)
    .default([])
    .describe('Slices that must each be shown not to lose more than a margin of their own.'),
});
export type SlicesPolicy = z.infer<typeof SlicesPolicy>;

export const RulePolicy = z.strictObject({
  id,
  expr: sqlExpression.describe(
    'SQL that must hold for every row, over key, label, prediction and the kept columns: prediction >= 0. Null counts as a violation.',
  ),
  max_violations: z.number().int().nonnegative().default(0),
});
export type RulePolicy = z.infer<typeof RulePolicy>;

export const PredictionRange = z.strictObject({
  min: z.number().optional().describe('No prediction may be below it, with or without a champion.'),
  max: z.number().optional().describe('No prediction may be above it, with or without a champion.'),
  tolerance: z
    .number()
    .nonnegative()
    .default(0.1)
    .describe("How far predictions may lie outside the champion's range, as a share of its width."),
  max_outside: z
    .number()
    .min(0)
    .max(1)
    .default(0.001)
    .describe('Share of rows that may lie outside of that range.'),
  max_shift: z
    .number()
    .positive()
    .default(0.5)
    .describe("How far the mean prediction may move, in standard deviations of the champion's predictions."),
});
export type PredictionRange = z.infer<typeof PredictionRange>;

const leakAction = z.enum(['fail', 'warn', 'ignore']);
export const LeakagePolicy = z.strictObject({
  exact: leakAction
    .default('fail')
    .describe('Rows of the evaluation set that stand in the training set, all columns equal.'),
  near: leakAction
    .default('warn')
    .describe('Rows that are equal but for key, time, letter case and rounding.'),
  key: leakAction.default('fail').describe('Keys that stand in both.'),
  temporal: leakAction
    .default('warn')
    .describe('Rows of the evaluation set that are not newer than the newest training row.'),
});
export type LeakagePolicy = z.infer<typeof LeakagePolicy>;

export const TrainingNoise = z.union([
  z.strictObject({
    retrain: z
      .number()
      .int()
      .min(2)
      .max(100)
      .describe('Retrain the recipe this often and measure the spread.'),
  }),
  z
    .record(metricName, z.number().nonnegative())
    .describe('Standard deviation of each metric between two trainings of the same recipe.'),
]);
export type TrainingNoise = z.infer<typeof TrainingNoise>;

/** How often the recipe is to be retrained to measure its noise; null where the noise is given or unknown. */
export function retrainings(policy: Pick<GatePolicy, 'training_noise'>): number | null {
  const noise = policy.training_noise;
  return noise !== undefined && 'retrain' in noise && typeof noise.retrain === 'number'
    ? noise.retrain
    : null;
}

/** `gate:` of modelgate.yaml, or a reviewed file of its own. */
export const GatePolicy = z
  .strictObject({
    alpha: z
      .number()
      .positive()
      .max(0.5)
      .default(0.05)
      .describe(
        'How often an equal model may be blocked, and a loss of a whole margin passed: the one-sided level.',
      ),
    power: z
      .number()
      .min(0.5)
      .lt(1)
      .default(0.8)
      .describe('The power at which the smallest visible drop and the rows needed are stated.'),
    on_inconclusive: z
      .enum(['block', 'approve', 'pass'])
      .default('block')
      .describe(
        'What follows when the data cannot decide: block, wait for a person, or go on. The verdict stays inconclusive.',
      ),
    metrics: z
      .array(MetricPolicy)
      .max(50)
      .default([])
      .describe('Metrics that are compared with the champion.'),
    floors: z
      .array(FloorPolicy)
      .max(50)
      .default([])
      .describe('Limits that the candidate must keep by itself.'),
    slices: SlicesPolicy.optional().describe('Parts of the evaluation set that must not be harmed.'),
    rules: z.array(RulePolicy).max(100).default([]).describe('Business rules over single predictions.'),
    prediction_range: PredictionRange.optional().describe(
      "Compares the predictions' distribution with the champion's.",
    ),
    leakage: LeakagePolicy.optional().describe('Rows of the evaluation set in the training set.'),
    latency: z
      .strictObject({ p99_ms: z.number().positive() })
      .optional()
      .describe('Limit of the 99th percentile of the time for one row, in milliseconds.'),
    model_size: z
      .strictObject({ max_mb: z.number().positive() })
      .optional()
      .describe('Limit of the model file, in megabytes (10^6 bytes).'),
    training_noise: TrainingNoise.optional().describe(
      'Noise of retraining: {auc: 0.008} where it is known, {retrain: 5} to measure it. It enters the variance.',
    ),
  })
  .superRefine((policy, context) => {
    const seen = new Set<string>();
    policy.metrics.forEach((metric, index) => {
      if (seen.has(metric.metric)) {
        context.addIssue({
          code: 'custom',
          path: ['metrics', index, 'metric'],
          message: 'stands here twice',
        });
      }
      seen.add(metric.metric);
    });
    const blocks = policy.metrics.some((metric) => metric.role !== 'information');
    if (policy.slices !== undefined && !blocks) {
      context.addIssue({
        code: 'custom',
        path: ['slices'],
        message: 'needs a metric that is primary or guardrail',
      });
    }
    policy.slices?.critical.forEach((slice, index) => {
      if (slice.metric !== undefined && !seen.has(slice.metric)) {
        context.addIssue({
          code: 'custom',
          path: ['slices', 'critical', index, 'metric'],
          message: 'expected a metric of this policy',
        });
      }
    });
    policy.floors.forEach((floor, index) => {
      if (!isKnownMetric(floor.metric) && !seen.has(floor.metric)) {
        context.addIssue({
          code: 'custom',
          path: ['floors', index, 'metric'],
          message: `expected one of ${knownMetrics.join(', ')}, or a metric of this policy`,
        });
      }
    });
    const rules = new Set<string>();
    policy.rules.forEach((rule, index) => {
      if (rules.has(rule.id)) {
        context.addIssue({ code: 'custom', path: ['rules', index, 'id'], message: 'stands here twice' });
      }
      rules.add(rule.id);
    });
  });
export type GatePolicy = z.infer<typeof GatePolicy>;
