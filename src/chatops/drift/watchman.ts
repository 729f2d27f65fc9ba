import type { Workflow, WorkflowRun } from '../../github/port.ts';
import type { Schedule } from './schedules.ts';

/** What GitHub knows of a schedule. */
export interface SeenSchedule extends Schedule {
  /** Null: the repository has no such workflow. */
  state: Workflow | null;
  /** Some of its scheduled runs, the newest first. */
  runs: readonly Pick<WorkflowRun, 'id' | 'url' | 'status' | 'conclusion' | 'createdAt' | 'updatedAt'>[];
}

/**
 * Why a schedule counts as silent. `missing`: no such workflow. `inactive`: GitHub has stopped it, after 60 days
 * without a commit. `disabled`: a person has. `late`: no run began in time. `skipped`: none of those that began did
 * anything, as before the repository is set up. `stuck`: one began and does not move.
 */
export interface Silence {
  schedule: Schedule;
  why: 'missing' | 'inactive' | 'disabled' | 'late' | 'skipped' | 'stuck';
  /** The newest run, or the one that is stuck. */
  run: SeenSchedule['runs'][number] | null;
  /** When something of it was heard last, ISO 8601; null: never. */
  heard: string | null;
}

/**
 * The schedules that were not heard of for longer than they may be silent. A failed run was heard of, one that was
 * skipped was not.
 */
export function silentSchedules(seen: readonly SeenSchedule[], now: Date): Silence[] {
  const found: Silence[] = [];
  for (const { state, runs, ...schedule } of seen) {
    const newest = runs.find(({ conclusion }) => conclusion !== 'skipped');
    const about = { schedule, run: newest ?? runs[0] ?? null, heard: newest?.createdAt ?? null };
    const isOld = (moment: string) => now.getTime() - Date.parse(moment) > schedule.every;
    if (state === null) found.push({ ...about, why: 'missing' });
    else if (state.state !== 'active') found.push({ ...about, why: state.state });
    else {
      const stuck = runs.find(({ status, updatedAt }) => status !== 'completed' && isOld(updatedAt));
      // a workflow that is new has had no time yet
      if (isOld(newest?.createdAt ?? state.createdAt)) {
        found.push(
          stuck !== undefined && stuck === newest
            ? { ...about, why: 'stuck', run: stuck, heard: stuck.updatedAt }
            : { ...about, why: runs[0] === newest ? 'late' : 'skipped' },
        );
      } else if (stuck !== undefined)
        found.push({ ...about, why: 'stuck', run: stuck, heard: stuck.updatedAt });
    }
  }
  return found;
}
