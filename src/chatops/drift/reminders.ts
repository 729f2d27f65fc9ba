import type { Issue } from '../../github/port.ts';
import { defaultMonitoringPolicy } from '../../monitoring/policy.ts';
import { text } from '../../report/markdown.ts';
import type { ChatopsContext } from '../context.ts';
import { alarmsOf } from './course.ts';
import { sayOnce } from './issues.ts';
import { driftLabel } from './keep-alarm.ts';
import { readState, rests, withState } from './state.ts';

const day = 86_400_000;
const sought = 1000;

/** Reminds, once, of every open alarm that waits for a person and is older than the model's `review_days`. */
export async function remindOfReviews(context: ChatopsContext): Promise<number> {
  const due: { issue: Issue; days: number }[] = [];
  let seen = 0;
  for await (const issue of context.github.issues({ labels: [driftLabel], state: 'open' })) {
    const days = dueAfter(issue, context);
    if (days !== null) due.push({ issue, days });
    seen += 1;
    if (seen >= sought) break;
  }
  for (const { issue, days } of due) await remind(context, issue, days);
  return due.length;
}

const subject = /^<!-- modelgate:alert ([a-z0-9._-]{1,63})\/[a-z0-9._-]{1,63}\/[a-z0-9._-]{1,63} -->/;

/** The days after which it is reminded of, where that is now. */
function dueAfter(issue: Issue, { models, now }: ChatopsContext): number | null {
  const state = readState(issue);
  const model = subject.exec(issue.body)?.[1];
  const alarms = state.course === null ? null : alarmsOf(state.course);
  if (!issue.ours || issue.state !== 'open' || model === undefined) return null;
  if (state.course === null || alarms === null || state.course.reminded !== null) return null;
  if (state.acknowledged !== null || state.course.retrain !== null || rests(state, now())) return null;
  const policy = models.get(model)?.config.monitoring ?? defaultMonitoringPolicy();
  return now().getTime() - Date.parse(alarms.since) < policy.review_days * day ? null : policy.review_days;
}

async function remind({ github, now }: ChatopsContext, listed: Issue, days: number): Promise<void> {
  // it may have moved while others were reminded of
  const issue = (await github.issue(listed.number)) ?? listed;
  const state = readState(issue);
  if (issue.state !== 'open' || state.course === null) return;
  const waited = days === 1 ? 'a day' : `${days} days`;
  await sayOnce(github, issue, {
    name: 'reminder',
    body: `This has waited for ${waited}: ${text(issue.title, 200)}. \`/drift ack\` says that it was seen, \`/drift snooze 7\` lets it rest for a week, \`/retrain\` trains again.`,
  });
  const course = { ...state.course, reminded: now().toISOString() };
  await github.updateIssue(issue.number, { body: withState(issue.body, { ...state, course }) });
}
