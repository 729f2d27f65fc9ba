import { z } from 'zod';
import { canonicalJson } from '../json.ts';
import { lazyObject, lazySchema } from '../lazy-schema.ts';
import { FairnessPolicy, FloorPolicy, GoldenPolicy, LeakagePolicy } from './policy-checks.ts';
import {
  isKnownMetric,
  knownMetrics,
  Margin,
  type MetricPolicy,
  marginProblem,
  metricName,
  smallerIsBetter,
  sqlExpression,
  WrittenMetric,
} from './policy-metrics.ts';
import { ScansPolicy } from './policy-scans.ts';

export type { FairnessPolicy, FloorPolicy, GoldenPolicy, LeakagePolicy } from './policy-checks.ts';
export {
  isKnownMetric,
  type KnownMetric,
  knownMetrics,
  Margin,
  type MetricPolicy,
} from './policy-metrics.ts';

const id = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 of a-z 0-9 . _ -');
const column = z.string().min(1).max(128);

export const CriticalSlice = lazyObject(() => ({
  where: z
    .record(column, z.union([z.string().max(200), z.number(), z.boolean(), z.null()]))
    .refine((where) => Object.keys(where).length > 0, 'expected at least one column: value')
    .describe('The rows where each of these columns has this value.'),
  metric: metricName
    .optional()
    .describe('The metric that must not fall there. Left out: the first one that blocks.'),
  margin: Margin,
}));
export type CriticalSlice = z.infer<typeof CriticalSlice>;

export const SlicesPolicy = lazyObject(() => ({
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
}));
export type SlicesPolicy = z.infer<typeof SlicesPolicy>;

export const RulePolicy = lazyObject(() => ({
  id,
  expr: sqlExpression.describe(
    'SQL that must hold for every row, over key, label, prediction and the kept columns: prediction >= 0. Null counts as a violation.',
  ),
  max_violations: z.number().int().nonnegative().default(0),
}));
export type RulePolicy = z.infer<typeof RulePolicy>;

export const PredictionRange = lazySchema(() =>
  z
    .strictObject({
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
        .describe(
          "How far the mean prediction may move, in standard deviations of the champion's predictions.",
        ),
    })
    .refine(({ min, max }) => min === undefined || max === undefined || min <= max, 'min is above max'),
);
export type PredictionRange = z.infer<typeof PredictionRange>;

export const TrainingNoise = lazySchema(() =>
  z.union(
    [
      z.strictObject({
        retrain: z
          .number()
          .int()
          .min(2)
          .max(100)
          .describe('Retrain the recipe this often and measure the spread.'),
      }),
      z
        .record(
          z.string().regex(/^(?!retrain$)[a-z][a-z0-9_]{0,62}$/, "expected a metric's name"),
          z.number().nonnegative(),
        )
        .refine((given) => Object.keys(given).length > 0, 'expected at least one metric')
        .describe('Standard deviation of each metric between two trainings of the same recipe.'),
    ],
    {
      error:
        'expected either retrain: a whole number from 2 to 100, or metrics with their standard deviations',
    },
  ),
);
export type TrainingNoise = z.infer<typeof TrainingNoise>;

/** How often the recipe is to be retrained to measure its noise; null where the noise is given or unknown. */
export function retrainings(policy: Pick<GatePolicy, 'training_noise'>): number | null {
  const noise = policy.training_noise;
  return noise !== undefined && 'retrain' in noise && typeof noise.retrain === 'number'
    ? noise.retrain
    : null;
}

/** Below this the quantiles of no method are worth their digits; at one half a bound is the estimate itself. */
export const leastAlpha = 1e-6;

