import { z } from 'zod';

const moment = z.iso.datetime();

/** What one run of the monitor said of one cause. */
export const Check = z.object({
  run: z.number().int().positive(),
  attempt: z.number().int().positive(),
  at: moment,
  /** Whether it alarms; false: it was looked at, and is quiet. */
  moved: z.boolean(),
});
export type Check = z.infer<typeof Check>;

/** How an alarm has gone, kept in its issue. The checks are those that were heard of, whatever their order. */
export const Course = z.object({
  /** The newest ones, by their run's number. */
  checks: z.array(Check).max(100),
  /** Alarms that are kept no longer: how many, and when the first was. */
  earlier: z.object({ count: z.number().int().positive(), since: moment }).nullable(),
  /** What the runbook asks for. */
  action: z.enum(['retrain', 'review', 'fix_data', 'investigate', 'none']),
  /** When the quiet checks ended it. */
  ended: moment.nullable(),
  /** When it was opened again, after somebody had closed it while the alarm went on. */
  reopened: moment.nullable(),
  /** When it was reminded of. */
  reminded: moment.nullable(),
  /** The pull request that proposes to train again. */
  retrain: z.object({ pull: z.number().int().positive() }).nullable(),
});
export type Course = z.infer<typeof Course>;

const kept = 30;

export const newCourse = (action: Course['action']): Course => ({
  ...{ checks: [], earlier: null, action },
  ...{ ended: null, reopened: null, reminded: null, retrain: null },
});

/** The course with one more check. The same run counts once, its newest attempt; one too old to be told is left out. */
export function withCheck(course: Course, check: Check): Course {
  const same = course.checks.find(({ run }) => run === check.run);
  if (same !== undefined && same.attempt >= check.attempt) return course;
  const oldest = course.checks[0];
  if (course.earlier !== null && oldest !== undefined && check.run < oldest.run) return course;
  const all = [...course.checks.filter((one) => one !== same), check].sort((a, b) => a.run - b.run);
  const left = all.slice(0, -kept).filter(({ moved }) => moved);
  const earlier =
    left[0] === undefined
      ? course.earlier
      : {
          count: (course.earlier?.count ?? 0) + left.length,
          since: course.earlier?.since ?? left[0].at,
        };
  return { ...course, checks: all.slice(-kept), earlier };
}

/** How often it has alarmed, since when, and the newest time; null where it never did. */
export function alarmsOf({ checks, earlier }: Course): { count: number; since: string; last: string } | null {
  const moved = checks.filter((check) => check.moved);
  const since = earlier?.since ?? moved[0]?.at;
  if (since === undefined) return null;
  return { count: (earlier?.count ?? 0) + moved.length, since, last: moved.at(-1)?.at ?? since };
}

/** So many of the newest checks in a row were quiet. */
export function quietStreak({ checks }: Course): number {
  return checks.length - 1 - checks.findLastIndex(({ moved }) => moved);
}
