import type { Outcome } from '../src/outcome.ts';
import type { RunnerInfo } from './runner.ts';

/** GitHub drops a summary of more than 1 MiB whole. */
const summaryLimit = 900_000;
const valueLimit = 200;

const marks: Record<Outcome['verdict'], string> = {
  pass: '✅ pass',
  fail: '❌ fail',
  inconclusive: '⚠️ inconclusive',
  error: '❌ error',
};

export interface SummaryParts {
  outcome: Outcome;
  runner: RunnerInfo;
  /** Markdown of the report that the outcome names, already safe. */
  report: string | null;
}

/** The job summary of one action, as Markdown. Data values are shown as text, whatever they hold. */
export function renderSummary({ outcome, runner, report }: SummaryParts): string {
  const rows: [string, string][] = [
    ['verdict', `${marks[outcome.verdict]} (${cell(outcome.reason_code)})`],
    ...Object.entries(outcome.outputs)
      .filter((entry): entry is [string, string | number | boolean] => isScalar(entry[1]))
      .map(([name, value]): [string, string] => [cell(name), cell(String(value))]),
    ...anchorRow(outcome.outputs),
    ['seconds', `${cell(String(outcome.timings.total ?? ''))}${outcome.cached ? ' (read back)' : ''}`],
    ['runner', cell(`${runner.name}, ${runner.kind}`)],
    ['GPU', runner.gpus.length === 0 ? 'none' : runner.gpus.map((gpu) => cell(gpu)).join('<br>')],
  ];
  const lines = [
    `### ModelGate ${cell(outcome.stage)}: ${marks[outcome.verdict]}`,
    '',
    cell(outcome.summary, 1000),
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ];
  if (outcome.error !== undefined) {
    if (outcome.error.where !== null) lines.push(`**Where:** ${cell(outcome.error.where, 500)}`, '');
    lines.push(`**What to do:** ${cell(outcome.error.fix, 500)}`, '');
  }
  const head = `${lines.join('\n')}\n`;
  if (report === null) return head;
  if (head.length + report.length > summaryLimit) {
    return `${head}The report is too long for this page; it is in the job's artifact.\n`;
  }
  return `${head}${report.trimEnd()}\n`;
}

/** The log's newest entry as `registry verify --anchor` takes it: the summary is a place that no writer of a store reaches. */
function anchorRow({ seq, head }: Outcome['outputs']): [string, string][] {
  if (typeof seq !== 'number' || typeof head !== 'string') return [];
  return [['anchor', cell(`${seq}:${head}`)]];
}

export function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * Text of a stranger as one cell of a table: no markup, link, image, mention or reference comes out of it,
 * and nothing invisible stays in it. Longer than `limit` characters: cut.
 */
export function cell(text: string, limit = valueLimit): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  const cut = [...visible].length > limit ? `${[...visible].slice(0, limit).join('')}…` : visible;
  return cut
    .replace(/(GH-|[@#])(?=[A-Za-z0-9])/gi, '$1\u2060') // a word joiner: mentions are found after rendering
    .replace(/:\/\//g, ':\u2060//')
    .replace(/\b(www)\./gi, '$1\u2060.')
    .replace(/[&<>"'`|*_~[\]()\\!$^{}]/g, (character) => `&#${character.charCodeAt(0)};`);
}
