/** Why a statistic does not exist for the data given. Never NaN: callers must look at it. */
export type UndefinedReason =
  | 'empty'
  | 'too_few_rows'
  | 'too_few_clusters'
  | 'one_class'
  | 'no_positives'
  | 'no_predicted_positives'
  | 'zero_target'
  | 'zero_denominator'
  | 'zero_weight'
  | 'out_of_range'
  | 'not_finite'
  | 'no_groups'
  | 'unsupported';

/** A statistic that is not defined on these data, with the reason and a sentence for people. */
export interface Undefined {
  readonly undefined: UndefinedReason;
  readonly detail: string;
}

export function undefinedBecause(reason: UndefinedReason, detail: string): Undefined {
  return { undefined: reason, detail };
}

export function isUndefined(value: unknown): value is Undefined {
  return typeof value === 'object' && value !== null && 'undefined' in value;
}
