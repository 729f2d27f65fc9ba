import { z } from 'zod';
import { higherIsBetter, PAIRED_METRICS, type PairedMetric } from '../stats/paired-metrics.ts';

/** Metrics that the gate knows by name; any other name needs SQL of its own. */
export const knownMetrics = PAIRED_METRICS;
export type KnownMetric = PairedMetric;

export function isKnownMetric(name: string): name is KnownMetric {
  return (knownMetrics as readonly string[]).includes(name);
}

/** Metrics of predicted classes: for these `threshold` is the probability from which a row counts as positive. */
const cutMetrics: readonly string[] = [
  'accuracy',
  'f1',
  'precision',
  'recall',
  'balanced_accuracy',
  'macro_f1',
];

export const metricName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected 1 to 63 of a-z 0-9 _ beginning with a letter');
export const sqlExpression = z.string().min(1).max(2000);

export const Margin = z
  .union([
    z.number().positive().finite(),
    z.string().regex(/^\d+(\.\d+)?%$/, 'expected a number, or a percentage of the champion\'s value: "1%"'),
  ])
  .refine((margin) => typeof margin === 'number' || Number.parseFloat(margin) > 0, 'must be above 0')
  .describe("Tolerated loss: in the metric's own unit (0.01), or a percentage of the champion's value (1%).");
export type Margin = z.infer<typeof Margin>;

/** Metrics whose values lie within 0 and 1. */
const bounded: readonly string[] = [...cutMetrics, 'auc', 'brier', 'ndcg', 'calibration_error'];

/** What is wrong with a margin for a metric: one that no two models differ by is no margin. Null when nothing is. */
export function marginProblem(metric: string, margin: Margin | undefined): string | null {
  if (margin === undefined || !bounded.includes(metric)) return null;
  const most = typeof margin === 'number' ? margin : Number.parseFloat(margin) / 100;
  return most > 1 ? `${metric} lies between 0 and 1: no loss is as large as ${margin}` : null;
}

/** A metric of the policy in its one form, whatever words it was written in. */
export interface MetricPolicy {
  metric: string;
  role: 'primary' | 'guardrail' | 'information';
  require: 'non-inferior' | 'superior';
  margin?: Margin | undefined;
  /** With superior: the candidate must be better by more than this. Left out: by more than nothing. */
  gain?: Margin | undefined;
  /** The direction of a metric of the policy's own; those of known metrics are known. */
  higher_is_better?: boolean | undefined;
  row_loss?: string | undefined;
  numerator?: string | undefined;
  denominator?: string | undefined;
  aggregate?: string | undefined;
  threshold?: number | undefined;
  /** Of ndcg: the places of a ranking that count; left out: 10. */
  k?: number | undefined;
}

