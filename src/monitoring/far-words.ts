import type { DriftColumn } from './drift-report.ts';
import { percent, readable, signed } from './format.ts';

type FarColumn = Pick<DriftColumn, 'ends' | 'far_values'>;

/** An end whose share moved by less than this part of the other's is not told. */
const toldPart = 0.1;

/** What of a column's rows lies far outside of the rest: `2 % of the rows lie above 5,000, before 0 %`. Null without ends. */
export function farWords({ ends, far_values: far }: FarColumn): string | null {
  if (ends === null || far === null) return null;
  const sides = (['below', 'above'] as const).map((where) => {
    const [before, now] = [far.reference[where], far.current[where]];
    const end = readable(where === 'below' ? ends.low : ends.high);
    return {
      moved: Math.abs(now - before),
      words: `${percent(now)} of the rows lie ${where} ${end}, before ${percent(before)}`,
    };
  });
  const most = Math.max(...sides.map(({ moved }) => moved));
  const told = sides.filter(({ moved }) => moved >= toldPart * most);
  return told.map(({ words }) => words).join('; ');
}

type Means = Pick<DriftColumn, 'mean_reference' | 'mean_current'>;

/** `mean 40 → 52 (+12)`, of all values; null for categories and where a side has no value. */
export function meanWords({ mean_reference: before, mean_current: now }: Means): string | null {
  return before === null || now === null
    ? null
    : `mean ${readable(before)} → ${readable(now)} (${signed(now - before)})`;
}

/** The same of the values within the ends, where there are ends. */
export function meanWordsWithin(column: FarColumn & Means): string | null {
  const { far_values: far } = column;
  return meanWords(
    far === null
      ? column
      : { mean_reference: far.reference.mean_within, mean_current: far.current.mean_within },
  );
}

/** Which values such words are of: `, of the values from −420 to 510`; nothing where they are of all. */
export const rangeWords = ({ ends }: Pick<FarColumn, 'ends'>): string =>
  ends === null ? '' : `, of the values from ${readable(ends.low)} to ${readable(ends.high)}`;
