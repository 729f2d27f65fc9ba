import type { Aspect } from './drift-report.ts';
import { farWords, meanWords, meanWordsWithin, rangeWords } from './far-words.ts';
import { percent, withUnit } from './format.ts';
import type { Measured } from './measure.ts';
import type { Side, TablePair } from './tables.ts';

export function nullRate(filled: number, side: Side): number | null {
  return side.rows === 0 ? null : Math.min(1, Math.max(0, 1 - filled / side.rows));
}

/** What moved in a column and by how much, in one sentence; `farMoved`: the shares of far values did too. */
export function summarize(
  column: Measured,
  { aspect, farMoved, pair }: { aspect: Aspect; farMoved: boolean; pair: TablePair },
): string {
  const { name } = column;
  if (aspect.aspect === 'nulls') {
    const [before, after] = [nullRate(column.n[0], pair.reference), nullRate(column.n[1], pair.current)];
    return `${name}: nulls ${percent(before)} → ${percent(after)} of the rows`;
  }
  if (aspect.aspect === 'unseen') {
    const levels = (column.unseen?.levels ?? [])
      .slice(0, 3)
      .map((level) => JSON.stringify(level.slice(0, 60)));
    return `${name}: ${percent(column.unseen?.share ?? null)} of the rows hold values never seen before (${levels.join(', ')})`;
  }
  const numeric = numericWords(column, { aspect, farMoved });
  if (numeric !== null) return `${name}: ${numeric}`;
  if (column.n[0] === 0 || column.n[1] === 0) return `${name}: no values to compare`;
  const most = mostChanged(column);
  const example =
    most === undefined
      ? ''
      : `, most ${JSON.stringify(most.level.slice(0, 60))}: ${percent(most.before)} → ${percent(most.now)}`;
  return `${name}: ${withUnit(aspect.effect, aspect.unit)} of the rows changed category${example}`;
}

/** The level whose share changed most: of the frequent ones, which are drawn, and of those that the psi tells. */
function mostChanged({ segments, histogram }: Measured) {
  const drawn = (histogram?.labels ?? []).map((level, i) => ({
    level,
    before: histogram?.reference[i] ?? 0,
    now: histogram?.current[i] ?? 0,
  }));
  const told = segments.map((part) => ({
    level: part.segment,
    before: part.share_reference,
    now: part.share_current,
  }));
  return [...told, ...drawn]
    .filter(({ level }) => !/^\(\d+ others\)$/.test(level))
    .sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before))[0];
}

/** Null for categories, and where a side has no value. */
function numericWords(
  { means, parted }: Measured,
  { aspect, farMoved }: { aspect: Aspect; farMoved: boolean },
): string | null {
  const told = {
    ends: parted?.ends ?? null,
    far_values: parted?.far ?? null,
    ...{ mean_reference: means[0], mean_current: means[1] },
  };
  const far = farWords(told);
  const within = meanWordsWithin(told);
  // where no value of a side lies within the ends, the means of all say how far they went
  if (far !== null && within === null) return `${far}; with all values ${meanWords(told)}`;
  if (far !== null && aspect.aspect === 'far_values') return far;
  if (within === null) return null;
  const apart = `distributions ${withUnit(aspect.effect, aspect.unit)} apart`;
  return `${within}, ${apart}${rangeWords(told)}${farMoved ? `; ${far}` : ''}`;
}
