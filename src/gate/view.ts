import type { Behaviour } from './behaviour.ts';
import type { Check } from './check.ts';
import type { FairnessResult } from './checks/fairness.ts';
import type { SliceResult } from './checks/slices.ts';
import {
  formatCount,
  formatExact,
  formatPercent,
  formatPlainInterval,
  formatValue,
  plural,
} from './numbers.ts';
import type { GateRecord } from './record.ts';

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

const measureWords: Record<FairnessResult['measure'], string> = {
  selection_ratio: 'selection ratio',
  tpr_gap: 'TPR gap',
  fpr_gap: 'FPR gap',
};

/** The audit of groups as a table of plain texts, still to be escaped; those that did not pass first. */
export function fairnessTable({ fairness = [] }: GateRecord): {
  titles: { title: string; number: boolean }[];
  rows: { cells: string[]; verdict: FairnessResult['verdict'] }[];
} {
  const order = ['fail', 'inconclusive', 'untested', 'pass'];
  const sorted = fairness.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return {
    titles: [
      { title: 'group', number: false },
      { title: 'measure', number: false },
      { title: 'rows', number: true },
      { title: 'rate', number: true },
      { title: 'reference', number: true },
      { title: 'estimate', number: true },
      { title: 'interval', number: true },
    ],
    rows: sorted.map((one) => ({
      cells: [
        `${sliceName(one)} against ${one.reference ?? '(missing)'}`,
        measureWords[one.measure],
        formatCount(one.n),
        formatPercent(one.rate),
        formatPercent(one.reference_rate),
        formatValue(one.estimate),
        one.low === null ? (one.detail ?? '–') : formatPlainInterval(one.low, one.high),
      ],
      verdict: one.verdict,
    })),
  };
}

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

export const sliceName = (slice: Pick<SliceResult, 'column' | 'value'>): string =>
  `${slice.column} = ${slice.value ?? '(missing)'}`;

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
  return `Differences are candidate minus champion, turned so that higher is better. Each end of an interval is a one-sided ${level} bound (together ${both}), and they decide: pass when the lower end is above minus the margin, fail when the upper end is below zero, otherwise inconclusive. Drops that can be seen are stated for a power of ${formatPercent(record.power)}.${falseAlarms(record)}`;
}

/** How often the comparisons together stop an equal model at most: each has a level of its own, the slices share one. */
function falseAlarms(record: GateRecord): string {
  const blocking = comparisons(record).filter(({ effect, p }) => effect === 'blocks' && p !== null).length;
  const sliced = record.slices.some(({ p }) => p !== null);
  if (blocking + Number(sliced) < 2) return '';
  const parts = [
    blocking === 0 ? null : plural(blocking, 'comparison'),
    sliced ? 'the slices as one' : null,
  ].filter((part) => part !== null);
  const most = Math.min(1, (blocking + Number(sliced)) * record.alpha);
  return ` ${parts.join(' and ')}, each at ${formatPercent(record.alpha)}: together they stop a model as good as the champion in at most ${formatPercent(most)} of cases.`;
}

/** The name of a column whose values a contract marks as personal, in place of each of them. */
export const withheldWords = 'withheld: personal';

/** What changed for single rows, in one sentence. */
export function behaviourWords({ task, threshold, margin, rows, lost, gained }: Behaviour): string {
  const net = gained - lost;
  const sum = net === 0 ? 'as many either way' : `net ${net > 0 ? '+' : '−'}${formatCount(Math.abs(net))}`;
  const all = `of ${plural(rows, 'row')}; ${sum}`;
  return task === 'classification'
    ? `At the threshold ${formatExact(threshold)}, ${formatCount(lost)} went from right to wrong and ${formatCount(gained)} from wrong to right, ${all}.`
    : `The error of ${formatCount(lost)} grew and of ${formatCount(gained)} shrank by more than ${formatExact(margin)}, the champion's mean absolute error, ${all}.`;
}

