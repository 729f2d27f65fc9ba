import { withCommas } from '../report/commas.ts';
import { code, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import { oneLine } from '../report/plain.ts';
import { featurePart } from './alert-feature.ts';
import { upstreamPart, validationLink } from './alert-upstream.ts';
import type { DriftReport } from './drift-report.ts';
import { percent } from './format.ts';
import { actionWords, type RunbookResult } from './runbook.ts';
import type { Alert, Signal } from './signal.ts';
import type { Upstream } from './upstream.ts';

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
  /** What changed before the model's inputs; left out where it was not looked for. */
  upstream?: Upstream | null;
}

const limit = 60_000;
/** Characters of a body that the bot's own words still fit beside. */
const roomy = 50_000;

/**
 * The issue that a repository gets: what moved by how much, both distributions, the segments that carry it, since
 * when, how important it is, what the predictions did, what changed upstream, the runbook's answers, the decision and
 * the next commands. Its marker names model, environment and cause, so that a repeat updates the same issue.
 */
export function buildAlert(parts: AlertParts): Alert {
  const { cause, subject, runbook } = parts;
  const head = parts.signals[0];
  const place = subject === null ? '' : `${subject.model} in ${subject.environment}: `;
  const title = oneLine(`${place}${head?.summary ?? cause}`, 140);
  const fingerprint = fingerprintOf(subject, cause);
  const action = runbook === null ? 'investigate' : runbook.action;
  const reason = runbook?.reason ?? 'No runbook is for this cause.';
  const bodyWith = (upstream: Markdown | null) =>
    paragraphs(
      `<!-- modelgate:alert ${fingerprint} -->`,
      lead(parts),
      head === undefined ? null : featurePart(parts.report, head),
      othersPart(parts),
      predictionsPart(parts),
      upstream,
      runbook === null ? null : runbookPart(runbook),
      decisionPart({ action, reason, days: runbook?.days ?? null, subject }),
    );
  const whole = bodyWith(parts.upstream == null ? null : upstreamPart(parts.upstream));
  // what stands behind it says what to do
  const body = whole.length <= roomy ? whole : bodyWith('### What changed upstream\n\nThe report has it.');
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
  const rows = `${withCommas(side.rows)} rows`;
  return side.from === null ? rows : text(`${side.from} to ${side.until}, ${side.blocks} blocks, ${rows}`);
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
    ({ title, answer, detail, log }) =>
      `- [${answer === 'unknown' ? ' ' : 'x'}] ${text(title)} **${answer}**: ${text(detail, 600)}${log == null ? '' : ` (${validationLink(log)})`}`,
  );
  return paragraphs(`### Runbook ${code(runbook.runbook)}`, lines.join('\n'));
}

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
    `### Decision: ${actionWords[action]}${when}`,
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
