import { code, link, type Markdown, paragraphs } from '../../report/markdown.ts';
import type { ChatopsContext } from '../context.ts';
import { minute } from './alarm.ts';
import { lookAtDuration } from './durations.ts';
import { endIncident, raiseIncident } from './incident.ts';
import { remindOfReviews } from './reminders.ts';
import { expectedDurationsOf, type Schedule, schedulesOf } from './schedules.ts';
import { type SeenSchedule, type Silence, silentSchedules } from './watchman.ts';

export const scheduleLabel = 'modelgate-schedule';
const runsSeen = 5;

const kept = ({ name }: Schedule) => ({
  marker: `<!-- modelgate:schedule ${name} -->`,
  label: scheduleLabel,
});

/**
 * What no workflow does by itself: one issue for each schedule that has gone silent, closed when it is heard again, one
 * for each workflow that takes longer than it may, and reminders of alarms that wait. Called by the bot's own clock; as
 * often as one likes.
 */
export async function lookAfter(context: ChatopsContext): Promise<Silence[]> {
  const { github, now } = context;
  const seen: SeenSchedule[] = [];
  for (const schedule of schedulesOf(context.policy)) seen.push(await look(context, schedule));
  const silent = silentSchedules(seen, now());
  for (const schedule of seen) {
    const silence = silent.find((one) => one.schedule.name === schedule.name);
    if (silence !== undefined) {
      await raiseIncident(github, { ...kept(schedule), title: titleOf(silence), body: bodyOf(silence) });
      continue;
    }
    const [newest] = schedule.runs;
    const run = newest === undefined ? '' : `: ${link(`run ${newest.id}`, newest.url)}`;
    const note = { name: `heard ${newest?.id ?? 0}`, body: `It was heard again${run}.` };
    await endIncident(github, kept(schedule), note);
  }
  for (const expected of expectedDurationsOf(context.policy)) await lookAtDuration(context, expected);
  await remindOfReviews(context);
  return silent;
}

async function look({ github }: ChatopsContext, schedule: Schedule): Promise<SeenSchedule> {
  const state = await github.workflow(schedule.workflow);
  const runs: SeenSchedule['runs'][number][] = [];
  if (state === null) return { ...schedule, state, runs };
  for await (const run of github.runs({ workflow: schedule.workflow, event: 'schedule' })) {
    runs.push(run);
    if (runs.length >= runsSeen) break;
  }
  return { ...schedule, state, runs };
}

function titleOf({ schedule: { workflow }, why }: Silence): string {
  const what = {
    missing: 'is not there',
    inactive: 'was stopped by GitHub',
    disabled: 'is switched off',
    late: 'has not run',
    skipped: 'does nothing',
    stuck: 'does not move',
  };
  return `The schedule of ${workflow} ${what[why]}`;
}

function bodyOf({ schedule, why, run, heard }: Silence): Markdown {
  const hours = Math.round(schedule.every / 3_600_000);
  const allowed = hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
  const last =
    run === null || (why === 'skipped' && heard === null)
      ? 'It was never heard of.'
      : `Last: ${link(`run ${run.id}`, run.url)}, ${heard === null ? '' : minute(heard)}.`;
  const workflow = code(schedule.workflow);
  const said: Record<Silence['why'], [string, string]> = {
    missing: [
      `The policy expects ${workflow} every ${allowed}, and the repository has no such workflow.`,
      `Add it from the templates, or take ${code(schedule.name)} out of \`chatops: heartbeats:\` in modelgate.yaml.`,
    ],
    inactive: [
      `GitHub has stopped the schedule of ${workflow}: it does so after 60 days without a commit.`,
      'Enable the workflow under Actions; any commit keeps it going for another 60 days.',
    ],
    disabled: [`The workflow ${workflow} is switched off.`, 'Enable it under Actions.'],
    late: [
      `No run of ${workflow} began by schedule for more than ${allowed}.`,
      'Look under Actions whether it waits for a runner or its `cron` was changed. Start it by hand meanwhile.',
    ],
    skipped: [
      `The scheduled runs of ${workflow} of more than ${allowed} were skipped: none looked at anything.`,
      'Our templates skip them as long as the variable `MODELGATE_STORE` of the repository is not set.',
    ],
    stuck: [
      `A run of ${workflow} has not moved for more than ${allowed}.`,
      'Look whether its runner is there; cancel the run and start it again.',
    ],
  };
  const [what, fix] = said[why];
  return paragraphs(kept(schedule).marker, what, last, fix);
}
