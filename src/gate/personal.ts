import type { Scores } from './scores.ts';

/** Whether a column is among the personal ones; SQL names columns in any case. */
export const isPersonal = (personal: readonly string[], name: string): boolean =>
  personal.some((one) => one.toLowerCase() === name.toLowerCase());

/**
 * Scores whose personal slice columns have numbers instead of values, so that no report and no sentence can tell
 * them. `except`: columns whose values the policy itself names, as critical slices do.
 */
export function withholdValues(
  scores: Scores,
  { personal, except }: { personal: readonly string[]; except: readonly string[] },
): Scores {
  return {
    ...scores,
    slices: scores.slices.map((slice) =>
      !isPersonal(personal, slice.column) || except.includes(slice.column)
        ? slice
        : {
            ...slice,
            values: slice.values.map((value, index) => (value === null ? null : `withheld ${index + 1}`)),
          },
    ),
  };
}
