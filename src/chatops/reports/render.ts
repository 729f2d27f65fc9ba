import { marks } from '../../gate/markdown/cells.ts';
import { headline } from '../../gate/view.ts';
import type { Verdict } from '../../outcome.ts';
import { code, details, link, type Markdown, paragraphs, text } from '../../report/markdown.ts';
import { gateReportMarkdown } from '../gate-report.ts';
import { longestReply } from '../reply.ts';
import type { Judged } from './judged.ts';
import { encodeReport, type PolicyChange, type ReportRecord, reportMarker } from './record.ts';
import { countOf, isOverview, sampleHeadline, samplePart } from './render-sample.ts';

export interface ReportView {
  record: ReportRecord;
  /** The pull request as GitHub shows it now. */
  pull: { headSha: string; fork: boolean; state: 'open' | 'closed' };
  /** What the registry says of the head; null: nothing was judged there. */
  judged: Judged | null;
  /** What it says of an earlier head, where nothing was judged at this one. */
  earlier: Judged | null;
  /** Name of the default branch. */
  base: string;
  /** Whether commits of forks may be trained at all. */
  forkTraining: boolean;
  /** Whether the repository has others, so that the model is to be named. */
  several?: boolean;
  /** Where a version goes first. */
  environment: string | null;
}

/** Characters of the gate's report and of each sample text: less of both until the whole fits. */
const rooms = [
  { gate: 32_000, sample: 400 },
  { gate: 16_000, sample: 200 },
  { gate: 6_000, sample: 60 },
] as const;
type Room = (typeof rooms)[number];

/**
 * The one comment on a pull request for a model: the verdict that counts, the next command, and what it rests on. At
 * most 60,000 characters; folds and tables are never cut open.
 */
export function renderReport(view: ReportView): Markdown {
  const { record } = view;
  const stored = details('Record', encodeReport(record));
  const around = (middle: Markdown) => paragraphs(reportMarker(record.model), middle, stored);
  for (const room of rooms) {
    const whole = around(body(view, room));
    if (whole.length <= longestReply) return whole;
  }
  return around(paragraphs(head(view), next(view), 'More did not fit here: the logs of the runs have it.'));
}

function body(view: ReportView, room: Room): Markdown {
  return paragraphs(
    head(view),
    about(view),
    next(view),
    policyNote(view),
    gatePart(view, room),
    samplePart(view, room.sample),
    earlierPart(view, room),
  );
}

/** The verdict, first. Green only where the registry says so. */
function head(view: ReportView): Markdown {
  const { record, pull, judged } = view;
  return `### ${state(view, { record, pull, judged })} · ${subjectOf(record)}`;
}

function subjectOf({ model, sample }: ReportRecord): Markdown {
  if (model !== null) return code(model, 63);
  return sample !== null && isOverview(sample)
    ? `${countOf(sample)} models`
    : 'Models that are not configured yet';
}

function state(view: ReportView, { record, pull, judged }: Pick<ReportView, 'record' | 'pull' | 'judged'>) {
  if (judged !== null) return `${marks[judged.version.verdict]}: ${text(judgedHeadline(judged))}`;
  const { trained, sample } = record;
  if (trained?.sha === pull.headSha && trained.ended !== 'judged') return trainingHeadline(trained.ended);
  if (sample?.sha === pull.headSha) return sampleHeadline(sample);
  if (sample === null && trained === null && view.earlier === null) return '⚪ Nothing was judged yet';
  return '⚪ Stale: a newer commit has no result yet';
}

const trainingHeadline = (ended: 'failed' | 'cancelled'): Markdown =>
  ended === 'failed' ? '🔴 The full training ended without a verdict' : '⚪ The full training was cancelled';

const plain: Record<Verdict, string> = {
  pass: 'The candidate may replace the champion',
  fail: 'The candidate is stopped',
  inconclusive: 'These rows cannot decide',
};

/** In the gate's own words where its record can be read. */
export const judgedHeadline = ({ version, report: { record } }: Judged): string =>
  record === null ? plain[version.verdict] : headline(record);

