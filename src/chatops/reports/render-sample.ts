import { code, details, link, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
import type { ReportRecord, SamplePart } from './record.ts';
import type { ReportView } from './render.ts';

type Sample = NonNullable<ReportRecord['sample']>;

/** Never green: a pull request can change its own workflow, and what that says of itself. */
const marks = { pass: '⚪', inconclusive: '⚪', fail: '🔴', error: '🔴' } as const;
const titles = {
  pass: 'Sample run passed',
  inconclusive: 'Sample run could not decide',
  fail: 'Sample run failed',
  error: 'Sample run did not end',
} as const satisfies Record<SamplePart['verdict'], string>;
const verdicts = { pass: 'passed', inconclusive: 'undecided', fail: 'failed', error: 'no result' } as const;
/** Models of one run with a report each: beyond it one report tells of all. */
export const mostReports = 5;
/** Parts of a report with reasons and broken rules of each. */
const mostDetailed = 20;
export const worstFirst = ['error', 'fail', 'inconclusive', 'pass'] as const;

/** The worst of the parts. */
export function worstOf(parts: readonly Pick<SamplePart, 'verdict'>[]): SamplePart['verdict'] {
  return worstFirst.find((verdict) => parts.some((part) => part.verdict === verdict)) ?? 'error';
}

type Counted = Pick<Sample, 'left'> & { parts: readonly Pick<SamplePart, 'verdict'>[] };

export const sampleHeadline = (sample: Sample): Markdown => {
  const worst = worstOf(sample.parts);
  const rest = worst === 'pass' || worst === 'inconclusive' ? '; not judged in full yet' : '';
  return `${marks[worst]} ${sampleTitle(sample)}${rest}`;
};

/** Parts, told one by one or not. */
export const countOf = ({ parts, left }: Counted): number =>
  Object.values(left).reduce((sum, one) => sum + one, parts.length);

/** In plain words, for the title of a check. The worst parts are told before others. */
export function sampleTitle({ parts, left }: Counted): string {
  const worst = worstOf(parts);
  const some = parts.filter(({ verdict }) => verdict === worst).length + (left[worst] ?? 0);
  const all = countOf({ parts, left });
  return `${titles[worst]}${all > 1 ? ` (${some} of ${all} parts)` : ''}`;
}

/** What the pull request's own run says: open where it is all there is, folded under a verdict. */
export function samplePart(
  { record: { sample }, pull, judged, base }: ReportView,
  room: number,
): Markdown | null {
  if (sample === null) return null;
  const stale = sample.sha !== pull.headSha;
  const told = samplesMarkdown(sample, room);
  const note = `The run of this pull request says so of itself: advice, which promotes nothing. What counts is judged by ${text(base, 100)}.`;
  const whole = paragraphs(told, `<sub>${note}</sub>`);
  if (stale) return details(`Stale, sample run of ${sample.sha.slice(0, 12)}`, whole);
  return judged === null ? whole : details('Sample run of this commit', whole);
}

/** Every part with what it found; texts of at most `room` characters. Of many models the verdicts alone. */
export function samplesMarkdown(
  { parts, left, url }: Pick<Sample, 'parts' | 'left' | 'url'>,
  room: number,
): Markdown {
  const many = countOf({ parts, left }) > mostDetailed;
  return paragraphs(
    partsTable(parts, room),
    leftOut({ left, url }),
    ...(many ? [] : parts.map((part) => more(part, { room, named: parts.length > 1 }))),
  );
}

/** Whether a report that is of no one model tells of many. */
export const isOverview = (sample: Counted): boolean => countOf(sample) > mostReports;

function leftOut({ left, url }: Pick<Sample, 'left' | 'url'>): Markdown | null {
  const counts = worstFirst.flatMap((verdict) => {
    const count = left[verdict] ?? 0;
    return count === 0 ? [] : [`${count} ${verdicts[verdict]}`];
  });
  if (counts.length === 0) return null;
  return `More did not fit here: ${counts.join(', ')}. ${link('The run', url)} has them all.`;
}

function partsTable(parts: readonly SamplePart[], room: number): Markdown {
  const [only] = parts;
  if (only !== undefined && parts.length === 1)
    return [claims(only), text(only.summary, room)].filter((piece) => piece !== null).join(' ');
  return table({
    columns: ['part', 'model', 'verdict', 'what was found']
      .filter((title) => title !== 'model' || parts.some((part) => part.claims !== null))
      .map((title) => ({ title })),
    rows: parts.map((part) => [
      nameOf(part),
      ...(parts.some((one) => one.claims !== null)
        ? [part.claims === null ? '–' : code(part.claims, 63)]
        : []),
      `${marks[part.verdict]} ${verdicts[part.verdict]}`,
      text(part.summary, room),
    ]),
  });
}

/** What tells a part from the others: `modelgate-result-june` is june. */
const nameOf = ({ artifact }: SamplePart): Markdown =>
  code(artifact.replace(/^modelgate-result-(?=.)/, ''), 60);

const claims = ({ claims: name }: SamplePart): Markdown | null =>
  name === null ? null : `${code(name, 63)}:`;

/** Reasons and broken contract rules of one part. */
function more(part: SamplePart, { room, named }: { room: number; named: boolean }): Markdown | null {
  const reasons = part.reasons
    .filter((reason) => reason !== part.summary)
    .map((reason) => `* ${text(reason, room)}`);
  const list = paragraphs(
    reasons.join('\n'),
    part.contract.length === 0 ? null : details(`Contract, ${rules(part)}`, contractTable(part, room)),
  );
  return list === '' ? null : paragraphs(named ? nameOf(part) : null, list);
}

const rules = ({ broken, contract }: SamplePart): string =>
  `${broken} ${broken === 1 ? 'rule does' : 'rules do'} not hold${broken > contract.length ? `, ${contract.length} shown` : ''}`;

function contractTable({ contract }: SamplePart, room: number): Markdown {
  return table({
    columns: [{ title: 'rule' }, { title: '' }, { title: 'what was found' }],
    rows: contract.map(({ id, level, message }) => [
      code(id, 100),
      level === 'failure' ? '🔴 fails' : '🟠 look',
      text(message, room),
    ]),
  });
}