const Given = z.strictObject({
  metric: metricName.describe(
    `One of ${knownMetrics.join(', ')}; or a name of your own together with row_loss, numerator and denominator, or aggregate.`,
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
    .optional()
    .describe(
      'non-inferior (if left out): not worse by more than the margin. superior: better than the champion.',
    ),
  gain: Margin.optional().describe('With superior: better by more than this, 0.01 or 1%.'),
  min_absolute_change: z
    .number()
    .positive()
    .finite()
    .optional()
    .describe('The same as require: superior with this gain.'),
  min_relative_change: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe("The same as require: superior with a gain of this share of the champion's value."),
  higher_is_better: z
    .boolean()
    .optional()
    .describe(
      'For a metric of your own; left out: lower is better. Of a known metric it must be true to it.',
    ),
  row_loss: sqlExpression
    .optional()
    .describe(
      'A business metric: SQL for the cost of one row over key, label, prediction and the kept columns; its mean is compared.',
    ),
  numerator: sqlExpression
    .optional()
    .describe('A ratio of sums: SQL over the row; with denominator. The ratio of the two sums is compared.'),
  denominator: sqlExpression.optional().describe('SQL over the row; see numerator.'),
  aggregate: sqlExpression
    .optional()
    .describe(
      'Any other metric: an SQL aggregate over the rows, e.g. quantile_cont(abs(label - prediction), 0.9), judged by a seeded bootstrap. It is not computed in slices.',
    ),
  threshold: z
    .number()
    .finite()
    .optional()
    .describe(
      'For accuracy, f1, precision, recall, balanced_accuracy and macro_f1: the probability from which a row counts as positive (0.5 if left out). For any other metric: the same as a floor.',
    ),
  k: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('For ndcg: the places of a ranking that count (10 if left out).'),
});
type Given = z.infer<typeof Given>;

/** What is wrong with a metric, as path, message and fix in one. */
function problems(metric: Given): [keyof Given, string][] {
  const found: [keyof Given, string][] = [];
  const { metric: name, row_loss, numerator, denominator, aggregate, require } = metric;
  const known = isKnownMetric(name);
  const forms = [row_loss, numerator ?? denominator, aggregate].filter((form) => form !== undefined).length;
  if (!known && forms === 0)
    found.push([
      'metric',
      `expected one of ${knownMetrics.join(', ')}, or a row_loss, numerator and denominator, or aggregate beside it`,
    ]);
  if (known && forms > 0)
    found.push([
      row_loss !== undefined ? 'row_loss' : aggregate !== undefined ? 'aggregate' : 'numerator',
      `${name} is a known metric: give a business metric a name of its own`,
    ]);
  if (forms > 1) found.push(['metric', 'give one of row_loss, numerator with denominator, or aggregate']);
  if ((numerator === undefined) !== (denominator === undefined))
    found.push([
      numerator === undefined ? 'numerator' : 'denominator',
      'numerator and denominator go together',
    ]);
  if (
    known &&
    metric.higher_is_better !== undefined &&
    metric.higher_is_better !== higherIsBetter(name as KnownMetric)
  )
    found.push([
      'higher_is_better',
      `${higherIsBetter(name as KnownMetric) ? 'higher' : 'lower'} is better for ${name}: take it out, or name a metric of your own`,
    ]);
  const changes = (['gain', 'min_absolute_change', 'min_relative_change'] as const).filter(
    (key) => metric[key] !== undefined,
  );
  const asked = changes[0];
  if (changes.length > 1)
    found.push([changes[1] ?? 'gain', `stands beside ${asked}: keep one, the larger of them`]);
  if (asked !== undefined && require === 'non-inferior')
    found.push([asked, 'asks for better than the champion: take out require: non-inferior, or this']);
  if (asked === 'gain' && require === undefined) found.push(['gain', 'needs require: superior']);
  if (asked !== undefined && metric.margin !== undefined)
    found.push(['margin', `a tolerated loss contradicts ${asked}: keep one of the two`]);
  if (cutMetrics.includes(name) && metric.threshold !== undefined) {
    if (metric.threshold < 0 || metric.threshold > 1)
      found.push(['threshold', `the probability from which a row counts as positive: 0 to 1`]);
    if (changes.some((key) => key !== 'gain') || metric.higher_is_better !== undefined)
      found.push([
        'threshold',
        `can mean two things here: write the limit of ${name} as floors: [{ metric: ${name}, min: … }], and the probability as threshold without min_absolute_change, min_relative_change and higher_is_better`,
      ]);
  }
  if (metric.k !== undefined && name !== 'ndcg')
    found.push(['k', `places of a ranking: for ndcg, not ${name}`]);
  const wide = marginProblem(name, metric.margin);
  if (wide !== null) found.push(['margin', wide]);
  const superior = require === 'superior' || asked !== undefined;
  const limitOnly = metric.threshold !== undefined && !cutMetrics.includes(name);
  if (metric.role !== 'information' && !superior && metric.margin === undefined && !limitOnly)
    found.push(['margin', 'needed to require non-inferior']);
  return found;
}

/** A metric as it was written: its one form, and the floor that its `threshold` stood for. */
export interface ReadMetric {
  policy: MetricPolicy;
  floor: { metric: string; min?: number; max?: number; on: 'lower_bound' } | null;
  /** False for what was written only to set a floor: there is nothing to hold a difference against. */
  compared: boolean;
}

/** Reads a metric in any of its words; the reviewed words win nowhere: what contradicts is refused. */
export const WrittenMetric = Given.superRefine((metric, context) => {
  for (const [key, message] of problems(metric)) context.addIssue({ code: 'custom', path: [key], message });
}).transform((metric): ReadMetric => {
  const { min_absolute_change, min_relative_change, higher_is_better, threshold, require, ...rest } = metric;
  const { metric: name } = metric;
  const cut = cutMetrics.includes(name);
  const gain =
    metric.gain ??
    min_absolute_change ??
    (min_relative_change === undefined
      ? undefined
      : `${Number((min_relative_change * 100).toPrecision(12))}%`);
  const more = isKnownMetric(name) ? higherIsBetter(name) : higher_is_better === true;
  const policy: MetricPolicy = {
    ...rest,
    require: require ?? (gain === undefined ? 'non-inferior' : 'superior'),
    ...(gain === undefined ? {} : { gain }),
    ...(isKnownMetric(name) ? {} : { higher_is_better: more }),
    ...(cut ? { threshold: threshold ?? 0.5 } : {}),
  };
  const isLimit = threshold !== undefined && !cut;
  return {
    policy,
    floor: isLimit ? { metric: name, [more ? 'min' : 'max']: threshold, on: 'lower_bound' } : null,
    compared: !isLimit || policy.require === 'superior' || policy.margin !== undefined,
  };
});

/** Whether a smaller value of a policy's metric is better; business metrics are costs unless they say otherwise. */
export function smallerIsBetter(metric: Pick<MetricPolicy, 'metric' | 'higher_is_better'>): boolean {
  return isKnownMetric(metric.metric) ? !higherIsBetter(metric.metric) : metric.higher_is_better !== true;
}
