import { z } from 'zod';
import { lazyObject } from '../lazy-schema.ts';

const column = z.string().min(1).max(128);
const path = z.string().min(1).max(500);
const share = z.number().min(0).max(1);

const ruleOfTest = (test: string) =>
  share.optional().describe(`Alarm when the p-value of ${test} is below this, e.g. 0.05.`);
const ruleOfSize = (size: string, example: number) =>
  z.number().positive().optional().describe(`Alarm when ${size} is above this, e.g. ${example}.`);

/** The classical rules, called as the statistics that they read: each fires on its own, and tests take rows as independent. */
export const ClassicalRules = lazyObject(() => ({
  ks: ruleOfTest('the two-sample Kolmogorov-Smirnov test (numeric columns)'),
  cramer_von_mises: ruleOfTest('the two-sample Cramér-von Mises test (numeric columns)'),
  chi_square: ruleOfTest('the chi-square test (categorical columns)'),
  g: ruleOfTest('the G test, the likelihood ratio (categorical columns)'),
  psi: ruleOfSize('the population stability index', 0.2),
  kl: ruleOfSize('the Kullback-Leibler divergence (nats, current from reference)', 0.1),
  js_distance: ruleOfSize('the Jensen-Shannon distance (base 2)', 0.1),
  hellinger: ruleOfSize('the Hellinger distance', 0.1),
  total_variation: ruleOfSize('the total variation (half the sum of the differences of all shares)', 0.1),
  l_infinity: ruleOfSize('the largest difference of a share', 0.1),
  wasserstein_normed: ruleOfSize(
    "the Wasserstein distance in the reference's standard deviations (numeric columns)",
    0.1,
  ),
}));
export type ClassicalRules = z.infer<typeof ClassicalRules>;

/** The smallest effect that is worth a person's time, in the column's own terms. */
export const Floor = lazyObject(() => ({
  shift: z
    .number()
    .nonnegative()
    .optional()
    .describe("Numeric columns: shift of the mean, in the column's unit."),
  sd: z
    .number()
    .nonnegative()
    .optional()
    .describe('Numeric columns: distance of the distributions, in standard deviations of the reference.'),
  points: z
    .number()
    .nonnegative()
    .max(100)
    .optional()
    .describe('Categorical columns, null rates and shares of far values: points (0 to 100) that moved.'),
}));
export type Floor = z.infer<typeof Floor>;

const GeneralFloor = lazyObject(() => {
  const { shape } = Floor.unwrap();
  return {
    ...shape,
    sd: shape.sd
      .unwrap()
      .default(0.02)
      .describe(shape.sd.description ?? ''),
    points: shape.points
      .unwrap()
      .default(1)
      .describe(shape.points.description ?? ''),
  };
});

export const LabelSource = lazyObject(() => ({
  file: path.describe('A Parquet or CSV file with the labels that came late.'),
  key: column.describe('The column that identifies a row; it is joined to the same input of the prediction.'),
  label: column.describe('The column with the true value.'),
}));
export type LabelSource = z.infer<typeof LabelSource>;

export const ServiceThresholds = lazyObject(() => ({
  p99_ms: z.number().positive().default(250).describe('99th percentile of the latency, in milliseconds.'),
  error_rate: share.default(0.01).describe('Share of requests that may fail.'),
  min_throughput: share
    .default(0.5)
    .describe(
      'Predictions a day may fall to this multiple of those on the same weekdays of the four weeks before (of the second fewest).',
    ),
  max_throughput: z
    .number()
    .min(1)
    .default(3)
    .describe('They may rise to this multiple of the most on these.'),
}));
export type ServiceThresholds = z.infer<typeof ServiceThresholds>;

/** Metrics of labelled predictions that are watched. */
export const WatchedMetric = z
  .enum(['accuracy', 'auc', 'f1', 'log_loss', 'brier', 'mae', 'rmse'])
  .describe('Classification: accuracy, auc, f1, log_loss, brier. Regression: mae, rmse.');
export type WatchedMetric = z.infer<typeof WatchedMetric>;

const Fall = z.union([
  z.number().positive().finite(),
  z
    .string()
    .regex(/^\d{1,6}(\.\d{1,6})?%$/, 'expected a number, or a percentage of the value at the gate: "10%"')
    .refine((text) => Number.parseFloat(text) > 0, 'must be above 0'),
]);

/** A value of the business, by version. */
export const BusinessMetric = lazyObject(() => ({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected 1 to 63 of a-z 0-9 _ beginning with a letter')
    .describe('How it is called in signals.'),
  sql: z
    .string()
    .min(1)
    .max(2000)
    .describe(
      'SQL for the value of one served row over key, label (null until it comes), prediction and the inputs; its mean is taken. Null leaves the row out.',
    ),
  higher_is_better: z.boolean().default(true),
}));
export type BusinessMetric = z.infer<typeof BusinessMetric>;

