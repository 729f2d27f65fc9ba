import { z } from 'zod';
import type { Issue } from '../../github/port.ts';
import { canonicalJson, parseJson } from '../../json.ts';
import type { ChatopsContext } from '../context.ts';
import { Course } from './course.ts';

const word = z.object({ by: z.string().max(100), at: z.iso.datetime() });

/** What people said of an alarm, and what the checks have said so far. */
export const AlertState = z.object({
  acknowledged: word.nullable(),
  /** Until when the alarm rests, ISO 8601 in UTC. */
  snoozed: word.extend({ until: z.iso.datetime() }).nullable(),
  course: Course.nullable().default(null),
});
export type AlertState = z.infer<typeof AlertState>;

/** Characters of its JSON. */
const longest = 8_000;
const quiet: AlertState = { acknowledged: null, snoozed: null, course: null };
/** Begins with what it cannot hold, so that no text is read twice. */
const block = /<!-- modelgate:alert-state (\{[^<>]{0,8000}\}) -->/g;

/** Believed only in an issue that our app opened; the last block counts. */
export function readState({ ours, body }: Pick<Issue, 'ours' | 'body'>): AlertState {
  const text = ours ? [...body.matchAll(block)].at(-1)?.[1] : undefined;
  if (text === undefined) return quiet;
  try {
    return AlertState.safeParse(parseJson(text, longest)).data ?? quiet;
  } catch {
    return quiet;
  }
}

/** The same body with this state. Whoever renders the issue again calls it with what `readState` gave. */
export function withState(body: string, state: AlertState): string {
  const json = canonicalJson(AlertState.parse(state)).replace(
    /[<>&]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${body.replace(block, '').trimEnd()}\n\n<!-- modelgate:alert-state ${json} -->`;
}

/** Whether the alarm rests at that moment. */
export function rests({ snoozed }: AlertState, now: Date): boolean {
  return snoozed !== null && now.getTime() < Date.parse(snoozed.until);
}

type Request = { issue: Issue; by: string };

/** Somebody has seen the alarm: it is not mentioned again until it changes. */
export function acknowledge(context: ChatopsContext, { issue, by }: Request): Promise<void> {
  const acknowledged = { by, at: context.now().toISOString() };
  return write(context, issue, { ...readState(issue), acknowledged });
}

/** The alarm rests until then: while it does, it is neither repeated nor opened again. */
export function snooze(
  context: ChatopsContext,
  { issue, by, until }: Request & { until: Date },
): Promise<void> {
  const snoozed = { by, at: context.now().toISOString(), until: until.toISOString() };
  return write(context, issue, { ...readState(issue), snoozed });
}

function write({ github }: ChatopsContext, issue: Issue, state: AlertState): Promise<void> {
  return github.updateIssue(issue.number, { body: withState(issue.body, state) });
}
