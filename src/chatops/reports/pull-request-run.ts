import { UserError } from '../../errors.ts';
import type { Artifact, PullRequest, WorkflowRun } from '../../github/port.ts';
import { mapAtMost } from '../../map-at-most.ts';
import type { ChatopsContext } from '../context.ts';
import { writeReport } from './comment.ts';
import { policyChanges } from './policy-change.ts';
import { mostParts, type ReportRecord, type SamplePart, samplePart, withRoom } from './record.ts';
import { mostReports, worstFirst } from './render-sample.ts';
import { parseResult, resultLimit, type SampleResult } from './result.ts';
import { isOlder, ofRepository, type Reported } from './run.ts';
import { putSampleCheck } from './sample-check.ts';

/** `modelgate-result`, and one for each part of a matrix: `modelgate-result-flights`. */
const artifactName = /^modelgate-result(?:-([A-Za-z0-9._-]{1,100}))?$/;
/** Pull requests with the same head; downloads at once. */
const most = { pulls: 5, downloads: 8 };

/** A part of a run, and the model that it is reported under. */
interface Part {
  model: string | null;
  shown: SamplePart;
  result: SampleResult;
}

export async function reportPullRequestRun(run: WorkflowRun, context: ChatopsContext): Promise<Reported> {
  // nothing ran to an end: the next run will
  if (['cancelled', 'skipped', 'action_required', 'stale'].includes(run.conclusion ?? '')) return 'no_result';
  const pulls = await pullsOf(run, context);
  if (pulls.length === 0) return 'no_pull_request';
  if (!pulls.some(({ headSha }) => headSha === run.headSha)) return 'head_moved';
  const parts = await partsOf(run, context);
  let reported: Reported = 'older_attempt';
  for (const { number } of pulls) {
    for (const { model, own } of reportsOf(parts))
      if (await reportParts(run, { context, number, model, parts: own })) reported = 'reported';
  }
  return reported;
}

/** One report a model; of many models one of all, the worst first: nobody reads two hundred comments. */
function reportsOf(parts: readonly Part[]): { model: string | null; own: Part[] }[] {
  const models = [...new Set(parts.map(({ model }) => model))];
  if (models.length <= mostReports)
    return models.map((model) => ({ model, own: parts.filter((part) => part.model === model) }));
  const named = parts.map((part) => ({
    ...part,
    shown: { ...part.shown, claims: part.model ?? part.result.model },
  }));
  const rank = ({ shown }: Part) => worstFirst.indexOf(shown.verdict);
  return [{ model: null, own: named.sort((a, b) => rank(a) - rank(b)) }];
}

/** The open pull requests whose head this run was made for. GitHub names none for forks: found by the commit. */
async function pullsOf(run: WorkflowRun, { github }: ChatopsContext): Promise<PullRequest[]> {
  const named = await Promise.all(
    run.pullRequests.slice(0, most.pulls).map((number) => github.pullRequest(number)),
  );
  const found = named.some((pull) => pull !== null) ? named : await github.pullRequestsOf(run.headSha);
  const fork = !ofRepository(run, github.repository);
  return found
    .filter((pull) => pull !== null)
    .filter((pull) => pull.state === 'open' && pull.fork === fork)
    .slice(0, most.pulls);
}

/** Every part that the run has uploaded; the newest of each name, since earlier attempts leave theirs. */
async function partsOf(run: WorkflowRun, context: ChatopsContext): Promise<Part[]> {
  const { github } = context;
  const newest = new Map<string, Artifact>();
  for (const artifact of (await github.artifacts(run.id)).toSorted((a, b) => a.id - b.id))
    if (artifactName.test(artifact.name) && !artifact.expired) newest.set(artifact.name, artifact);
  const chosen = [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, mostParts);
  const parts = await mapAtMost(chosen, most.downloads, async (artifact) =>
    partOf(artifact.name, await readResult(artifact, context), context),
  );
  if (parts.length > 0) return parts;
  return [
    partOf(
      'modelgate-result',
      unreadable(
        run.conclusion === 'success'
          ? 'The run left no result: its workflow must upload the artifact modelgate-result.'
          : 'The run ended before it had a result: its log says why.',
      ),
      context,
    ),
  ];
}

async function readResult(artifact: Artifact, { github }: ChatopsContext): Promise<SampleResult> {
  const tooLarge = unreadable(`The result is larger than ${resultLimit / 1024} KiB, or damaged.`);
  if (artifact.size > resultLimit) return tooLarge;
  try {
    const name = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.json$/;
    const bytes = await github.artifactFile({ artifact, name, limit: resultLimit });
    if (bytes === null) return unreadable('The result holds no JSON file.');
    return parseResult(bytes) ?? unreadable('The result is not an outcome of ModelGate.');
  } catch (error) {
    // what is no fault of GitHub's is one of the archive
    if (error instanceof UserError && error.code.startsWith('github_')) return tooLarge;
    throw error;
  }
}

const unreadable = (summary: string): SampleResult => ({
  ...{ model: null, verdict: 'error', code: 'result_unreadable', summary },
  ...{ reasons: [], contract: [] },
});

/** Under the model that it names; under the only one, or the one of its artifact's name, where it names none. */
function partOf(artifact: string, result: SampleResult, { models }: ChatopsContext): Part {
  const names = [...models.keys()];
  const [only] = names;
  const suffix = artifactName.exec(artifact)?.[1];
  const guess = names.length === 1 ? only : suffix;
  const name = result.model ?? guess;
  const model = name !== undefined && models.has(name) ? name : null;
  return { model, result, shown: samplePart(result, { artifact, known: model !== null }) };
}

/** Whether it was written, and not left because a newer run has spoken. */
async function reportParts(
  run: WorkflowRun,
  request: { context: ChatopsContext; number: number; model: string | null; parts: Part[] },
): Promise<boolean> {
  const { context, number, model, parts } = request;
  const sample = {
    ...{ sha: run.headSha, run: run.id, attempt: run.attempt, url: run.url.slice(0, 500) },
    ...{ parts: parts.map(({ shown }) => shown), left: {} },
  };
  const policy = model === null ? null : await policyChanges(context, { model, sha: run.headSha });
  let wrote = false;
  await writeReport(context, {
    ...{ number, model },
    change(before: ReportRecord, pull: PullRequest) {
      wrote = false;
      if (pull.headSha !== run.headSha) return null; // pushed meanwhile: that event marks it stale
      const { sample: last } = before;
      if (last !== null && last.sha === run.headSha && isOlder(run, last)) return null;
      wrote = true;
      return withRoom({ ...before, sample, policy: policy ?? before.policy });
    },
    written: (record) =>
      putSampleCheck(context, {
        ...{ model, run, sample: record.sample ?? sample },
        results: parts.map(({ result }) => result),
      }),
  });
  return wrote;
}
