import { z } from 'zod';

const Count = z.number().int().nonnegative();
const Share = z.number().min(0).max(1);
const Maybe = z.number().nullable();

export const ColumnVerdict = z.enum(['drift', 'ok', 'not_decidable', 'too_few_rows', 'empty']);
export type ColumnVerdict = z.infer<typeof ColumnVerdict>;

/** One way in which a column can move; the column's headline is the one that moved most. */
export const Aspect = z.object({
  aspect: z.enum(['distribution', 'nulls', 'unseen', 'far_values']),
  /** Distance of current from reference, in `unit`; null where there is nothing to measure. */
  effect: Maybe,
  /** sd of the reference · the column's own unit · points of share (0 to 100). */
  unit: z.enum(['sd', 'value', 'points']),
  /** The effect that counts as drift, and where it comes from. */
  threshold: z.number(),
  threshold_from: z.enum(['configured', 'past_periods', 'sampling_noise']),
  /** Significance by permuting blocks; without times by the row-level test. */
  p_block: Maybe,
  /** The same, adjusted over all columns and aspects. */
  q_value: Maybe,
  verdict: ColumnVerdict,
});
export type Aspect = z.infer<typeof Aspect>;

const FarSide = z.object({
  /** Shares of the values that lie beyond each end. */
  below: Share,
  above: Share,
  /** Mean of those within; null where none is. */
  mean_within: Maybe,
});

/** Values far outside of the rest, and the mean of the others. */
export const FarValues = z.object({ reference: FarSide, current: FarSide });
export type FarValues = z.infer<typeof FarValues>;

/** A part of the rows and what it adds to a whole; parts of one dimension add up to `total`. */
export const Segment = z.object({
  /** The column that divides the rows: the column itself, or another one. */
  dimension: z.string(),
  segment: z.string(),
  share_reference: Share,
  share_current: Share,
  mean_reference: Maybe,
  mean_current: Maybe,
  /**
   * Term of the psi (the column itself), or (another column) part of the difference of means within the ends; where far
   * values moved most, part of the difference of their shares in points, with shares for means: of both ends, or of the
   * one that moved more where they moved against each other.
   */
  of: z.enum(['psi', 'mean_difference', 'far_values']),
  contribution: z.number(),
  total: z.number(),
});
export type Segment = z.infer<typeof Segment>;

/** Shares of both sides over the same bins, for drawing. */
export const Histogram = z.object({
  /** Edges of equal bins, the outer ones open; null where bins are categories. */
  edges: z.array(z.number()).nullable(),
  labels: z.array(z.string()),
  reference: z.array(z.number()),
  current: z.array(z.number()),
});
export type Histogram = z.infer<typeof Histogram>;

/** The smallest shift of the whole window that the check would have found with 80 % power or more. */
export const SmallestDetectable = z.object({
  /** Standard deviations of the reference, or points of share moved to the most frequent level. */
  value: z.number(),
  unit: z.enum(['sd', 'points']),
  /** The same in the column's own unit; null for categories. */
  shift: Maybe,
});
export type SmallestDetectable = z.infer<typeof SmallestDetectable>;

