import { code, details, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import type { Check } from './check.ts';
import type { SliceResult } from './checks/slices.ts';
import type { GateRecord } from './judge.ts';
import { formatCount, formatDifference, formatInterval, formatP, formatValue, plural } from './numbers.ts';
import {
  blindSlices,
  comparisons,
  consequence,
  headline,
  levelNote,
  otherChecks,
  sight,
  sliceName,
  sliceWords,
  testedSlices,
} from './view.ts';

/** Below GitHub's limit of 65,536 for a comment, with room for what a caller adds. */
const defaultLimit = 60_000;

const marks = {
  pass: '🟢 pass',
  fail: '🔴 fail',
  inconclusive: '🟡 inconclusive',
  neutral: '⚪ no champion yet',
} as const;
const warned = '🟠 look';

/** The report for a comment or a job summary: verdict first, details folded, at most `limit` characters. */
export function gateMarkdown(
  record: GateRecord,
  { limit = defaultLimit }: { limit?: number } = {},
): Markdown {
  for (let slices = 200; ; slices = Math.floor(slices / 2)) {
    const whole = render(record, slices);
    if (whole.length <= limit) return whole;
    if (slices === 0) return shortest(record, limit);
  }
}

function render(record: GateRecord, slices: number): Markdown {
  return paragraphs(
    `### ${marks[record.verdict]}: ${text(headline(record))}`,
    reasons(record, 10),
    consequenceLine(record),
    comparisonTable(record),
    sights(record),
    checkTable(otherChecks(record)),
    sliceParts(record, slices),
    details('How to read this', text(levelNote(record), 1000)),
    provenance(record),
  );
}

/** When even without slices it is too long: verdict, reasons and provenance, cut. */
function shortest(record: GateRecord, limit: number): Markdown {
  for (let count = 10; ; count = Math.floor(count / 2)) {
    const whole = paragraphs(
      `### ${marks[record.verdict]}: ${text(headline(record))}`,
      reasons(record, count),
      'The full report does not fit here; it is in report.html.',
      provenance(record),
    );
    if (whole.length <= limit || count === 0) return whole;
  }
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
    check.effect === 'informs' ? `${marks[check.verdict]} (shown only)` : marks[check.verdict],
  ]);
  const columns = [
    { title: 'metric' },
    { title: 'champion', number: true },
    { title: 'candidate', number: true },
    { title: 'difference', number: true },
    { title: 'interval', number: true },
    { title: 'margin', number: true },
    { title: 'verdict' },
  ];
  return paragraphs(table({ columns, rows }), details('Methods, rows and flips', methods(checks)));
}

function methods(checks: readonly Check[]): Markdown {
  return table({
    columns: [
      { title: 'metric' },
      { title: 'method' },
      { title: 'rows', number: true },
      { title: 'clusters', number: true },
      { title: 'p (worse)', number: true },
      { title: 'right → wrong', number: true },
      { title: 'wrong → right', number: true },
      { title: 'sd of retraining', number: true },
      { title: 'these two models alone', number: true },
    ],
    rows: checks.map((check) => [
      code(check.title, 80),
      check.method === null ? '–' : code(check.method, 40),
      formatCount(check.n),
      formatCount(check.clusters),
      number(formatP(check.p)),
      formatCount(check.flips?.b ?? null),
      formatCount(check.flips?.c ?? null),
      number(formatValue(check.noise?.sd ?? null)),
      check.noise === undefined ? '–' : number(formatInterval(check.noise.fixed_low, check.noise.fixed_high)),
    ]),
  });
}

function sights(record: GateRecord): Markdown | null {
  const lines = comparisons(record)
    .map(sight)
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

function markOf(check: Check): Markdown {
  return check.effect === 'warns' && check.verdict !== 'pass' ? warned : marks[check.verdict];
}

function sliceParts(record: GateRecord, most: number): Markdown | null {
  const tested = testedSlices(record);
  const { blind, untested } = blindSlices(record);
  if (record.slices.length === 0) return null;
  const cut = (all: number) =>
    all > most ? `\n\nand ${plural(all - most, 'more slice')} in report.html` : '';
  return paragraphs(
    tested.length === 0
      ? null
      : details(
          `Slices: ${plural(tested.length, 'test')}`,
          sliceTable(tested.slice(0, most)) + cut(tested.length),
        ),
    blind.length === 0
      ? null
      : details(
          `Blind slices: ${blind.length} cannot see a loss of the margin`,
          blindTable(blind.slice(0, most)) + cut(blind.length),
        ),
    untested.length === 0
      ? null
      : details(
          `Not tested: ${plural(untested.length, 'slice')}`,
          table({
            columns: [
              { title: 'slice' },
              { title: 'metric' },
              { title: 'rows', number: true },
              { title: 'why' },
            ],
            rows: untested
              .slice(0, most)
              .map((slice) => [
                code(sliceName(slice), 60),
                code(slice.metric, 40),
                formatCount(slice.n),
                text(slice.detail, 100),
              ]),
          }) + cut(untested.length),
        ),
  );
}

function sliceTable(slices: readonly SliceResult[]): Markdown {
  return table({
    columns: [
      { title: 'slice' },
      { title: 'metric' },
      { title: 'rows', number: true },
      { title: 'champion', number: true },
      { title: 'candidate', number: true },
      { title: 'difference', number: true },
      { title: 'p (Holm)', number: true },
      { title: 'sees drops from', number: true },
      { title: '' },
    ],
    rows: slices.map((slice) => [
      code(sliceName(slice), 60),
      code(slice.metric, 40),
      formatCount(slice.n),
      number(formatValue(slice.champion)),
      number(formatValue(slice.candidate)),
      number(formatDifference(slice.diff)),
      number(formatP(slice.p_holm)),
      number(formatValue(slice.mde)),
      sliceWords[slice.state],
    ]),
  });
}

function blindTable(slices: readonly SliceResult[]): Markdown {
  return table({
    columns: [
      { title: 'slice' },
      { title: 'metric' },
      { title: 'rows', number: true },
      { title: 'sees drops from', number: true },
      { title: 'margin', number: true },
    ],
    rows: slices.map((slice) => [
      code(sliceName(slice), 60),
      code(slice.metric, 40),
      formatCount(slice.n),
      number(formatValue(slice.mde)),
      number(formatValue(slice.margin)),
    ]),
  });
}

function provenance(record: GateRecord): Markdown {
  const set = record.evaluation_set === null ? '' : `, set ${code(record.evaluation_set.id, 80)}`;
  const champion =
    record.champion === null ? 'no champion yet' : `champion ${code(record.champion.slice(0, 12))}`;
  return `<sub>${plural(record.rows, 'row')}${set} · candidate ${code(record.candidate.slice(0, 12))} · ${champion} · evaluation ${code(record.evaluation.slice(0, 12))}</sub>`;
}

/** Formatted numbers hold nothing but digits, signs, brackets and commas: only < must be escaped. */
const number = (formatted: string): Markdown =>
  formatted.replace('<', '&lt;').replace('[', '\\[').replace(']', '\\]');
