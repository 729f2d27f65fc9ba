import { withCommas } from '../report/commas.ts';
import type { MonitoringPolicy } from './policy.ts';
import type { ServedDay } from './served-blocks.ts';
import { plainSignal, type Signal } from './signal.ts';

/** Event times: inclusive, exclusive. */
export interface Span {
  since: Date;
  until: Date;
}

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
const weeksBack = 4;

/** The newest days of a window, and the same weekdays of the weeks before, the newest first. */
export interface ThroughputSpans {
  recent: Span;
  before: Span[];
}

/**
 * What is compared of a window: its whole days (UTC), at most the newest week of them, and the same weekdays of the
 * four weeks before. Null where the window holds no whole day.
 */
export function throughputSpans({ since, until }: Span): ThroughputSpans | null {
  const end = Math.floor(until.getTime() / dayMs) * dayMs;
  const first = Math.ceil(since.getTime() / dayMs) * dayMs;
  const start = Math.max(first, end - weekMs);
  if (start >= end) return null;
  const back = (weeks: number): Span => ({
    since: new Date(start - weeks * weekMs),
    until: new Date(end - weeks * weekMs),
  });
  return { recent: back(0), before: Array.from({ length: weeksBack }, (_, i) => back(i + 1)) };
}

/** Predictions by day (YYYY-MM-DD), of all versions together. */
export function rowsByDay(days: readonly ServedDay[]): Map<string, number> {
  return new Map(
    days.map(({ day, versions }) => [
      day,
      versions.flatMap(({ blocks }) => blocks.blocks).reduce((sum, { rows }) => sum + rows, 0),
    ]),
  );
}

/**
 * Predictions a day, against those on the same weekdays of the weeks before: a fall is one from what three of four weeks
 * had, a rise one over what all of them had, so that a batch once a month is neither. Weeks before the log began are
 * left out; where none is left, or there are too few predictions now and no fall, it is not decided: an outage that has
 * lasted for weeks is no recovery.
 *
 * @param rows predictions by day over all of the spans
 * @param firstDay of the log; null where it is empty
 */
export function throughputSignal(
  spans: ThroughputSpans | null,
  {
    rows,
    firstDay,
    policy,
  }: { rows: ReadonlyMap<string, number>; firstDay: string | null; policy: MonitoringPolicy },
): Signal {
  const signal = (one: Pick<Signal, 'verdict' | 'summary'> & Partial<Signal>): Signal => ({
    ...plainSignal,
    signal: 'service',
    name: 'throughput',
    ...one,
  });
  const undecided = (why: string) =>
    signal({ verdict: 'not_enough_data', summary: `not enough data: ${why}` });
  if (spans === null) return undecided('the window holds no whole day (UTC)');
  const count = (span: Span) => daysOf(span).reduce((sum, day) => sum + (rows.get(day) ?? 0), 0);
  const known = spans.before.filter((span) => firstDay !== null && firstDay <= dayOf(span.since)).map(count);
  if (known.length === 0) return undecided('the log does not hold the same days of the week before');
  const now = count(spans.recent);
  const [fewest, usual, most] = [Math.min(...known), usualOf(known), Math.max(...known)];
  const { minimum_rows: enough, service } = policy;
  const [least, limit] = [service.min_throughput * usual, service.max_throughput * most];
  const fell = usual >= enough && now < least;
  const silent = silentDay(spans, { count, enough, weeks: known.length });
  if (!fell && silent !== null && service.min_throughput > 0) return signal(silent);
  const rose = most > 0 && now >= enough && now > limit;
  if (!fell && now < enough) return undecided(`${now} predictions on the newest days, ${enough} are needed`);
  const n = daysOf(spans.recent).length;
  const before = fewest === most ? perDay(most / n) : `${perDay(fewest / n)} to ${perDay(most / n)}`;
  const held = rose ? limit : least;
  return signal({
    verdict: fell || rose ? 'alert' : 'ok',
    summary: `${perDay(now / n)} predictions a day on the last ${n === 1 ? 'day' : `${n} days`}, ${before} on the same weekdays of ${known.length === 1 ? 'the week' : `${known.length} weeks`} before${fell || rose ? `; the limit is ${perDay(held / n)}` : ''}`,
    value: now / n,
    threshold: held / n,
    windows: { violated: fell || rose ? 1 : 0, evaluated: 1 },
  });
}

/** A newest day without a prediction, where days like it have many: of a week its silence is a seventh. */
function silentDay(
  { recent, before }: ThroughputSpans,
  { count, enough, weeks }: { count: (span: Span) => number; enough: number; weeks: number },
): (Pick<Signal, 'verdict' | 'summary'> & Partial<Signal>) | null {
  const newest = ({ until }: Span): Span => ({ since: new Date(until.getTime() - dayMs), until });
  const usual = usualOf(before.slice(0, weeks).map((span) => count(newest(span))));
  if (count(newest(recent)) > 0 || usual < enough) return null;
  return {
    verdict: 'alert',
    summary: `no prediction on ${dayOf(newest(recent).since)}, ${perDay(usual)} on such a day before`,
    value: 0,
    threshold: 1,
    windows: { violated: 1, evaluated: 1 },
  };
}

/** What half of the weeks or more had at least: of four what three had. */
function usualOf(counts: readonly number[]): number {
  return [...counts].sort((a, b) => a - b)[(counts.length - 1) >> 1] as number;
}

const perDay = (rows: number): string => withCommas(Math.round(rows));

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

function daysOf({ since, until }: Span): string[] {
  const days = Math.round((until.getTime() - since.getTime()) / dayMs);
  return Array.from({ length: days }, (_, i) => dayOf(new Date(since.getTime() + i * dayMs)));
}
