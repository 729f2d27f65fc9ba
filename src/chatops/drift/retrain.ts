import { UserError } from '../../errors.ts';
import { type GitHub, GitHubUnavailable, type Issue } from '../../github/port.ts';
import { sha256 } from '../../json.ts';
import { code, link, paragraphs, table, text } from '../../report/markdown.ts';
import { oneLine } from '../../report/plain.ts';
import { inputsOf } from '../commands/target.ts';
import type { ChatopsContext } from '../context.ts';
import { mayTrain } from '../may-train.ts';
import { findRun } from '../operations.ts';
import type { Alarm } from './alarm.ts';
import type { Told } from './keep-alarm.ts';
import { proposedBranch } from './retrain-branch.ts';
import { type RetrainEvidence, retrainChange } from './retrain-change.ts';

/** Bytes of modelgate.yaml. */
const configLimit = 1_000_000;

interface Request {
  issue: Issue;
  told: Told;
  alarm: Alarm;
}

/**
 * Proposes to train again, as a pull request with the evidence, and starts the full training of its head: from there
 * on it is one like any other, with the same gate. Branch, pull request and run are found before they are made, so
 * each is made once for an issue; what is trained is the default branch with the proposed files and nothing else.
 * Gives the pull request's number.
 */
export async function proposeRetraining(context: ChatopsContext, request: Request): Promise<number> {
  const { github } = context;
  const { issue } = request;
  const { model } = request.told.result.inputs;
  const evidence = evidenceOf(request);
  const file = context.models.get(model)?.file ?? 'modelgate.yaml';
  const config = await github.file({ path: file, sha: context.base.sha, limit: configLimit });
  const change = retrainChange(evidence, { path: file, text: config?.toString('utf8') ?? null });
  const title = oneLine(`Train ${model} again: ${request.alarm.title}`, 200);
  const { branch, head } = await proposedBranch(context, {
    ...{ name: `modelgate/retrain/${model}-${issue.number}`, message: title, files: change.files },
  });
  const pull = await openPull(context, {
    ...{ branch, head, title },
    body: bodyOf(evidence, { ...request, until: change.until }),
  });
  const about = inputsOf(model, { file });
  await startTraining(context, { branch, head, since: issue.updatedAt, about });
  return pull;
}

async function openPull(
  { github, base }: ChatopsContext,
  { branch, head, title, body }: { branch: string; head: string; title: string; body: string },
): Promise<number> {
  const found = await pullOf(github, { branch, head });
  if (found !== null) return found;
  try {
    const { number } = await github.createPullRequest({ title, body, head: branch, base: base.branch });
    return number;
  } catch (error) {
    // the answer was lost, or another bot was quicker: GitHub allows one open pull request a branch
    const lost = error instanceof GitHubUnavailable && error.ambiguous;
    if (!lost && !(error instanceof UserError && error.code === 'github_refused')) throw error;
    const made = await pullOf(github, { branch, head });
    if (made === null) throw error;
    return made;
  }
}

async function pullOf(
  github: GitHub,
  { branch, head }: { branch: string; head: string },
): Promise<number | null> {
  const found = (await github.pullRequestsOf(head)).find(({ headRef, fork }) => headRef === branch && !fork);
  return found?.number ?? null;
}

async function startTraining(
  context: ChatopsContext,
  {
    branch,
    head,
    since,
    about,
  }: { branch: string; head: string; since: string; about: Readonly<Record<string, string>> },
): Promise<void> {
  const { github, policy, base } = context;
  const alert = { event: 'alert', fork: false, role: 'none', ok: null, headSha: head, policy } as const;
  if (mayTrain(alert).runner !== 'gpu') return;
  const { owner, repo } = github.repository;
  const opId = sha256(JSON.stringify([`${owner}/${repo}`.toLowerCase(), 'retrain', branch, head]));
  const workflow = policy.workflows.train;
  if ((await findRun(context, { opId, workflow, since })) !== null) return;
  const inputs = { sha: head, op_id: opId, trigger: 'alert', ...about };
  try {
    await github.dispatch({ workflow, branch: base.branch, inputs });
  } catch (error) {
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
    if ((await findRun(context, { opId, workflow, since })) === null) throw error;
  }
}

function evidenceOf({ issue, told, alarm }: Request): RetrainEvidence {
  const { inputs, outputs } = told.result;
  return {
    model: inputs.model,
    environment: inputs.environment,
    version: outputs.version,
    fingerprint: alarm.fingerprint,
    issue: issue.number,
    run: told.run.id,
    reason: oneLine(alarm.reason, 400),
    window: { since: inputs.since, until: inputs.until },
    drift: outputs.drift,
  };
}

function bodyOf(
  evidence: RetrainEvidence,
  { told, alarm, until }: Request & { until: { from: string; to: string } | null },
): string {
  const { model, environment, version, issue, window, drift, run } = evidence;
  const signals = told.result.outputs.signals.filter(({ verdict }) => verdict === 'alert').slice(0, 20);
  const rows = [
    ['alarm', `#${issue}`],
    ['serving', `${code(model)} version ${version} in ${code(environment)}`],
    ['window', text(`${window.since} to ${window.until}`)],
    ['check', link(`run ${run}`, told.run.url)],
    ['drift report', code(drift.slice(0, 12))],
    ['training data', until === null ? 'the newest' : text(`until ${until.to}, before until ${until.from}`)],
  ];
  return paragraphs(
    `**${text(alarm.title, 200)}**`,
    text(alarm.reason, 400),
    table({ columns: [{ title: '' }, { title: '' }], rows }),
    signals.map(({ summary }) => `- ${text(summary, 300)}`).join('\n'),
    'The full training of this commit has been started. Evaluation, gate and registration follow as for any other candidate; nothing is promoted by itself. A candidate that passes goes on with `/promote` here. To refuse it, close this pull request: the alarm proposes it no second time.',
  );
}
