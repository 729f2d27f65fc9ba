import { code, details, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
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
const order = ['error', 'fail', 'inconclusive', 'pass'] as const;

/** The worst of the parts. */
export function worstOf(parts: readonly Pick<SamplePart, 'verdict'>[]): SamplePart['verdict'] {
  return order.find((verdict) => parts.some((part) => part.verdict === verdict)) ?? 'error';
}

export const sampleHeadline = ({ parts }: Sample): Markdown => {
  const worst = worstOf(parts);
  const rest = worst === 'pass' || worst === 'inconclusive' ? '; not judged in full yet' : '';
  return `${marks[worst]} ${sampleTitle(parts)}${rest}`;
};

/** In plain words, for the title of a check. */
export function sampleTitle(parts: readonly Pick<SamplePart, 'verdict'>[]): string {
  const worst = worstOf(parts);
  const some = parts.filter(({ verdict }) => verdict === worst).length;
  return `${titles[worst]}${parts.length > 1 ? ` (${some} of ${parts.length} parts)` : ''}`;
}

/** What the pull request's own run says: open where it is all there is, folded under a verdict. */
export function samplePart(
  { record: { sample }, pull, judged, base }: ReportView,
  room: number,
): Markdown | null {
  if (sample === null) return null;
  const stale = sample.sha !== pull.headSha;
  const told = samplesMarkdown(sample.parts, room);
  const note = `The run of this pull request says so of itself: advice, which promotes nothing. What counts is judged by ${text(base, 100)}.`;
  const whole = paragraphs(told, `<sub>${note}</sub>`);
  if (stale) return details(`Stale, sample run of ${sample.sha.slice(0, 12)}`, whole);
  return judged === null ? whole : details('Sample run of this commit', whole);
}

/** Every part with what it found; texts of at most `room` characters. */
export function samplesMarkdown(parts: readonly SamplePart[], room: number): Markdown {
  return paragraphs(
    partsTable(parts, room),
    ...parts.map((part) => more(part, { room, named: parts.length > 1 })),
  );
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
