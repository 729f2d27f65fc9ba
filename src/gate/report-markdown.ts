import { code, details, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import type { Check } from './check.ts';
import { behaviourPart } from './markdown/behaviour.ts';
import { type Amount, markOf, marks, number } from './markdown/cells.ts';
import { changesPart } from './markdown/changes.ts';
import { fairnessPart } from './markdown/fairness.ts';
import { scansPart } from './markdown/scans.ts';
import { sliceParts } from './markdown/slices.ts';
import { formatCount, formatDifference, formatInterval, formatP, formatValue, plural } from './numbers.ts';
import type { GateRecord } from './record.ts';
import {
  comparisons,
  consequence,
  consultationWords,
  flipWords,
  headline,
  levelNote,
  methodName,
  nextStep,
  otherChecks,
  sight,
} from './view.ts';

/** Below GitHub's limit of 65,536 for a comment, with room for what a caller adds. */
const defaultLimit = 60_000;

/** The report for a comment or a job summary: verdict first, details folded, at most `limit` characters. */
export function gateMarkdown(
  record: GateRecord,
  { limit = defaultLimit }: { limit?: number } = {},
): Markdown {
  // Whole parts are left out, never the end of one: whatever is opened is closed, and the marker stays.
  for (
    let amount: Amount = { slices: 200, examples: 20, changes: 100, findings: 100 };
    ;
    amount = less(amount)
  ) {
    const whole = render(record, amount);
    if (whole.length <= limit) return whole;
    if (Object.values(amount).every((count) => count === 0)) return shortest(record, limit);
  }
}

const less = ({ slices, examples, changes, findings }: Amount): Amount => ({
  slices: Math.floor(slices / 2),
  examples: Math.floor(examples / 2),
  changes: Math.floor(changes / 2),
  findings: Math.floor(findings / 2),
});

/** The last line of each report, by which the comment of an earlier run is found. */
export function gateMarker({ release }: Pick<GateRecord, 'release'>): Markdown {
  return `<!-- modelgate:gate${release === null ? '' : ` ${release.model}`} -->`;
}

function render(record: GateRecord, amount: Amount): Markdown {
  return paragraphs(
    `### ${marks[record.verdict]}: ${text(headline(record))}`,
    reasons(record, 10),
    consequenceLine(record),
    next(record),
    comparisonTable(record),
    sights(record),
    checkTable(otherChecks(record)),
    scansPart(record, amount),
    behaviourPart(record, amount),
    changesPart(record, amount),
    fairnessPart(record, amount),
    sliceParts(record, amount.slices),
    details('How to read this', text(levelNote(record), 1000)),
    provenance(record),
    gateMarker(record),
  );
}

/** When even without the folded parts it is too long: verdict, reasons and provenance, cut. */
function shortest(record: GateRecord, limit: number): Markdown {
  for (let count = 10; ; count = Math.floor(count / 2)) {
    const whole = paragraphs(
      `### ${marks[record.verdict]}: ${text(headline(record))}`,
      reasons(record, count),
      'The full report does not fit here; it is in report.html.',
      provenance(record),
      gateMarker(record),
    );
    if (whole.length <= limit || count === 0) return whole;
  }
}

function next(record: GateRecord): Markdown | null {
  const step = nextStep(record);
  if (step === null) return null;
  const commands = step.commands.map(({ where, command }) => `${text(where)}: ${code(command)}`);
  return `**Next:** ${[text(step.text, 400), ...commands].join(' · ')}`;
}

function reasons({ reasons: all }: GateRecord, most: number): Markdown {
  if (all.length === 1 && most > 0) return text(all[0], 600);
  const shown = all.slice(0, most).map((reason) => `* ${text(reason, 600)}`);
  if (all.length > most) shown.push(`* ${plural(all.length - most, 'more reason')} in the report`);
  return shown.join('\n');
}

function consequenceLine(record: GateRecord): Markdown | null {
  const line = consequence(record);
  return line === null ? null : text(line);
}

function comparisonTable(record: GateRecord): Markdown | null {
  const checks = comparisons(record);
  if (checks.length === 0) return null;
  const rows = checks.map((check) => [
    code(check.title, 80),
    number(formatValue(check.champion)),
    number(formatValue(check.candidate)),
    number(formatDifference(check.diff)),
    check.low === null ? '–' : number(formatInterval(check.low, check.high)),
    number(formatValue(check.margin)),
    check.method === null ? '–' : text(methodName(check.method), 40),
    formatCount(check.n),
    number(flipWords(check) ?? '–'),
    check.effect === 'informs' ? `${marks[check.verdict]} (shown only)` : marks[check.verdict],
  ]);
  const columns = [
    { title: 'metric' },
    { title: 'champion', number: true },
    { title: 'candidate', number: true },
    { title: 'difference', number: true },
    { title: 'interval', number: true },
    { title: 'margin', number: true },
    { title: 'method' },
    { title: 'rows', number: true },
    { title: 'flips', number: true },
    { title: 'verdict' },
  ];
  const noisy = checks.some((check) => check.noise !== undefined || check.clusters !== null);
  return paragraphs(
    table({ columns, rows }),
    noisy ? details('Clusters, p and noise of retraining', methods(checks)) : null,
  );
}

function methods(checks: readonly Check[]): Markdown {
  return table({
    columns: [
      { title: 'metric' },
      { title: 'clusters', number: true },
      { title: 'p (worse)', number: true },
      { title: 'sd of retraining', number: true },
      { title: 'these two models alone', number: true },
    ],
    rows: checks.map((check) => [
      code(check.title, 80),
      formatCount(check.clusters),
      number(formatP(check.p)),
      number(formatValue(check.noise?.sd ?? null)),
      check.noise === undefined ? '–' : number(formatInterval(check.noise.fixed_low, check.noise.fixed_high)),
    ]),
  });
}

function sights(record: GateRecord): Markdown | null {
  const lines = [...comparisons(record).map(sight), consultationWords(record)]
    .filter((line) => line !== null)
    .map((line) => `* ${text(line, 400)}`);
  return lines.length === 0 ? null : lines.join('\n');
}

function checkTable(checks: readonly Check[]): Markdown | null {
  if (checks.length === 0) return null;
  return table({
    columns: [{ title: 'check' }, { title: 'verdict' }, { title: 'what was found' }],
    rows: checks
      .slice(0, 100)
      .map((check) => [code(check.title, 80), markOf(check), text(check.reason, 400)]),
  });
}

function provenance(record: GateRecord): Markdown {
  const set = record.evaluation_set === null ? '' : `, set ${code(record.evaluation_set.id, 80)}`;
  const champion =
    record.champion === null ? 'no champion yet' : `champion ${code(record.champion.slice(0, 12))}`;
  return `<sub>${plural(record.rows, 'row')}${set} · candidate ${code(record.candidate.slice(0, 12))} · ${champion} · evaluation ${code(record.evaluation.slice(0, 12))}</sub>`;
}
