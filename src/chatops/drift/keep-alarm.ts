import type { GitHub, Issue, WorkflowRun } from '../../github/port.ts';
import { link, text } from '../../report/markdown.ts';
import type { ChatopsContext } from '../context.ts';
import {
  type Alarm,
  alarmBody,
  alarmMarker,
  alarmTitle,
  type LeadFacts,
  minute,
  withCourse,
} from './alarm.ts';
import { type Check, type Course, newCourse, quietStreak, withCheck } from './course.ts';
import type { Finding } from './findings.ts';
import { issuesOf, keepOldest, openOnce, sayOnce } from './issues.ts';
import type { MonitorResult } from './monitor-result.ts';
import { withPlaybook } from './playbook-text.ts';
import { proposeRetraining } from './retrain.ts';
import { type AlertState, readState, rests } from './state.ts';

export const driftLabel = 'modelgate-drift';

export interface Told {
  finding: Finding;
  run: WorkflowRun;
  result: MonitorResult;
}
/** An issue with what it holds. */
interface Open {
  issue: Issue;
  state: AlertState;
  course: Course;
}

const kept = (fingerprint: string) => ({ marker: alarmMarker(fingerprint), label: driftLabel });
const checkOf = ({ finding, run }: Told): Check => ({
  run: run.id,
  attempt: run.attempt,
  at: new Date(run.createdAt).toISOString(),
  moved: finding.alarm !== null,
});
const factsOf = ({ policy }: ChatopsContext, { run }: Told): LeadFacts => ({
  quietChecks: policy.quiet_checks,
  run,
});

/** Brings the issue of one alarm to what a check has found: opened once, told again in place, ended, opened again. */
export async function keepAlarm(context: ChatopsContext, told: Told): Promise<void> {
  const { alarm, fingerprint } = told.finding;
  const all = (await withOneOpen(context.github, fingerprint)).map(opened);
  const current = all.find(({ issue, course }) => issue.state === 'open' || course.ended === null);
  if (current === undefined) {
    if (alarm !== null && !isLate(all[0], told)) await open(context, told, alarm);
    return;
  }
  const next = await update(context, current, told);
  if (alarm !== null && next.issue.state === 'open') await followUp(context, next, { told, alarm });
}

/** The alarm's issues; of several open ones the oldest stays, though a list that lags still shows the others. */
async function withOneOpen(github: GitHub, fingerprint: string): Promise<Issue[]> {
  const listed = await issuesOf(github, kept(fingerprint));
  if (listed.filter(({ state }) => state === 'open').length <= 1) return listed;
  const oldest = await keepOldest(github, kept(fingerprint));
  return listed.filter(({ state, number }) => state === 'closed' || number === oldest?.number);
}

/** A check that was made before the end of an alarm, and is heard of after it. */
function isLate(ended: Open | undefined, { run }: Told): boolean {
  return ended?.course.checks.some((check) => check.run >= run.id) === true;
}

function opened(issue: Issue): Open {
  const state = readState(issue);
  const course = state.course ?? newCourse('investigate');
  // an issue that was ended and that a person has opened again goes on
  const going = issue.state === 'open' ? { ...course, ended: null } : course;
  return { issue, state: { ...state, course: going }, course: going };
}

async function open(context: ChatopsContext, told: Told, alarm: Alarm): Promise<void> {
  const course = withCheck(newCourse(alarm.action), checkOf(told));
  const state: AlertState = { acknowledged: null, snoozed: null, course };
  const shown = await withPlaybook(alarm);
  const body = alarmBody(shown, state, factsOf(context, told));
  const made = await openOnce(context.github, {
    ...kept(told.finding.fingerprint),
    ...{ title: alarmTitle(alarm), body },
  });
  const current = opened(made);
  const next = made.body === body ? current : await update(context, current, told);
  await followUp(context, next, { told, alarm });
}

