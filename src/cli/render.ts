import { describeWhere } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import { withCommas } from '../report/commas.ts';
import type { Command } from '../stages/command.ts';
import type { StageOutcome } from '../stages/define.ts';
import { colours, plain, table } from './terminal.ts';
import { views } from './views.ts';

const marks = { pass: '✓', fail: '✗', inconclusive: '?', error: '✗' } as const;
const paints = { pass: 'green', fail: 'red', inconclusive: 'yellow', error: 'red' } as const;

/** What a person reads on a terminal: the verdict in one line, then what the command found. */
export function render(
  command: Command | undefined,
  outcome: StageOutcome<Record<string, unknown>> | Outcome,
): string {
  const paint = colours(process.stdout);
  const lines = [
    `${paint(paints[outcome.verdict], `${marks[outcome.verdict]} ${outcome.stage}`)}  ${plain(outcome.summary)}`,
  ];
  if (outcome.error !== undefined) {
    const where = describeWhere(outcome.error.where ?? undefined);
    if (where !== null) lines.push(`  where: ${plain(where)}`);
    lines.push(`  fix:   ${plain(outcome.error.fix)}`);
    lines.push(paint('dim', `  code:  ${outcome.error.code}`));
    return lines.join('\n');
  }
  const view = command === undefined ? undefined : views[command.name];
  lines.push(...(view === undefined ? scalars(outcome.outputs) : view(outcome.outputs)));
  return lines.join('\n');
}

function scalars(outputs: Record<string, unknown>): string[] {
  return Object.entries(outputs)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => `  ${name}: ${plain(shorten(value))}`);
}

export function shorten(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value;
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return JSON.stringify(value);
}

/** Numbers as people read them: at most four significant digits behind the point, thousands apart. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return withCommas(value);
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 1 ? 3 : 4;
  const rounded = Number(value.toFixed(digits));
  return rounded === 0 && value !== 0 ? value.toExponential(2) : withCommas(rounded);
}

/** Rows of records as a table of the given columns. */
export function recordTable(rows: readonly Record<string, unknown>[], columns: readonly string[]): string[] {
  if (rows.length === 0) return [];
  return table(
    columns.map((column) => column.replaceAll('_', ' ')),
    rows.map((row) => columns.map((column) => shorten(row[column]))),
  ).split('\n');
}
