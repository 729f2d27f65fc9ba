import type { Check } from './check.ts';
import type { SliceResult } from './checks/slices.ts';
import type { GateRecord } from './judge.ts';
import { formatCount, formatExact, formatPercent, plural } from './numbers.ts';

/** What both forms of the report say in the same words. */

export const headlines: Record<GateRecord['verdict'], string> = {
  pass: 'The candidate may replace the champion',
  fail: 'The candidate is stopped',
  inconclusive: 'These rows cannot decide',
};

export function headline(record: GateRecord): string {
  if (record.verdict === 'pass' && record.champion === null) return 'The candidate may be the first champion';
  return headlines[record.verdict];
}

/** What follows from an inconclusive verdict, as the policy says; null for the other verdicts. */
export function consequence(record: GateRecord): string | null {
  if (record.verdict !== 'inconclusive') return null;
  return {
    block: 'The policy blocks a candidate that is not decided.',
    approve: 'The policy leaves it to a person with the right to approve.',
    pass: 'The policy lets an undecided candidate go on.',
  }[record.on_inconclusive];
}

export const comparisons = (record: GateRecord): Check[] =>
  record.checks.filter((check) => check.kind === 'metric' || check.kind === 'critical_slice');

export const otherChecks = (record: GateRecord): Check[] =>
  record.checks.filter((check) => check.kind !== 'metric' && check.kind !== 'critical_slice');

/** What the evaluation set can show for one metric. */
export function sight(check: Check): string | null {
  if (check.mde === null || check.n === null) return null;
  const seen = `${check.title}: this set cannot see a drop below ${formatExact(check.mde)}`;
  if (check.margin === null) return `${seen}.`;
  if (check.rows_needed === null) {
    return `${seen}; no number of rows shows a loss of ${formatExact(check.margin)} through the noise of retraining.`;
  }
  if (check.rows_needed <= check.n)
    return `${seen}; the margin of ${formatExact(check.margin)} is within its sight.`;
  return `${seen}; for the margin of ${formatExact(check.margin)} it needs about ${plural(check.rows_needed, 'row')}, and has ${formatCount(check.n)}.`;
}

/** Slices that would not show a loss of their metric's margin, widest first; those that were not tested apart. */
export function blindSlices(record: GateRecord): { blind: SliceResult[]; untested: SliceResult[] } {
  const blind = record.slices.filter((slice) => slice.state === 'blind');
  return {
    blind: blind.sort((a, b) => (b.mde ?? 0) - (a.mde ?? 0)),
    untested: record.slices.filter((slice) => slice.state === 'untested'),
  };
}

/** Tested slices, the most suspicious first. */
export function testedSlices(record: GateRecord): SliceResult[] {
  return record.slices.filter((slice) => slice.p !== null).sort((a, b) => (a.p ?? 1) - (b.p ?? 1));
}

export const sliceName = (slice: SliceResult): string => `${slice.column} = ${slice.value ?? '(missing)'}`;

export const sliceWords: Record<SliceResult['state'], string> = {
  harmed: 'worse',
  suspect: 'look',
  clear: 'no harm seen',
  blind: 'cannot see the margin',
  untested: 'not tested',
};

export function levelNote(record: GateRecord): string {
  const level = formatPercent(1 - record.alpha);
  const both = formatPercent(1 - 2 * record.alpha);
  return `Differences are candidate minus champion, turned so that higher is better. Each end of an interval is a one-sided ${level} bound (together ${both}), and they decide: pass when the lower end is above minus the margin, fail when the upper end is below zero, otherwise inconclusive. Drops that can be seen are stated for a power of ${formatPercent(record.power)}.`;
}
