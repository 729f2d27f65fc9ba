import type { GatePolicy } from './policy.ts';
import type { Scores } from './scores.ts';
import { sameValue } from './slice-rows.ts';

/** Whether a column is among the personal ones; SQL names columns in any case. */
export const isPersonal = (personal: readonly string[], name: string): boolean =>
  personal.some((one) => one.toLowerCase() === name.toLowerCase());

/** A value that the policy itself writes down, as critical slices do. */
export interface NamedValue {
  column: string;
  value: string | number | boolean | null;
}

/** The values that a policy names: in critical slices, and as reference groups. */
export function namedValues({ slices, fairness }: Pick<GatePolicy, 'slices' | 'fairness'>): NamedValue[] {
  const list = (named: Record<string, NamedValue['value']>) =>
    Object.entries(named).map(([column, value]) => ({ column, value }));
  return [
    ...(slices?.critical ?? []).flatMap(({ where }) => list(where)),
    ...list(fairness?.reference ?? {}),
  ];
}

/**
 * Scores whose personal slice columns have numbers instead of values, so that no report and no sentence can tell
 * them. `except`: the values that are shown, since the policy names them.
 */
export function withholdValues(
  scores: Scores,
  { personal, except }: { personal: readonly string[]; except: readonly NamedValue[] },
): Scores {
  return {
    ...scores,
    slices: scores.slices.map((slice) => {
      if (!isPersonal(personal, slice.column)) return slice;
      const shown = except.filter(({ column }) => column === slice.column);
      const values = slice.values.map((value, index) =>
        value === null || shown.some((one) => sameValue(value, one.value)) ? value : `withheld ${index + 1}`,
      );
      return { ...slice, values };
    }),
  };
}
