import { BotEvent } from './events.ts';
import type { Job, JobState, OpenOperation } from './inbox.ts';

const minute = 60_000;
/** The end of what a command started is looked for no sooner; in milliseconds. */
export const soonestLook = 15_000;
/** And no more rarely than this. */
export const latestLook = 60 * minute;
/** After so long nothing is told any more of what a command started. */
export const openFor = 7 * 24 * 60 * minute;
const longestEvent = 300_000;
const longestError = 500;

/** A row of the table `jobs`, whatever database it is of. */
export type Row = Record<string, unknown>;

export function eventText(event: BotEvent): string {
  const text = JSON.stringify(event);
  if (text.length > longestEvent) throw new Error(`an event of ${text.length} characters is not stored`);
  return text;
}

/** As much of an error's text as is kept; PostgreSQL takes no NUL in a text. */
export const errorText = (error: string): string => error.replaceAll('\0', '').slice(0, longestError);

export function jobOf(row: Row): Job {
  return {
    id: Number(row.id),
    guid: row.guid === null ? null : String(row.guid),
    key: String(row.key),
    lane: String(row.lane),
    priority: Number(row.priority),
    opId: row.op_id === null ? null : String(row.op_id),
    event: BotEvent.parse(JSON.parse(String(row.event))),
    attempts: Number(row.attempts),
    receivedAt: new Date(Number(row.received)),
  };
}

export function operationOf(row: Row): OpenOperation | null {
  const { opId, lane, event } = jobOf(row);
  return opId === null || event.kind !== 'comment' ? null : { opId, lane, event };
}

export const countOf = ({ state, kind, count }: Row) => ({
  state: state as JobState,
  kind: String(kind),
  count: Number(count),
});
