import { startsWithDay } from '../calendar.ts';
import { Instant } from '../config/schema.ts';
import { UserError } from '../errors.ts';

/** The input of stages that tell a past moment. */
export const at = Instant.nullable()
  .default(null)
  .describe("A past moment by the log's times; without a zone, UTC. Left out: now.");

/**
 * A time without a zone is UTC, on every machine; a day alone is its first moment. Throws `usage`, also for a moment
 * after `now`: what will run then is not known.
 */
export function momentOf(text: string, now: Date): Date {
  const iso = text.replace(' ', 'T');
  const moment = new Date(iso.includes('T') && !/(Z|[+-]\d{2}:\d{2})$/.test(iso) ? `${iso}Z` : iso);
  if (startsWithDay(iso) && !Number.isNaN(moment.getTime())) {
    if (moment <= now) return moment;
    throw new UserError({
      code: 'usage',
      message: `${JSON.stringify(text)} has not come yet.`,
      where: '--at',
      fix: 'Give a past moment, or leave --at out for now.',
    });
  }
  throw new UserError({
    code: 'usage',
    message: `${JSON.stringify(text)} is no moment of the calendar.`,
    where: '--at',
    fix: 'Give a date or a time, e.g. 2026-05-03T14:00Z.',
  });
}
