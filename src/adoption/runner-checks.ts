import {
  type JobSetup,
  type RepositorySetup,
  type RunnerGroupSetup,
  type RunnerSetup,
  Unseen,
} from '../github/repository-setup.ts';
import { visible } from '../visible.ts';
import { missing, notLooked, ok, type SetupCheck, warn } from './check.ts';
import {
  admits,
  entryOf,
  fits,
  type OwnRunner,
  ownRunners,
  type Place,
  requestText,
} from './runner-requests.ts';
import { rightFix } from './unseen.ts';
import { inWords, verb } from './workflow-calls.ts';
import type { Workflows } from './workflow-text.ts';

type Of = Pick<SetupCheck, 'check' | 'level' | 'needed'>;

export interface Runners {
  own: readonly RunnerSetup[] | Unseen;
  groups: readonly RunnerGroupSetup[] | Unseen;
}

interface Found {
  verdict: 'ok' | 'warn' | 'missing' | 'unseen';
  detail: string;
  fix: string;
}

/** Whether a runner is online for each job that asks for one of the team's own. */
export async function runnerCheck(
  of: Of,
  setup: Pick<RepositorySetup, 'jobs'>,
  { runners, workflows, place, now }: { runners: Runners; workflows: Workflows; place: Place; now: Date },
): Promise<SetupCheck> {
  const wanted = ownRunners(workflows);
  if (wanted.length === 0) return ok(of, "The workflows here ask for GitHub's own runners alone.");
  const found: Found[] = [];
  for (const request of wanted) {
    for (const [standing, files] of standings(request, runners, place))
      found.push(await told({ ...request, files }, standing, { setup, runners, place, now }));
  }
  const worst = (['missing', 'warn', 'unseen'] as const).find((verdict) =>
    found.some((one) => one.verdict === verdict),
  );
  const detail = found.map((one) => one.detail).join(' ');
  const fix = found.find(({ verdict }) => verdict === worst)?.fix ?? '';
  if (worst === undefined) return ok(of, detail);
  if (worst === 'unseen') return notLooked(of, detail.replace(/\.$/, ''), fix);
  return worst === 'warn' ? warn(of, detail, fix) : missing(of, detail, fix);
}

interface Looking {
  setup: Pick<RepositorySetup, 'jobs'>;
  runners: Runners;
  place: Place;
  now: Date;
}

/** `refused`: the groups with such runners do not take the workflow. `hidden`: the token may not see all there are. */
type Standing = 'online' | 'offline' | 'refused' | 'hidden' | 'none';

/** How it stands with a runner for each of the workflows that ask for it. */
function standings(request: OwnRunner, runners: Runners, place: Place): Map<Standing, string[]> {
  const { own, groups } = runners;
  const fitting = fittingGroups(request, runners);
  const alone =
    own instanceof Unseen || request.group !== null ? [] : own.filter(({ labels }) => fits(request, labels));
  const standing = (file: string): Standing => {
    const admitting = fitting.filter((group) => admits(group, file, place));
    const ready = [...alone, ...admitting.flatMap((group) => group.runners)];
    if (ready.some(({ online }) => online)) return 'online';
    if (ready.length > 0) return 'offline';
    if (own instanceof Unseen || groups instanceof Unseen) return 'hidden';
    return fitting.length > 0 ? 'refused' : 'none';
  };
  const found = new Map<Standing, string[]>();
  for (const file of request.files) {
    const one = standing(file);
    found.set(one, [...(found.get(one) ?? []), file]);
  }
  return found;
}

/** Groups with such runners, and those of their runners alone. */
function fittingGroups(request: OwnRunner, { groups }: Runners): RunnerGroupSetup[] {
  return (groups instanceof Unseen ? [] : groups)
    .filter(({ name }) => isGroup(request, name))
    .map((group) => ({ ...group, runners: group.runners.filter(({ labels }) => fits(request, labels)) }))
    .filter(({ runners }) => runners.length > 0);
}

const isGroup = ({ group }: OwnRunner, name: string | null): boolean =>
  group === null || group.toLowerCase() === name?.toLowerCase();

async function told(request: OwnRunner, standing: Standing, looking: Looking): Promise<Found> {
  const { runners, place } = looking;
  const { files } = request;
  const asked = visible(`${inWords(files)} ${verb(files, 'ask')} for ${requestText(request)}`);
  switch (standing) {
    case 'online':
      return { verdict: 'ok', detail: `${asked}: one is online.`, fix: '' };
    case 'offline':
      return {
        verdict: 'warn',
        detail: `${asked}: none of them is online.`,
        fix: 'Start one, unless something starts it when a job waits.',
      };
    case 'none':
      return {
        verdict: 'warn',
        detail: `${asked}: there is none.`,
        fix: 'Register one in a runner group (docs/workflows.md), unless something starts it when a job waits; or change `runs-on`.',
      };
    case 'refused': {
      const names = visible(inWords(fittingGroups(request, runners).map(({ name }) => name)));
      return {
        verdict: 'missing',
        detail: `${asked}. Such runners are in ${names}, and no group takes ${files.length === 1 ? 'it' : 'them'} of ${place.branch}: the jobs wait.`,
        fix: `Add to the workflows of the group: ${files.map((file) => entryOf(file, place)).join(', ')}.`,
      };
    }
    case 'hidden':
      return hidden(request, asked, looking);
  }
}

/** Where not all runners can be seen, a job that one of them took says that there is one. */
async function hidden(request: OwnRunner, asked: string, { setup, runners, now }: Looking): Promise<Found> {
  const last = await lastJob(request, setup);
  if (last !== null && now.getTime() - Date.parse(last.at) < recent) {
    const group = last.group === null ? '' : ` of the group ${visible(last.group)}`;
    return {
      verdict: 'ok',
      detail: `${asked}: one${group} took such a job at ${last.at}. Whether it is online is not seen.`,
      fix: '',
    };
  }
  const { own, groups } = runners;
  const { needs } = [own, groups].find((one) => one instanceof Unseen) ?? new Unseen();
  const [where, right] =
    own instanceof Unseen
      ? (['the repository', 'administration'] as const)
      : (['the organisation', 'organization'] as const);
  return {
    verdict: 'unseen',
    detail: `${asked}: whether there is one is not known, since the token may not see the runners of ${where}, and none took such a job of late.`,
    fix: rightFix({ needs }, right),
  };
}

/** A job that ran longer ago says little of today. */
const recent = 30 * 86_400_000;

async function lastJob(wanted: OwnRunner, setup: Pick<RepositorySetup, 'jobs'>): Promise<JobSetup | null> {
  const taken: JobSetup[] = [];
  for (const file of wanted.files) {
    const jobs = await setup.jobs(file);
    if (jobs instanceof Unseen) continue;
    taken.push(...jobs.filter(({ labels, group }) => fits(wanted, labels) && isGroup(wanted, group)));
  }
  return taken.toSorted((a, b) => b.at.localeCompare(a.at))[0] ?? null;
}
