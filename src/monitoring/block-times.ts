import { type Column, identifier, literal } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { PairOptions } from './tables.ts';

/** The first of dates that follow one another without a gap, and how many days they are apart; null of others. */
export function countedFrom(
  labels: readonly string[],
  unit: PairOptions['unit'],
): { first: string; days: number } | null {
  const days = unit === 'day' ? 1 : 7;
  const [first, last] = [labels[0] ?? '', labels.at(-1) ?? ''];
  // four digits: years before 0 and after 9999 are joined
  if (![first, last].every((label) => /^\d{4}-\d\d-\d\d$/.test(label))) return null;
  const span = (Date.parse(last) - Date.parse(first)) / 86_400_000;
  return span === (labels.length - 1) * days ? { first, days } : null;
}

/** SQL for what names a row's block: the date of its day, of its week's Monday, or the column as text. */
export function blockExpression(columns: readonly Column[], options: PairOptions): string {
  if (options.time !== undefined) {
    const day = `CAST(${timeExpression(columns, options.time)} AS DATE)`;
    return options.unit === 'day' ? day : `CAST(date_trunc(${literal(options.unit)}, ${day}) AS DATE)`;
  }
  if (options.blockColumn !== undefined) return `CAST(${identifier(options.blockColumn)} AS VARCHAR)`;
  return `'all'`;
}

/** SQL for a time column as a TIMESTAMP in UTC; the session's time zone is UTC. Unreadable texts are null. */
export function timeExpression(columns: readonly Column[], name: string): string {
  const column = columns.find((candidate) => candidate.name === name);
  const quoted = identifier(name);
  if (column?.type === 'string') return `(TRY_CAST(${quoted} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')`;
  if (column?.type === 'timestamp' || column?.type === 'date') return `CAST(${quoted} AS TIMESTAMP)`;
  throw new UserError({
    code: 'usage',
    message: `The column ${JSON.stringify(name)} holds no times (${column?.physicalType ?? 'missing'}).`,
    where: '--time',
    fix: 'Give a column of timestamps, or of ISO 8601 texts in UTC.',
  });
}
