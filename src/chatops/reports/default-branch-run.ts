import type { PullRequest, WorkflowRun } from '../../github/port.ts';
import { link, text } from '../../report/markdown.ts';
import type { ChatopsContext } from '../context.ts';
import { gateCheck, putCheck } from './checks.ts';
import { writeReport } from './comment.ts';
import { putGateCheck } from './gate-check.ts';
import { judgedAt, judgedBy } from './judged.ts';
import type { ReportRecord } from './record.ts';
import { isOlder, type Reported } from './run.ts';

/** Pull requests that one commit is the head of. */
const mostPulls = 10;

type Trained = NonNullable<ReportRecord['trained']>;

/**
 * A run that the default branch's own workflow made. What it uploads is not read: the registry says which versions it
 * judged, and the store holds their reports by digest.
 */
export async function reportDefaultBranchRun(
  run: WorkflowRun,
  { context, kind }: { context: ChatopsContext; kind: 'train' | 'release' },
): Promise<Reported> {
  const judged = await judgedBy(context, run);
  for (const { model, commit } of judged) {
    const newest = await judgedAt(context, model, commit);
    if (newest !== null) await putGateCheck(context, { judged: newest, sha: commit, run });
    if (kind === 'train') await reportTraining(run, { context, model, commit, ended: 'judged' });
  }
  if (judged.length > 0) return 'reported';
  return kind === 'train' ? reportUnjudged(run, context) : 'nothing_to_report';
}

/** It ended before a verdict. Which commit it was about stands in its name alone, so this can only say no. */
async function reportUnjudged(run: WorkflowRun, context: ChatopsContext): Promise<Reported> {
  const commit = /(?:^|[^0-9a-f])([0-9a-f]{40})(?:[^0-9a-f]|$)/.exec(run.title)?.[1];
  const model = trainedModel(run, context);
  if (commit === undefined || model === null || run.conclusion === 'success') return 'nothing_to_report';
  const ended = run.conclusion === 'cancelled' ? 'cancelled' : 'failed';
  const pulls = await reportTraining(run, { context, model, commit, ended });
  if (pulls === 0) return 'no_pull_request';
  // an earlier training of the same commit may have come to a verdict, which stands
  if (ended === 'failed' && (await judgedAt(context, model, commit)) === null) {
    await putCheck(context.github, {
      ...gateCheck(model),
      ...{ headSha: commit, conclusion: 'failure', annotations: [], detailsUrl: run.url },
      title: 'The full training ended without a verdict',
      summary: `${link('The log of the run', run.url)} says why. Nothing was registered for ${text(model, 63)}.`,
    });
  }
  return 'reported';
}

/** The model that the run's name says; without one that of `modelgate.yaml`, where there are several. */
function trainedModel({ title }: WorkflowRun, { models }: ChatopsContext): string | null {
  const named = /^Train [0-9a-f]{40} ([a-z0-9._-]{1,63}) \(/.exec(title)?.[1];
  if (named !== undefined) return models.has(named) ? named : null;
  const [first, ...others] = models;
  if (first !== undefined && others.length === 0) return first[0];
  return [...models].find(([, { file }]) => file === 'modelgate.yaml')?.[0] ?? null;
}

/** On every pull request that the commit belongs to; how many they are. */
async function reportTraining(
  run: WorkflowRun,
  about: { context: ChatopsContext; model: string; commit: string; ended: Trained['ended'] },
): Promise<number> {
  const { context, model, commit, ended } = about;
  const pulls = (await context.github.pullRequestsOf(commit)).slice(0, mostPulls);
  const trained: Trained = {
    ...{ sha: commit, run: run.id, attempt: run.attempt, url: run.url.slice(0, 500), ended },
  };
  for (const { number } of pulls) {
    await writeReport(context, {
      ...{ number, model },
      change: (before, pull) => withTraining(before, { pull, trained }),
    });
  }
  return pulls.length;
}

/** Of the head rather than of an earlier commit, of a newer run rather than of an older one. */
function withTraining(
  before: ReportRecord,
  { pull, trained }: { pull: PullRequest; trained: Trained },
): ReportRecord {
  const last = before.trained;
  if (last === null) return { ...before, trained };
  const ofHead = trained.sha === pull.headSha;
  if (ofHead !== (last.sha === pull.headSha)) return ofHead ? { ...before, trained } : before;
  const late = isOlder({ id: trained.run, attempt: trained.attempt }, last);
  return late ? before : { ...before, trained };
}