async function update(context: ChatopsContext, before: Open, told: Told): Promise<Open> {
  const { alarm } = told.finding;
  const course = withCheck(before.course, checkOf(told));
  if (course === before.course) return before;
  if (quietStreak(course) >= context.policy.quiet_checks) return end(context, { ...before, course }, told);
  if (alarm === null) return write(context, before, { state: { ...before.state, course }, told });
  const changed = before.course.action !== alarm.action;
  const newest = course.checks.at(-1)?.run === told.run.id;
  const state: AlertState = {
    ...before.state,
    acknowledged: changed ? null : before.state.acknowledged,
    course: { ...course, action: newest ? alarm.action : course.action },
  };
  const closed = before.issue.state === 'closed';
  if (rests(state, context.now()) || !newest || (closed && course.reopened !== null)) {
    return write(context, before, { state, told });
  }
  if (!closed) return write(context, before, { state, told, alarm });
  const again = { ...state, course: { ...state.course!, reopened: context.now().toISOString() } };
  await sayOnce(context.github, before.issue, {
    name: 'reopened',
    body: `Opened again: ${link(`run ${told.run.id}`, told.run.url)} still finds it. Closed once more, it stays closed; \`/drift snooze 7\` lets it rest for a week.`,
  });
  return write(context, before, { state: again, told, alarm, open: true });
}

/** Recovered: closed with a word, or, where somebody has closed it before, only written down. */
async function end(context: ChatopsContext, { issue, state, course }: Open, told: Told): Promise<Open> {
  const ended: AlertState = { ...state, course: { ...course, ended: context.now().toISOString() } };
  const body = withCourse(issue.body, ended, factsOf(context, told));
  if (issue.state === 'open') {
    const quiet =
      context.policy.quiet_checks === 1
        ? 'a quiet check'
        : `${context.policy.quiet_checks} quiet checks in a row`;
    await sayOnce(context.github, issue, {
      name: `recovered ${told.run.id}`,
      body: `Recovered: ${quiet}, the last one ${link(`run ${told.run.id}`, told.run.url)} on ${minute(told.run.createdAt)}.`,
    });
  }
  await context.github.updateIssue(issue.number, { body, state: 'closed' });
  return { issue: { ...issue, state: 'closed', body }, state: ended, course: ended.course! };
}

async function write(
  context: ChatopsContext,
  { issue }: Open,
  change: { state: AlertState; told: Told; alarm?: Alarm; open?: boolean },
): Promise<Open> {
  const { state, told, alarm } = change;
  const facts = factsOf(context, told);
  const body =
    alarm === undefined
      ? withCourse(issue.body, state, facts)
      : alarmBody(await withPlaybook(alarm), state, facts);
  const title = alarm === undefined ? issue.title : alarmTitle(alarm);
  const now = change.open === true ? 'open' : issue.state;
  await context.github.updateIssue(issue.number, { body, title, state: now });
  return { issue: { ...issue, body, title, state: now }, state, course: state.course! };
}

/** What an alarm starts, once: training again, as a pull request. Everything else is a person's, and is reminded of. */
async function followUp(
  context: ChatopsContext,
  { issue, state, course }: Open,
  { told, alarm }: { told: Told; alarm: Alarm },
): Promise<void> {
  if (alarm.action !== 'retrain' || course.retrain !== null || rests(state, context.now())) return;
  const pull =
    (await proposedFor(context, told)) ?? (await proposeRetraining(context, { issue, told, alarm }));
  await sayOnce(context.github, issue, {
    name: 'retrain',
    body: `${text(alarm.reason, 400)} Training again is proposed in #${pull}, on the newest data and through the same gate.`,
  });
  const next: AlertState = { ...state, course: { ...course, retrain: { pull } } };
  await write(context, { issue, state, course }, { state: next, told });
}

/** One pull request for all alarms of a model and environment at the same time. */
async function proposedFor({ github }: ChatopsContext, { result }: Told): Promise<number | null> {
  const { model, environment } = result.inputs;
  const about = { marker: `<!-- modelgate:alert ${model}/${environment}/`, label: driftLabel };
  for (const issue of await issuesOf(github, about)) {
    const pull = readState(issue).course?.retrain?.pull;
    if (issue.state === 'open' && pull !== undefined) return pull;
  }
  return null;
}
