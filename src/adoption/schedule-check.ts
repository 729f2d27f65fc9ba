import { type RepositorySetup, type ScheduleSetup, Unseen } from '../github/repository-setup.ts';
import { missing, ok, type SetupCheck } from './check.ts';
import { unseen } from './unseen.ts';

/** A workflow that a schedule starts, and how many milliseconds it may be silent. */
export interface Heard {
  workflow: string;
  every: number;
}

/** Every one that is silent is named; what to do is said of the first. */
export async function heardOf(
  of: Pick<SetupCheck, 'check' | 'level' | 'needed'>,
  setup: RepositorySetup,
  { schedules, now }: { schedules: readonly Heard[]; now: Date },
): Promise<SetupCheck> {
  const alive: string[] = [];
  const silent: { detail: string; fix: string }[] = [];
  for (const schedule of schedules) {
    const state = await setup.schedule(schedule.workflow);
    if (state instanceof Unseen) return unseen(of, `the runs of ${schedule.workflow}`, state, 'actions');
    const found = silenceOf(schedule, state, now);
    if (typeof found === 'string') alive.push(found);
    else silent.push(found);
  }
  const [first] = silent;
  return first === undefined
    ? ok(of, `${alive.join(', ')}.`)
    : missing(of, silent.map(({ detail }) => detail).join(' '), first.fix);
}

/** When it ran last; where it is silent, what is wrong and what to do. */
function silenceOf(
  { workflow, every }: Heard,
  found: ScheduleSetup | null,
  now: Date,
): string | { detail: string; fix: string } {
  if (found === null)
    return { detail: `GitHub knows no workflow ${workflow}.`, fix: 'Push it to the default branch.' };
  if (!found.active) return { detail: `${workflow} is switched off.`, fix: `gh workflow enable ${workflow}` };
  const isLate = found.lastRun === null || now.getTime() - Date.parse(found.lastRun) > every;
  if (!isLate) return `${workflow} ran last at ${found.lastRun}`;
  if (found.skipped)
    return {
      detail: `${workflow} is skipped each time, so it looks at nothing.`,
      fix: 'Set the variable MODELGATE_STORE of the repository: before it is there, our templates skip what a schedule starts.',
    };
  const look = 'Look at its runs on GitHub.';
  return found.lastRun === null
    ? { detail: `${workflow} has never run by its schedule.`, fix: look }
    : {
        detail: `${workflow} ran last at ${found.lastRun}: it is silent for longer than it may be.`,
        fix: look,
      };
}