/** What it speaks of: version, digest, commit, runs. */
function about({ record, pull, judged }: ReportView): Markdown {
  const facts: Markdown[] = [];
  if (judged !== null) {
    const { model, version } = judged;
    facts.push(
      `version ${code(`${model}@${version.version}`, 100)}`,
      `digest ${code(version.manifest.slice(0, 12))}`,
    );
  }
  facts.push(`commit ${code(pull.headSha.slice(0, 12))}`);
  const { trained, sample } = record;
  if (trained?.sha === pull.headSha) facts.push(link('full training', trained.url));
  if (sample?.sha === pull.headSha) facts.push(link('sample run', sample.url));
  return facts.join(' · ');
}

/** The next command, to copy. */
function next(view: ReportView): Markdown | null {
  const { pull, judged, environment, record } = view;
  if (pull.state === 'closed' && judged === null) return null;
  if (judged !== null) return `**Next:** ${nextOfVerdict(judged, environment)}`;
  if (record.model === null && record.sample !== null && isOverview(record.sample))
    return `**Next:** ${code('/train MODEL')} judges one of them in full; a report of its own follows.`;
  if (record.model === null)
    return `**Next:** once its configuration stands on ${text(view.base, 100)}, ${code('/train')} judges it in full.`;
  if (pull.fork && !view.forkTraining)
    return '**Next:** commits of forks are not trained here: after a look at it, push the commit to a branch of this repository.';
  const named = view.several === true ? ` ${record.model}` : '';
  if (pull.fork)
    return `**Next:** whoever may train reads the commit, then comments ${code(`/ok-to-train ${pull.headSha}${named}`)}`;
  if (sampleFails(view)) return '**Next:** mend it and push; the sample runs again by itself.';
  return `**Next:** comment ${code(`/train${named}`)} to train this commit in full; evaluation and gate follow by themselves.`;
}

function nextOfVerdict({ model, version }: Judged, environment: string | null): Markdown {
  const named = `${model}@${version.version}`;
  const goes = version.verdict === 'pass' || version.on_inconclusive === 'pass';
  if (version.verdict === 'fail') return 'improve the candidate and push; the gate runs again.';
  if (goes && environment !== null) return `comment ${code(`/promote ${named} to ${environment}`, 200)}`;
  if (version.on_inconclusive === 'approve' && environment !== null)
    return `comment ${code(`/promote ${named} to ${environment}`, 200)} to ask for it; a person with the right decides.`;
  return `pin a larger evaluation set, or improve the candidate; ${code(`/explain ${named}`, 200)} says what would decide it.`;
}

const sampleFails = ({ record: { sample }, pull }: ReportView): boolean =>
  sample?.sha === pull.headSha &&
  sample.parts.some(({ verdict }) => verdict === 'fail' || verdict === 'error');

/** A change of what judges is shown as such: it decides nothing here and needs its owner. */
function policyNote({ record: { policy }, pull, base }: ReportView): Markdown | null {
  if (policy === null || policy.sha !== pull.headSha || policy.changes.length === 0) return null;
  const list = policy.changes.map((change) => `> * ${changeWords(change)}`);
  return [
    `> **This pull request changes what judges it.** The gate goes by ${text(base, 100)} (${code(policy.base.slice(0, 12))}) until the change is merged; it needs its owner's review.`,
    '>',
    ...list,
  ].join('\n');
}

function changeWords({ part, key, before, after }: PolicyChange): Markdown {
  if (key === '') return `${text(part, 60)}: ${text(after, 100)}`;
  return `${text(part, 60)}, ${code(key, 60)}: ${code(before, 80)} → ${code(after, 80)}`;
}

function gatePart({ judged }: ReportView, room: Room): Markdown | null {
  return judged === null ? null : withoutHeadline(judged, room.gate);
}

/** Headline and next step stand above; the rest is the gate's own report. */
function withoutHeadline({ report }: Judged, limit: number): Markdown {
  const { record } = report;
  const shown = record === null ? report : { ...report, record: { ...record, release: null } };
  return gateReportMarkdown(shown, limit).replace(/^### [^\n]*\n+/, '');
}

function earlierPart({ earlier, record, pull }: ReportView, room: Room): Markdown | null {
  if (earlier === null) return null;
  const { version, commit } = earlier;
  const title = `Stale, version ${version.version} of ${commit.slice(0, 12)} (${version.verdict})`;
  const note = `This was judged at ${code(commit.slice(0, 12))}; the head is ${code(pull.headSha.slice(0, 12))}. It does not count for the head.`;
  const run = record.trained?.sha === commit ? link('full training', record.trained.url) : null;
  return details(title, paragraphs(note, run, withoutHeadline(earlier, Math.floor(room.gate / 2))));
}