/** `monitoring:` in modelgate.yaml, and what `modelgate drift` decides by. Every field has a default. */
export const MonitoringPolicy = lazyObject(() => ({
  time: column
    .optional()
    .describe('The column with the event time in the training rows. Left out: `features.time`.'),
  block: z
    .enum(['day', 'week'])
    .default('day')
    .describe('Rows of one block are alike; significance comes from permuting whole blocks.'),
  alpha: z
    .number()
    .gt(0)
    .lt(0.5)
    .default(0.05)
    .describe('Chance of any false alarm per check, over all columns together.'),
  permutations: z.int().min(99).max(100_000).default(1999),
  seed: z.int().nonnegative().default(0).describe('Same data, same seed: same p-values.'),
  columns: z.array(column).min(1).optional().describe('Check these columns only. Left out: all of them.'),
  exclude: z.array(column).default([]).describe('Never check these columns.'),
  minimum_rows: z
    .int()
    .positive()
    .default(200)
    .describe('Fewer rows on either side: "not enough data", neither green nor alarm.'),
  minimum_blocks: z
    .int()
    .min(2)
    .default(8)
    .describe('Fewer blocks on either side: "not decidable", neither green nor alarm.'),
  minimum_severity: z
    .number()
    .nonnegative()
    .default(0)
    .describe('Severity (effect / threshold × importance) below which drift is reported without an alert.'),
  floor: GeneralFloor.prefault({}).describe('Smallest effects that count, for every column.'),
  floors: z
    .record(column, Floor)
    .default({})
    .describe("Smallest effects that count, by column: they replace the general floor's fields."),
  num_evaluation_windows: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('An alert looks at this many windows, the newest first …'),
  num_violation_windows: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('… and needs drift in this many of them …'),
  extreme: z
    .strictObject({
      sd: z.number().positive().default(1).describe('Numeric columns, in standard deviations.'),
      points: z
        .number()
        .positive()
        .max(100)
        .default(25)
        .describe('Shares: of categories, nulls, unseen and far values.'),
    })
    .prefault({})
    .describe(
      '… unless the effect in the newest is as large as this, and twice its threshold: it alerts at once.',
    ),
  importance_quartile: z
    .number()
    .gt(0)
    .lte(1)
    .default(0.25)
    .describe(
      'A drifted feature in this top share of the features by importance, or with this share of the importance itself, asks for retraining.',
    ),
  classical: ClassicalRules.prefault({}).describe(
    'Classical rules, beside the decision above. Off by default.',
  ),
  joint: z
    .boolean()
    .default(false)
    .describe(
      'Also compare how the columns go together, on a sample of rows: a test of its own at alpha, which cannot say what moved. `modelgate drift` alone.',
    ),
  prediction: z
    .strictObject({
      maximum_class_share: z
        .number()
        .gt(0.5)
        .lte(1)
        .default(0.8)
        .describe(
          'Classification: alarm when one class takes this share of the predictions, where it did not before.',
        ),
      threshold: share
        .default(0.5)
        .describe('Classification: the probability from which the class is positive.'),
    })
    .prefault({}),
  labels: LabelSource.optional().describe('Where the truth arrives, for the metric of what was served.'),
  metric: z
    .strictObject({
      name: WatchedMetric,
      floor: z
        .number()
        .optional()
        .describe(
          'The worst value that is tolerated: a minimum, or a maximum where lower is better. Left out: only the fall since the gate counts.',
        ),
      minimum_rows: z.int().positive().default(200),
    })
    .optional()
    .describe(
      "The metric by version over labelled predictions, and the value under which an alert is raised. Left out: the gate's first metric, by its fall alone.",
    ),
  maximum_fall: Fall.optional().describe(
    "How far the metric of labelled predictions may fall below its value at the version's gate: 0.05 in the metric's unit, or 10% of the gate's value. Left out: 0.05 for accuracy, auc, f1 and brier, 10% for the others.",
  ),
  business: BusinessMetric.optional().describe('A business metric, by version of what was served.'),
  suspicious_inputs: z
    .boolean()
    .default(true)
    .describe('Look for requests that probe the decision threshold or the training rows.'),
  service: ServiceThresholds.prefault({}),
  runbooks: path
    .optional()
    .describe('A YAML file with runbooks that replace the built-in ones of the same name.'),
  review_days: z.int().positive().default(7).describe('Days until a logged drift is looked at again.'),
}));
export type MonitoringPolicy = z.infer<typeof MonitoringPolicy>;

/** The policy where modelgate.yaml has no `monitoring:`. */
export const defaultMonitoringPolicy = (): MonitoringPolicy => MonitoringPolicy.parse({});

const betweenZeroAndOne: readonly WatchedMetric[] = ['accuracy', 'auc', 'f1', 'brier'];

/** How far a metric may fall below its value at the gate, in its own unit. */
export function maximumFall(
  { maximum_fall }: MonitoringPolicy,
  metric: WatchedMetric,
  atGate: number,
): number {
  const fall = maximum_fall ?? (betweenZeroAndOne.includes(metric) ? 0.05 : '10%');
  return typeof fall === 'number' ? fall : (Number.parseFloat(fall) / 100) * Math.abs(atGate);
}

/** The floor of a column: its own, else the general one. */
export const floorOf = (
  { floor, floors }: Pick<MonitoringPolicy, 'floor' | 'floors'>,
  column: string,
): Floor => ({
  ...floor,
  ...floors[column],
});
