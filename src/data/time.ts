import { type Column, identifier } from './engine.ts';

/**
 * SQL that reads a time column as a TIMESTAMP in UTC. Text may carry a zone (`2013-01-01T05:00:00-05:00`);
 * without one it is taken as UTC.
 */
export function timeExpression(column: Column, prefix = ''): string {
  return asTimestamp(`${prefix}${identifier(column.name)}`, column.physicalType);
}

export function asTimestamp(sql: string, physicalType: string): string {
  const type = physicalType.toUpperCase();
  if (type.startsWith('TIMESTAMP') && !type.includes('ZONE')) return `CAST(${sql} AS TIMESTAMP)`;
  if (type === 'DATE') return `CAST(${sql} AS TIMESTAMP)`;
  // A plain cast of text to TIMESTAMP drops its offset, so the way leads over TIMESTAMPTZ.
  return `(CAST(${sql} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')`;
}

/** An ISO 8601 date or time as milliseconds; without a zone it is UTC. */
export function instant(text: string): number {
  const iso = text.replace(' ', 'T');
  return Date.parse(/T.*(Z|[+-]\d{2}:\d{2})$/.test(iso) || !iso.includes('T') ? iso : `${iso}Z`);
}

/** The same as text that every SQL engine reads as a TIMESTAMP, e.g. `2013-01-31 00:00:00.000`. */
export function sqlTimestamp(text: string): string {
  return new Date(instant(text)).toISOString().replace('T', ' ').replace('Z', '');
}
