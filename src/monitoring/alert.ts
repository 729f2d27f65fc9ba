import { code, details, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import { oneLine } from '../report/plain.ts';
import type { DriftColumn, DriftReport, Segment } from './drift-report.ts';
import { percent, pValue, readable, signed, withUnit } from './format.ts';
import type { RunbookResult } from './runbook.ts';
import type { Alert, Signal } from './signal.ts';

/** What an issue is about. */
export interface Subject {
  model: string;
  environment: string;
  version: number | null;
}

export interface AlertParts {
  cause: Alert['cause'];
  /** Null for `modelgate drift` on two files, which knows no model. */
  subject: Subject | null;
  /** Signals of this cause, the most severe first. */
  signals: readonly Signal[];
  /** The comparison that the signals come from; null for concept drift and service. */
  report: DriftReport | null;
  /** The predictions' comparison, to say what the model did with the moved inputs. */
  predictions: readonly Signal[];
  runbook: RunbookResult | null;
}

const limit = 60_000;

/**
 * The issue that a repository gets: what moved by how much, both distributions, the segments that carry it, since
 * when, how important it is, what the predictions did, the runbook's answers, the decision and the next commands.
 * Its marker names model, environment and cause, so that a repeat updates the same issue.
 */
export function buildAlert(parts: AlertParts): Alert {
  const { cause, subject, runbook } = parts;
  const head = parts.signals[0];
  const place = subject === null ? '' : `${subject.model} in ${subject.environment}: `;
  const title = oneLine(`${place}${head?.summary ?? cause}`, 140);
  const fingerprint = fingerprintOf(subject, cause);
  const action = runbook === null ? 'investigate' : runbook.action;
  const reason = runbook?.reason ?? 'No runbook is for this cause.';
  const body = paragraphs(
    `<!-- modelgate:alert ${fingerprint} -->`,
    lead(parts),
    head === undefined ? null : featurePart(parts, head),
    othersPart(parts),
    predictionsPart(parts),
    runbook === null ? null : runbookPart(runbook),
    decisionPart({ action, reason, days: runbook?.days ?? null, subject }),
  );
  return { cause, fingerprint, title, body: cut(body), action, reason };
}

/** Which issue a cause belongs to. Made of checked names and a fixed word, so it cannot end an HTML comment. */
export function fingerprintOf(subject: Subject | null, cause: Alert['cause']): string {
  return subject === null ? `files/${cause}` : `${subject.model}/${subject.environment}/${cause}`;
}

function lead({ subject, signals, report }: AlertParts): Markdown {
  const head = signals[0];
  const where =
    subject === null
      ? ''
      : `Model ${code(subject.model)}${subject.version === null ? '' : ` version ${subject.version}`} in ${code(subject.environment)}. `;
  const more = signals.length > 1 ? ` ${signals.length - 1} more below.` : '';
  const windows =
    report === null
      ? null
      : `${text(report.current.name)} (${span(report.current)}) against ${text(report.reference.name)} (${span(report.reference)}).`;
  return paragraphs(`${where}**${text(head?.summary ?? '', 400)}**.${more}`, windows);
}

function span(side: DriftReport['reference']): Markdown {
  const rows = `${side.rows.toLocaleString('en-US')} rows`;
  return side.from === null ? rows : text(`${side.from} to ${side.until}, ${side.blocks} blocks, ${rows}`);
}

function featurePart({ report }: AlertParts, head: Signal): Markdown | null {
  const column = report?.columns.find(({ name }) => name === head.name);
  if (report === null || column === undefined) return null;
  const rank =
    head.rank === null
      ? 'not known'
      : `${percent(head.importance)} of the model's importance, rank ${head.rank}${head.top === true ? ' (top quartile)' : ''}`;
  const shift =
    column.mean_reference === null || column.mean_current === null
      ? null
      : `mean ${readable(column.mean_reference)} → ${readable(column.mean_current)} (${signed(column.mean_current - column.mean_reference)})`;
  const test = report.assumes_independent_rows
    ? `p ${pValue(column.p_block)}, adjusted over all columns ${pValue(column.q_value)} (taking rows as independent: there is no time column)`
    : `p ${pValue(column.p_block)}, adjusted over all columns ${pValue(column.q_value)}, by permuting whole blocks ${report.assignments.toLocaleString('en-US')} times`;
  const facts: [string, string | null][] = [
    ['Moved by', shift],
    [
      'Effect',
      `${withUnit(column.effect, column.effect_unit)} (counts from ${withUnit(column.effect_threshold, column.effect_unit)})`,
    ],
    ['Significance', test],
    ['Nulls', `${percent(column.null_rate_reference)} → ${percent(column.null_rate_current)}`],
    ['Since', head.since],
    ['Windows', head.windows.evaluated > 1 ? `${head.windows.violated} of ${head.windows.evaluated}` : null],
    ['Importance', rank],
  ];
  return paragraphs(
    `### ${text(column.name)}`,
    table({
      columns: [{ title: '' }, { title: '' }],
      rows: facts.filter(([, value]) => value !== null).map(([name, value]) => [name, text(value, 300)]),
    }),
    distributionPart(column),
    segmentsPart(column),
  );
}

const steps = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Shares as a line of block characters, drawn to the largest share of both sides. */
export function sparkline(shares: readonly number[], largest: number): string {
  return shares
    .map((share) =>
      share === 0 || largest === 0 ? ' ' : steps[Math.min(7, Math.floor((share / largest) * 8))],
    )
    .join('');
}

function distributionPart({ histogram }: DriftColumn): Markdown | null {
  if (histogram === null) return null;
  const { labels, reference, current } = histogram;
  const rows = labels.map((label, i) => [
    text(label, 60),
    percent(reference[i] ?? 0),
    percent(current[i] ?? 0),
    text(signed(100 * ((current[i] ?? 0) - (reference[i] ?? 0)))),
  ]);
  const full = table({
    columns: [
      { title: 'value' },
      { title: 'before', number: true },
      { title: 'now', number: true },
      { title: 'points', number: true },
    ],
    rows,
  });
  if (histogram.edges === null) return paragraphs('**Distribution**', full);
  const largest = Math.max(...reference, ...current);
  const drawn = `\`\`\`text\nbefore |${sparkline(reference, largest)}|\nnow    |${sparkline(current, largest)}|\n\`\`\``;
  return paragraphs(
    `**Distribution**, from ${text(readable(histogram.edges[0] ?? null))} to ${text(readable(histogram.edges.at(-1) ?? null))}`,
    drawn,
    details('Shares by value', full),
  );
}

const segmentsTold = 6;

function segmentsPart({ name, segments }: DriftColumn): Markdown | null {
  const dimensions = [...new Set(segments.map(({ dimension }) => dimension))];
  if (dimensions.length === 0) return null;
  return paragraphs(
    '**Segments that carry it**',
    ...dimensions.map((dimension) => dimensionPart(name, segments, dimension)),
  );
}

function dimensionPart(name: string, segments: readonly Segment[], dimension: string): Markdown {
  const all = segments.filter((segment) => segment.dimension === dimension);
  const shown = all.slice(0, segmentsTold);
  const total = all[0]?.total ?? 0;
  const rest = total - shown.reduce((sum, segment) => sum + segment.contribution, 0);
  const own = dimension === name;
  const rows = shown.map((segment) => [
    text(segment.segment, 60),
    `${percent(segment.share_reference)} → ${percent(segment.share_current)}`,
    ...(own ? [] : [`${text(readable(segment.mean_reference))} → ${text(readable(segment.mean_current))}`]),
    text(signed(segment.contribution)),
  ]);
  if (all.length > shown.length) rows.push(['all others', '', ...(own ? [] : ['']), text(signed(rest))]);
  rows.push(['**together**', '', ...(own ? [] : ['']), `**${text(signed(total))}**`]);
  return table({
    columns: [
      { title: text(dimension) },
      { title: 'share of rows' },
      ...(own ? [] : [{ title: `mean of ${text(name)}` }]),
      { title: own ? 'part of the PSI' : 'part of the shift', number: true },
    ],
    rows,
  });
}

function othersPart({ signals }: AlertParts): Markdown | null {
  const others = signals.slice(1, 31);
  if (others.length === 0) return null;
  return paragraphs(
    '### Also moved',
    table({
      columns: [{ title: 'what' }, { title: 'importance', number: true }, { title: 'verdict' }],
      rows: others.map((one) => [text(one.summary, 300), percent(one.importance), text(one.verdict)]),
    }),
  );
}

function predictionsPart({ cause, predictions }: AlertParts): Markdown | null {
  if (cause === 'prediction_drift' || predictions.length === 0) return null;
  return paragraphs(
    '### What the predictions did',
    predictions.map((one) => `- ${text(one.summary, 400)}`).join('\n'),
  );
}

function runbookPart(runbook: RunbookResult): Markdown {
  const lines = runbook.steps.map(
    ({ title, answer, detail }) =>
      `- [${answer === 'unknown' ? ' ' : 'x'}] ${text(title)} **${answer}**: ${text(detail, 600)}`,
  );
  return paragraphs(`### Runbook ${code(runbook.runbook)}`, lines.join('\n'));
}

const decided: Record<Alert['action'], string> = {
  retrain: 'Retrain',
  review: 'Log it and look again',
  fix_data: 'Mend the data',
  investigate: 'Look into it',
  none: 'Nothing to do',
};

function decisionPart(decision: {
  action: Alert['action'];
  reason: string;
  days: number | null;
  subject: Subject | null;
}): Markdown {
  const { action, reason, days, subject } = decision;
  const when = days === null ? '' : ` in ${days} days`;
  const commands =
    subject === null
      ? []
      : [
          ...(action === 'retrain' ? ['modelgate run'] : []),
          `modelgate status ${subject.model}`,
          ...(action === 'retrain' || action === 'investigate'
            ? [`modelgate rollback ${subject.model} --in ${subject.environment} --dry-run`]
            : []),
        ];
  return paragraphs(
    `### Decision: ${decided[action]}${when}`,
    text(reason, 400),
    commands.length === 0 ? null : `\`\`\`sh\n${commands.join('\n')}\n\`\`\``,
  );
}

/** GitHub takes 65,536 characters; a body is cut between paragraphs, the decision stays readable in the report. */
function cut(body: Markdown): Markdown {
  if (body.length <= limit) return body;
  const end = body.lastIndexOf('\n\n', limit);
  return `${body.slice(0, end)}\n\n(cut; the report has the rest)`;
}
