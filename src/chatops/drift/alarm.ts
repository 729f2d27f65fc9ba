import type { Alert } from '../../monitoring/signal.ts';
import { link, type Markdown, paragraphs, text } from '../../report/markdown.ts';
import { oneLine } from '../../report/plain.ts';
import { alarmsOf, quietStreak } from './course.ts';
import { type AlertState, withState } from './state.ts';

/** An alarm as one run of the monitor tells it. */
export interface Alarm extends Pick<Alert, 'fingerprint' | 'title' | 'action' | 'reason'> {
  /** Markdown whose values are escaped. */
  body: Markdown;
}

/** Characters of an issue's body, with room for what is said and kept of its course. */
const longest = 56_000;
const titleLimit = 200;
const ours = /<!--\s*\/?modelgate:/gi;
const begin = '<!-- modelgate:course -->';
const end = '<!-- /modelgate:course -->';

/** The first line of the issue: which model, environment and cause it is about. */
export const alarmMarker = (fingerprint: string): string => `<!-- modelgate:alert ${fingerprint} -->`;

/** Which checks end an alarm, and the run that spoke last. */
export interface LeadFacts {
  quietChecks: number;
  run: { id: number; url: string };
}

export const alarmTitle = ({ title }: Pick<Alarm, 'title'>): string => oneLine(title, titleLimit);

/** The whole issue: its marker, its course, the alarm as it was told last, and the state that only we believe. */
export function alarmBody(alarm: Alarm, state: AlertState, facts: LeadFacts): Markdown {
  const told = alarm.body.replace(alarmMarker(alarm.fingerprint), '').replace(ours, '<!-- ').trim();
  return withState(
    paragraphs(alarmMarker(alarm.fingerprint), courseOf(state, facts), cut(told, longest)),
    state,
  );
}

/** The same issue after a check that has nothing new to tell. */
export function withCourse(body: Markdown, state: AlertState, facts: LeadFacts): Markdown {
  const from = body.indexOf(begin);
  const to = body.indexOf(end, from);
  const told =
    from === -1 || to === -1
      ? body
      : `${body.slice(0, from)}${courseOf(state, facts)}${body.slice(to + end.length)}`;
  return withState(told, state);
}

/** How often and since when, and what has been done about it. */
function courseOf({ course, acknowledged, snoozed }: AlertState, { quietChecks, run }: LeadFacts): Markdown {
  const alarms = course === null ? null : alarmsOf(course);
  if (course === null || alarms === null) return `${begin}\n${end}`;
  const checks = alarms.count === 1 ? '1 check' : `${alarms.count} checks`;
  const quiet = quietStreak(course);
  const says = [
    `**Seen in ${checks} since ${minute(alarms.since)}**, last on ${minute(alarms.last)}; ${link(`run ${run.id}`, run.url)} looked last.`,
    course.ended === null
      ? `${quiet === 0 ? '' : `Quiet since, ${quiet} of `}${quietChecks} quiet ${quietChecks === 1 ? 'check' : 'checks'} in a row close this.`
      : `It ended on ${minute(course.ended)}.`,
    course.retrain === null ? '' : `Training again is proposed in #${course.retrain.pull}.`,
    acknowledged === null ? '' : `${text(acknowledged.by, 100)} has seen it.`,
    snoozed === null ? '' : `It rests until ${minute(snoozed.until)}.`,
  ];
  return `${begin}\n${says.filter((one) => one !== '').join(' ')}\n${end}`;
}

export const minute = (moment: string): string => `${moment.slice(0, 16).replace('T', ' ')} UTC`;

/** Cut between paragraphs, outside of fences and folds. */
function cut(body: Markdown, limit: number): Markdown {
  if (body.length <= limit) return body;
  const head = body.slice(0, Math.max(0, body.lastIndexOf('\n\n', limit)));
  const fence = (head.match(/^```/gm) ?? []).length % 2 === 1 ? '\n```' : '';
  const open = (head.match(/<details>/g) ?? []).length - (head.match(/<\/details>/g) ?? []).length;
  const folds = '\n\n</details>'.repeat(Math.max(0, open));
  return `${head}${fence}${folds}\n\n(cut; the run has the rest)`;
}
