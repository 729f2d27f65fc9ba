import type { WorkflowRun } from '../../github/port.ts';
import { code, link, type Markdown, paragraphs, text } from '../../report/markdown.ts';
import type { ChatopsContext } from '../context.ts';
import { ofDefaultBranch } from '../reports/run.ts';
import { minute } from './alarm.ts';
import { endIncident, raiseIncident } from './incident.ts';
import type { ExpectedDuration } from './schedules.ts';

export const durationLabel = 'modelgate-duration';
/** Runs of a workflow that are looked at, the newest ones. */
const runsSeen = 30;

const kept = ({ name }: ExpectedDuration) => ({
  marker: `<!-- modelgate:duration ${name} -->`,
  label: durationLabel,
});

type Timed = Pick<WorkflowRun, 'status' | 'conclusion' | 'startedAt' | 'updatedAt'>;

/**
 * What a run tells of its workflow's time. Null: nothing. One that failed early, was cancelled or has just begun is
 * neither late nor a recovery; one that took too long is late however it ended.
 */
export function punctuality(run: Timed, allowed: number, now: Date): 'late' | 'in_time' | null {
  const going = run.status !== 'completed';
  const took = (going ? now.getTime() : Date.parse(run.updatedAt)) - Date.parse(run.startedAt);
  if (Number.isNaN(took)) return null;
  if (took > allowed) return 'late';
  return !going && run.conclusion === 'success' ? 'in_time' : null;
}

/** Keeps one issue for a workflow whose newest run takes, or took, longer than it may; closed by one that is in time. */
export async function lookAtDuration(
  context: ChatopsContext,
  expected: ExpectedDuration,
): Promise<WorkflowRun | null> {
  const { github, now } = context;
  let recovered: WorkflowRun | null = null;
  let seen = 0;
  for await (const run of github.runs({ workflow: expected.workflow })) {
    seen += 1;
    if (seen > runsSeen) break;
    const told = run.event === 'pull_request' ? null : punctuality(run, expected.allowed, now());
    // behind a newer one that was in time, only one that still goes on is news
    if (told === null || (recovered !== null && (told === 'in_time' || run.status === 'completed'))) continue;
    if (!(await ofDefaultBranch(run, context))) continue;
    if (told === 'late') {
      await raiseIncident(github, {
        ...kept(expected),
        title: titleOf(expected),
        body: bodyOf(expected, run),
      });
      return run;
    }
    recovered = run;
  }
  if (recovered !== null) {
    const { id, url } = recovered;
    const note = {
      name: `in time ${id}`,
      body: `${link(`Run ${id}`, url)} took ${tookOf(recovered)}, and is in time again.`,
    };
    await endIncident(github, kept(expected), note);
  }
  return null;
}

const titleOf = ({ workflow, allowed }: ExpectedDuration): string =>
  `${workflow} takes longer than ${words(allowed)}`;

/** The same at each look, while the run goes on. */
function bodyOf(expected: ExpectedDuration, run: WorkflowRun): Markdown {
  const which = `${link(`Run ${run.id}`, run.url)} of ${code(expected.workflow)}`;
  const limit = `${words(expected.allowed)} are expected (${code(`chatops.durations.${expected.name}`)})`;
  return paragraphs(
    kept(expected).marker,
    run.status === 'completed'
      ? `${which} took **${tookOf(run)}** from ${minute(run.startedAt)} on; ${limit}. It ended with ${text(run.conclusion ?? 'nothing', 40)}: this is about its time alone.`
      : `${which} goes on since **${minute(run.startedAt)}**; ${limit}.`,
    'Look at the time of its steps and at the runner: a busy or slower machine, a cold cache, more rows than before. Where it takes that long for good reason, raise the limit. The next run that succeeds in time closes this.',
  );
}

const tookOf = ({ startedAt, updatedAt }: Pick<Timed, 'startedAt' | 'updatedAt'>): string =>
  words(Date.parse(updatedAt) - Date.parse(startedAt));

/** Milliseconds in days, hours and minutes. */
function words(time: number): string {
  const minutes = Math.round(time / 60_000);
  const parts: [number, string][] = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor((minutes % 1440) / 60), 'h'],
    [minutes % 60, 'min'],
  ];
  const told = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return told.length === 0 ? '0 min' : told.join(' ');
}