/** `gate:` of modelgate.yaml, or a reviewed file of its own. */
export const GatePolicy = z
  .strictObject({
    alpha: z
      .number()
      .min(leastAlpha)
      .lt(0.5)
      .default(0.05)
      .describe(
        'The one-sided level of each blocking metric: how often it may stop an equal model, and let a loss of a whole margin pass. All slices together keep it as well.',
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
      .array(WrittenMetric)
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
    golden: GoldenPolicy.optional().describe(
      'Known cases of the evaluation set, by key, whose predictions must hold.',
    ),
    fairness: FairnessPolicy.optional().describe(
      'Groups of people whose rates may not lie apart, judged on intervals.',
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
    scans: ScansPolicy.optional().describe(
      'What the scans of dependencies, images and code may find. Left out: nothing critical in those that are given.',
    ),
    training_noise: TrainingNoise.optional().describe(
      'Noise of retraining: {auc: 0.008} where it is known, {retrain: 5} to measure it. It enters the variance.',
    ),
  })
  .superRefine((policy, context) => {
    // a metric that is not valid has said so itself, and was not turned into its one form
    if (!policy.metrics.every((metric) => metric.policy !== undefined)) return;
    const issue = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const metrics = policy.metrics.map((metric) => metric.policy);
    const seen = new Map<string, MetricPolicy>();
    metrics.forEach((metric, index) => {
      if (seen.has(metric.metric)) issue(['metrics', index, 'metric'], 'stands here twice');
      seen.set(metric.metric, metric);
    });
    const blocks = policy.metrics.some((metric) => metric.compared && metric.policy.role !== 'information');
    if (policy.slices !== undefined && !blocks)
      issue(['slices'], 'needs a metric that is primary or guardrail');
    const first = metrics.find((metric) => metric.role !== 'information')?.metric ?? '';
    const slices = new Set<string>();
    policy.slices?.critical.forEach((slice, index) => {
      const wide = marginProblem(slice.metric ?? first, slice.margin);
      if (wide !== null) issue(['slices', 'critical', index, 'margin'], wide);
      const name = canonicalJson({ metric: slice.metric ?? first, where: slice.where });
      if (slices.has(name)) issue(['slices', 'critical', index], 'stands here twice');
      slices.add(name);
      const path = ['slices', 'critical', index, 'metric'];
      if (slice.metric === undefined) return;
      const metric = seen.get(slice.metric);
      if (metric === undefined) issue(path, 'expected a metric of this policy');
      else if (metric.aggregate !== undefined) issue(path, 'an aggregate is not computed in slices');
    });
    const floors = new Set<string>();
    const addFloor = (metric: string, side: string, path: (string | number)[]) => {
      const name = `${metric} ${side}`;
      if (floors.has(name))
        issue(path, 'this limit stands in floors and as a threshold, or twice: keep one of them');
      floors.add(name);
    };
    policy.floors.forEach((floor, index) => {
      if (!isKnownMetric(floor.metric) && !seen.has(floor.metric)) {
        issue(
          ['floors', index, 'metric'],
          `expected one of ${knownMetrics.join(', ')}, or a metric of this policy`,
        );
      }
      addFloor(floor.metric, sideOf(floor, seen), ['floors', index]);
    });
    policy.metrics.forEach(({ floor }, index) => {
      if (floor !== null)
        addFloor(floor.metric, floor.min === undefined ? 'max' : 'min', ['metrics', index, 'threshold']);
    });
    const limits = [
      ...policy.floors.map((floor, index) => ({ path: ['floors', index], floor: oneForm(floor, seen) })),
      ...policy.metrics.flatMap(({ floor }, index) =>
        floor === null ? [] : [{ path: ['metrics', index, 'threshold'], floor }],
      ),
    ];
    for (const { path, floor } of limits) {
      const least = limits.find((one) => one.floor.metric === floor.metric && one.floor.min !== undefined);
      if (floor.max !== undefined && (least?.floor.min ?? floor.max) > floor.max)
        issue(path, `no ${floor.metric} is at most ${floor.max} and at least ${least?.floor.min}`);
    }
    for (const [path, names] of [
      [['slices', 'by'], policy.slices?.by ?? []],
      [['fairness', 'group'], policy.fairness?.group ?? []],
    ] as const) {
      names.forEach((name, index) => {
        if (names.indexOf(name) < index) issue([...path, index], 'stands here twice');
      });
    }
    if (policy.training_noise !== undefined && retrainings(policy) === null) {
      for (const name of Object.keys(policy.training_noise)) {
        if (!isKnownMetric(name) && !seen.has(name))
          issue(['training_noise', name], 'expected a known metric, or one of this policy');
      }
    }
    for (const name of Object.keys(policy.leakage?.ceiling ?? {})) {
      if (!isKnownMetric(name) && !seen.has(name))
        issue(['leakage', 'ceiling', name], 'expected a known metric, or one of this policy');
    }
    for (const name of Object.keys(policy.fairness?.reference ?? {})) {
      if (policy.fairness?.group.includes(name) !== true)
        issue(['fairness', 'reference', name], 'expected a column of group');
    }
    const rules = new Set<string>();
    policy.rules.forEach((rule, index) => {
      if (rules.has(rule.id)) issue(['rules', index, 'id'], 'stands here twice');
      rules.add(rule.id);
    });
  })
  // the one form: what was written in other words is turned into metrics and floors here, and nowhere else
  .transform(({ metrics, floors, ...policy }) => {
    const seen = new Map(metrics.map(({ policy: metric }) => [metric.metric, metric]));
    return {
      ...policy,
      metrics: metrics.map(({ policy: metric, compared }) =>
        compared ? metric : { ...metric, role: 'information' as const },
      ),
      floors: [
        ...floors.map((floor) => oneForm(floor, seen)),
        ...metrics.flatMap(({ floor }): FloorPolicy[] => (floor === null ? [] : [floor])),
      ],
    };
  });
export type GatePolicy = z.infer<typeof GatePolicy>;

/** A floor as min or max, whatever word it was written in. */
function oneForm(
  { threshold, ...floor }: FloorPolicy & { threshold?: number | undefined },
  metrics: ReadonlyMap<string, MetricPolicy>,
): FloorPolicy {
  if (threshold === undefined) return floor;
  return { ...floor, [sideOf({ ...floor, threshold }, metrics)]: threshold };
}

/** On which side a floor limits. */
function sideOf(
  floor: {
    metric: string;
    min?: number | undefined;
    max?: number | undefined;
    threshold?: number | undefined;
  },
  metrics: ReadonlyMap<string, MetricPolicy>,
): 'min' | 'max' {
  if (floor.threshold === undefined) return floor.min === undefined ? 'max' : 'min';
  return smallerIsBetter(metrics.get(floor.metric) ?? { metric: floor.metric }) ? 'max' : 'min';
}
