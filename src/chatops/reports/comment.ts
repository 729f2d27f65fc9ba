import { type Comment, type GitHub, GitHubUnavailable, type PullRequest } from '../../github/port.ts';
import { Name } from '../../names.ts';
import type { ChatopsContext } from '../context.ts';
import { serially } from '../serially.ts';
import { type Judged, judgedAt } from './judged.ts';
import { emptyRecord, type ReportRecord, readReport, reportMarker } from './record.ts';
import { type ReportView, renderReport } from './render.ts';

/** So often the report is made again when another process has made one at the same time. */
const tries = 3;
const elsewhere = 'The report stands in an earlier comment.';

export interface ReportRequest {
  number: number;
  /** Null: the results that name no model of the default branch. */
  model: string | null;
  /** What the report is made from now, given what it was made from; null: nothing is to be written. */
  change(before: ReportRecord, pull: PullRequest): ReportRecord | null;
  /** Called after the comment is written, before another report of this pull request is. */
  written?(record: ReportRecord, judged: Judged | null): Promise<void>;
}

/**
 * Writes the one report of a pull request for a model: edits ours, or makes it. Reports of a pull request are written
 * one after the other. Gives what it was made from; null where nothing was to be written.
 */
export async function writeReport(
  context: ChatopsContext,
  request: ReportRequest,
): Promise<ReportRecord | null> {
  const { github } = context;
  const { owner, repo } = github.repository;
  return serially(`report ${owner}/${repo}#${request.number}`, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const result = await write(context, request);
      if (result === null) return null;
      if (!result.made || attempt === tries || (await findReports(github, request)).length < 2) {
        await request.written?.(result.record, result.judged);
        return result.record;
      }
    }
  });
}

async function write(context: ChatopsContext, request: ReportRequest) {
  const { github } = context;
  const { number, model } = request;
  const found = await findReports(github, request);
  // the head is asked for as late as can be: a push after it sends an event of its own
  const pull = await github.pullRequest(number);
  if (pull === null) return null;
  const [kept, ...others] = found;
  const before = (kept === undefined ? null : readReport(kept.body, model)) ?? emptyRecord(model);
  const record = request.change(before, pull);
  if (record === null) return null;
  const view = await viewOf(context, record, pull);
  const body = renderReport(view);
  for (const other of others) await github.updateComment(other.id, elsewhere);
  if (kept === undefined) await create(github, request, body);
  else if (kept.body !== body) await github.updateComment(kept.id, body);
  return { record, judged: view.judged, made: kept === undefined };
}

/** A POST whose answer is lost may have had its effect: it is looked for, never sent again. */
async function create(github: GitHub, request: ReportRequest, body: string): Promise<void> {
  try {
    await github.createComment(request.number, body);
  } catch (error) {
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
    if ((await findReports(github, request)).length === 0) throw error;
  }
}

async function viewOf(context: ChatopsContext, record: ReportRecord, pull: PullRequest): Promise<ReportView> {
  const { models, policy, base } = context;
  const { model, trained } = record;
  const judged = model === null ? null : await judgedAt(context, model, pull.headSha);
  const stale = model === null || judged !== null || trained === null || trained.sha === pull.headSha;
  return {
    record,
    pull,
    judged,
    earlier: stale ? null : await judgedAt(context, model, trained.sha),
    base: base.branch,
    several: models.size > 1,
    forkTraining: policy.allow_fork_training,
    environment: models.get(model ?? '')?.config.environments[0]?.name ?? null,
  };
}

/** Ours alone, the oldest first: a marker in what somebody else wrote is only text. */
async function findReports(
  github: GitHub,
  { number, model }: Pick<ReportRequest, 'number' | 'model'>,
): Promise<Comment[]> {
  const marker = reportMarker(model);
  return reportsIn(github, number, (body) => body.startsWith(marker));
}

async function reportsIn(
  github: GitHub,
  number: number,
  wanted: (body: string) => boolean,
): Promise<Comment[]> {
  const found: Comment[] = [];
  for await (const comment of github.comments(number)) {
    if (comment.ours && wanted(comment.body)) found.push(comment);
  }
  return found.sort((a, b) => a.id - b.id);
}

/** The models of which a pull request has a report. */
export async function reportedModels(github: GitHub, number: number): Promise<(string | null)[]> {
  const models = new Set<string | null>();
  for (const { body } of await reportsIn(github, number, (text) =>
    text.startsWith('<!-- modelgate:report'),
  )) {
    const name = /^<!-- modelgate:report(?: ([^ ]{1,63}))? -->/.exec(body);
    if (name === null) continue;
    if (name[1] === undefined) models.add(null);
    else if (Name.safeParse(name[1]).success) models.add(name[1]);
  }
  return [...models];
}