export const DriftColumn = z.object({
  name: z.string(),
  kind: z.enum(['numeric', 'categorical']),
  n_reference: Count,
  n_current: Count,
  null_rate_reference: Share.nullable(),
  null_rate_current: Share.nullable(),
  ks: z.object({ statistic: z.number(), p_value: z.number() }).nullable(),
  chi_square: z.object({ statistic: z.number(), dof: z.number(), p_value: z.number() }).nullable(),
  psi: Maybe,
  js_distance: Maybe,
  kl: Maybe,
  wasserstein: Maybe,
  wasserstein_normed: Maybe,
  total_variation: Maybe,
  hellinger: Maybe.default(null),
  l_infinity: Maybe.default(null),
  /** The likelihood ratio test of the levels of both sides. */
  g: z.object({ statistic: z.number(), dof: z.number(), p_value: z.number() }).nullable().default(null),
  /** Only where its classical rule is asked for: it sorts all rows. */
  cramer_von_mises: z.object({ statistic: z.number(), p_value: z.number() }).nullable().default(null),
  mean_reference: Maybe,
  mean_current: Maybe,
  /** Values below `low`, and from `high` on, lie far outside of the rest: an aspect of their own, and in no other. */
  ends: z.object({ low: z.number(), high: z.number() }).nullable().default(null),
  /** Of the values beyond the ends and within; null where there are no ends. */
  far_values: FarValues.nullable().default(null),
  /** Levels of the current table that the reference lacks (at most 20), and their share of the rows. */
  unseen: z.object({ share: Share, levels: z.array(z.string()) }).nullable(),
  aspects: z.array(Aspect),
  effect: Maybe,
  effect_unit: z.enum(['sd', 'value', 'points']),
  effect_threshold: z.number(),
  p_block: Maybe,
  q_value: Maybe,
  decidable: z.boolean(),
  /** Of its values; null where this was not decidable, and where the largest size searched is not found. */
  smallest_detectable: SmallestDetectable.nullable(),
  /** Share of the model's importance, 0 to 1; null when not known. */
  importance: Maybe,
  /** effect / threshold × importance (× 1 when not known). */
  severity: Maybe,
  verdict: ColumnVerdict,
  /** Classical rules that the column breaks, where the policy asks for them. */
  rules_broken: z.array(z.string()),
  /** One sentence: what moved, by how much. */
  summary: z.string(),
  /** The block from which on the column stays moved; null where it is not known or did not drift. */
  since: z.string().nullable(),
  histogram: Histogram.nullable(),
  segments: z.array(Segment),
});
export type DriftColumn = z.infer<typeof DriftColumn>;

/** Whether rows differ in how their columns go together; it cannot say which columns. */
export const JointDrift = z.object({
  /** Squared maximum mean discrepancy of the sampled rows, 0 to 2; null where it was not measured. */
  statistic: Maybe,
  /** By exchanging whole blocks; without times by groups of rows. */
  p_block: Maybe,
  assignments: Count,
  /** Rows sampled. */
  rows_reference: Count,
  rows_current: Count,
  verdict: ColumnVerdict,
});
export type JointDrift = z.infer<typeof JointDrift>;

const SideFacts = z.object({
  name: z.string(),
  rows: Count,
  rows_without_time: Count,
  blocks: Count,
  from: z.string().nullable(),
  until: z.string().nullable(),
});

/** `drift.json`, and the outputs of `modelgate drift`. */
export const DriftReport = z.object({
  reference: SideFacts,
  current: SideFacts,
  /** `blocks`: from stored bins in place of rows; numeric statistics are then to within a bin's width. */
  source: z.enum(['rows', 'blocks']).default('rows'),
  block: z.enum(['day', 'week', 'column', 'row']),
  /** True without times: every row is then a block of its own, and the p-values hold only if that is so. */
  assumes_independent_rows: z.boolean(),
  alpha: z.number(),
  multiplicity: z.enum(['max_t', 'benjamini_hochberg']),
  /** Assignments of blocks compared; the smallest p is one over this. 0 without blocks. */
  assignments: Count,
  weekday_matched: z.boolean(),
  columns: z.array(DriftColumn),
  /** Names of the columns that drifted, the most severe first. */
  drifted: z.array(z.string()),
  /** All columns together, where the policy asks for it. */
  joint: JointDrift.nullable(),
  left_out: z.array(z.object({ name: z.string(), reason: z.string(), detail: z.string() })),
  schema_differences: z.object({
    missing: z.array(z.string()),
    unexpected: z.array(z.string()),
    changed: z.array(z.object({ name: z.string(), reference: z.string(), current: z.string() })),
  }),
});
export type DriftReport = z.infer<typeof DriftReport>;