/** Titles of the two directions, for tables. */
export function flipTitles({ task }: Pick<Behaviour, 'task'>): { lost: string; gained: string } {
  return task === 'classification'
    ? { lost: 'right → wrong', gained: 'wrong → right' }
    : { lost: 'error grew', gained: 'error shrank' };
}

/** The examples as a table of plain texts, still to be escaped; at most `columns` kept columns. */
export function exampleTable(
  behaviour: Behaviour,
  columns: number,
): { titles: { title: string; number: boolean }[]; rows: string[][] } {
  const { examples, withheld } = behaviour;
  const titles = flipTitles(behaviour);
  const kept = Object.keys(examples[0]?.columns ?? {});
  const hidden = withheld.filter((name) => name !== 'key');
  const names = [...kept, ...hidden].slice(0, columns);
  return {
    titles: [
      { title: 'key', number: false },
      { title: 'change', number: false },
      { title: 'label', number: true },
      { title: 'champion', number: true },
      { title: 'candidate', number: true },
      ...names.map((title) => ({ title, number: false })),
    ],
    rows: examples.map((example) => [
      withheld.includes('key') ? withheldWords : (example.key ?? '(missing)'),
      titles[example.change],
      formatExact(example.label),
      formatValue(example.champion),
      formatValue(example.candidate),
      ...names.map((name) =>
        hidden.includes(name) ? withheldWords : (example.columns[name] ?? '(missing)'),
      ),
    ]),
  };
}

/** Methods as people call them. */
export const methodName = (method: string): string =>
  ({
    delong: 'DeLong',
    paired_t: 'paired t',
    paired_t_cluster: 'paired t of clusters',
    'mcnemar_midp+tango': 'McNemar, Tango',
    influence: 'influence function',
  })[method] ?? method.replaceAll('_', ' ');

/** How often a metric's rows flipped, lost first; null where there is nothing to flip. */
export const flipWords = ({ flips }: Pick<Check, 'flips'>): string | null =>
  flips === undefined ? null : `−${formatCount(flips.b)} +${formatCount(flips.c)}`;

/** How often this evaluation set has been asked and what that costs, where no check of a budget says so. */
export function consultationWords({ consultations, checks }: GateRecord): string | null {
  if (consultations == null || checks.some(({ id }) => id === 'evaluation_set:budget')) return null;
  const { count, budget, bound, worn_at } = consultations;
  const of = budget === null ? '' : ` of ${formatCount(budget)}`;
  return `Consultation ${formatCount(count)}${of} of this evaluation set: that one of them was wrong by chance is at most ${formatPercent(bound)}; it is worn out at ${formatCount(worn_at)}.`;
}

/** What to do now. `commands` are ours and the names in them are plain. */
export interface NextStep {
  text: string;
  commands: { where: string; command: string }[];
}

/** The next step that follows from the verdict; null where the gate was asked without a project. */
export function nextStep(record: GateRecord): NextStep | null {
  const { release, verdict, on_inconclusive } = record;
  if (release === null) return null;
  const { model, environment } = release;
  const promote = [
    { where: 'Comment', command: `/promote ${model} to ${environment}` },
    { where: 'Command line', command: `modelgate promote ${model} --to ${environment}` },
  ];
  if (verdict === 'pass') return { text: 'Once it is registered, promote it.', commands: promote };
  if (verdict === 'inconclusive' && on_inconclusive === 'pass')
    return { text: 'Once it is registered, it may be promoted undecided.', commands: promote };
  if (verdict === 'inconclusive')
    return {
      text:
        on_inconclusive === 'approve'
          ? 'Pin a larger evaluation set, or let a person with the right decide.'
          : 'Pin a larger evaluation set, or improve the candidate; the gate runs again.',
      commands: [],
    };
  return { text: 'Improve the candidate and push; the gate runs again.', commands: [] };
}
