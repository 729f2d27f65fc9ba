import { findRun } from '../chatops/operations.ts';
import { UserError } from '../errors.ts';
import { type GitHub, GitHubUnavailable } from '../github/port.ts';
import { type Digest, sha256 } from '../json.ts';
import type { Arrivals, Ending } from './arrivals.ts';

/** Milliseconds. */
export interface Times {
  /** An attempt that has not sent its request after so long sends it no more. */
  lease: number;
  /** So long after an attempt GitHub shows its run, if there is one: lease, time limit of the request, delay, clocks. */
  settle: number;
  /** So long a poll waits for the end of an attempt, its own or another's. */
  patience: number;
  /** Between two looks. */
  pause: number;
}
export const usualTimes: Times = { lease: 60_000, settle: 900_000, patience: 30_000, pause: 3000 };

export interface StartOnce {
  arrivals: Arrivals;
  dataset: Digest;
  github: GitHub;
  base: { branch: string; sha: string };
  opId: string;
  workflow: string;
  inputs: Readonly<Record<string, string>>;
  /** The run of CI that this poll is. */
  by: string;
  /** What makes a run needless although none was started by a poll: asked before each attempt. */
  needless(): Promise<Pick<Ending, 'reason' | 'run' | 'version'> | null>;
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
  times?: Times;
}

export type Start =
  /** `mine`: by this call. */
  | { state: 'ended'; ending: Ending; mine: boolean }
  /** It is not known yet whether an attempt has started the run; from `until` on it may be tried again. */
  | { state: 'unsettled'; until: Date };

/** The run of a dataset carries this in its title: sha256 of repository, model and dataset. */
export function arrivalOpId(
  { owner, repo }: GitHub['repository'],
  { model, dataset }: { model: string; dataset: Digest },
): string {
  return sha256(JSON.stringify([`${owner}/${repo}`.toLowerCase(), 'data', model, dataset]));
}

/**
 * Starts the run of a dataset, once, whatever polls run at the same time, are killed or lose answers. GitHub has no
 * request that starts a run only if there is none, so this rests on three things. The right to send the request is a
 * numbered attempt in the store, which one poll alone can create. Whoever has it sends the request once, within
 * `lease`. The next attempt is made when the last was refused, or when no run carries the operation's id `settle`
 * after it. So a second run is possible only where a machine stands still between the last look at its clock and the
 * request, clocks differ by more than five minutes, GitHub hides a run for longer than `settle`, or more than 200 other
 * runs of the workflow were dispatched since the first attempt.
 *
 * Throws what GitHub refuses, and GitHubUnavailable where it is certain that nothing was started; the next call goes on.
 */
export async function startOnce(request: StartOnce): Promise<Start> {
  const { arrivals, dataset, now, times = usualTimes } = request;
  const patient = now().getTime() + times.patience;
  for (;;) {
    const ending = await arrivals.ending(dataset);
    if (ending !== null) return { state: 'ended', ending, mine: false };
    const last = await arrivals.lastAttempt(dataset);
    if (last !== null) {
      const found = await foundRun(request, last.since);
      if (found !== null) return { state: 'ended', ending: found, mine: false };
    }
    const needless = await request.needless();
    if (needless !== null) {
      return { state: 'ended', ending: await arrivals.end(dataset, needless), mine: true };
    }
    const until = last === null || last.refused ? 0 : last.at.getTime() + times.settle;
    if (now().getTime() < until) {
      if (now().getTime() >= patient) return { state: 'unsettled', until: new Date(until) };
      await request.sleep(times.pause);
      continue;
    }
    const mine = { number: (last?.number ?? 0) + 1, at: now() };
    if (!(await arrivals.claim(dataset, mine.number, { at: mine.at, by: request.by }))) continue;
    return dispatch(request, { ...mine, since: last?.since ?? mine.at });
  }
}

async function dispatch(
  request: StartOnce,
  attempt: { number: number; at: Date; since: Date },
): Promise<Start> {
  const { arrivals, dataset, github, workflow, inputs, base, now, times = usualTimes } = request;
  const until = new Date(attempt.at.getTime() + times.settle);
  if (now().getTime() - attempt.at.getTime() > times.lease) {
    await arrivals.refuse(dataset, attempt.number);
    return { state: 'unsettled', until: now() };
  }
  let run: Awaited<ReturnType<GitHub['dispatch']>> = null;
  try {
    run = await github.dispatch({ workflow, branch: base.branch, inputs });
  } catch (error) {
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) {
      const certain = error instanceof UserError || error instanceof GitHubUnavailable;
      if (certain) await arrivals.refuse(dataset, attempt.number);
      throw error;
    }
  }
  if (run !== null) {
    const started = { reason: 'started', run: { id: run.runId, url: run.url }, version: null } as const;
    return { state: 'ended', ending: await arrivals.end(dataset, started), mine: true };
  }
  // the answer was lost, or GitHub Enterprise does not tell which run it is
  for (const patient = now().getTime() + times.patience; ; ) {
    const ending = await foundRun(request, attempt.since);
    if (ending !== null) return { state: 'ended', ending, mine: true };
    if (now().getTime() >= patient) return { state: 'unsettled', until };
    await request.sleep(times.pause);
  }
}

async function foundRun(request: StartOnce, since: Date): Promise<Ending | null> {
  const { arrivals, dataset, opId, workflow } = request;
  const run = await findRun(request, { opId, workflow, since: since.toISOString() });
  if (run === null) return null;
  const { id, url } = run;
  return arrivals.end(dataset, { reason: 'started', run: { id, url }, version: null });
}
