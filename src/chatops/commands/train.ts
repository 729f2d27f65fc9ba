import type { PullRequest } from '../../github/port.ts';
import type { CommandResult, Operation } from '../context.ts';
import { mayTrain } from '../may-train.ts';
import { touchedBy } from '../touched.ts';
import { Checklist } from './checklist.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { Refusal, refused } from './refusal.ts';
import { start } from './start.ts';
import { chooseModel, inputsOf, requirePull } from './target.ts';

type Request = CommandRequest<CommandOf<'train' | 'ok-to-train'>>;

/**
 * Starts the full training of a pull request's head. A fork's commit is trained only by `/ok-to-train` with that
 * commit's full SHA, and only where the policy allows it at all.
 */
export async function train(request: Request): Promise<CommandResult> {
  const { command, comment } = request;
  if (!comment.isPullRequest) {
    throw new Refusal('usage', 'This trains the head of a pull request.', 'Elsewhere: `/retrain`');
  }
  const pull = await requirePull(request.context, request.comment);
  const list = new Checklist();
  headOpen(list, pull);
  if (command.name === 'ok-to-train') {
    const same = command.sha === pull.headSha;
    list.add({
      name: 'commit',
      ok: same,
      detail: same
        ? pull.headSha.slice(0, 12)
        : `The head is ${pull.headSha.slice(0, 12)}, not ${command.sha.slice(0, 12)}.`,
      fix: 'Read the new head, then give the command with its full SHA.',
      reason: 'head_moved',
    });
  }
  await forkCheck(list, request, pull);
  if (list.refusal !== null) return refused(list.refusal, list.checks);
  const model = await trainedModel(request, pull);
  const of = model === null ? '' : ` for ${model.name}`;
  return start(request, {
    ...{ operation: operationOf(request, pull.headSha, model), checks: list.checks },
    summary: `Training ${pull.headSha.slice(0, 12)}${of}; evaluation, gate and registration follow by themselves.`,
    recheck: async () => requireSame(await requirePull(request.context, request.comment), pull),
  });
}

function requireSame(now: PullRequest, before: PullRequest): void {
  if (now.headSha !== before.headSha) {
    throw new Refusal('head_moved', 'The head moved meanwhile.', 'Give the command again for the new head.');
  }
  if (now.state !== 'open') throw new Refusal('not_open', 'The pull request was closed meanwhile.');
}

function headOpen(list: Checklist, pull: PullRequest): void {
  list.add({
    name: 'pull request',
    ok: pull.state === 'open',
    detail: pull.state === 'open' ? 'open' : 'It is closed.',
    fix: 'Open it again, or use `/retrain` for the default branch.',
    reason: 'not_open',
  });
}

async function forkCheck(list: Checklist, request: Request, pull: PullRequest): Promise<void> {
  const { command, comment, context } = request;
  const { policy } = context;
  const { role } = await context.github.permission(comment.author);
  const where = mayTrain({
    ...{ event: 'command', fork: pull.fork, role, headSha: pull.headSha, policy },
    ok: command.name === 'ok-to-train' ? { sha: command.sha, role } : null,
  });
  list.add({
    name: 'origin',
    ok: where.runner === 'gpu',
    detail: where.runner === null ? where.message : pull.fork ? 'a fork' : 'a branch of this repository',
    fix: policy.allow_fork_training
      ? `Read the commit, then: \`/ok-to-train ${pull.headSha}\``
      : 'Push the commit to a branch of this repository, after a look at it.',
    reason: where.runner === null ? where.reason : 'fork_refused',
  });
}

type Chosen = ReturnType<typeof chooseModel>;

/**
 * The model that is named, or the one that the pull request touches, by the default branch's configurations. Null: the
 * only one, which the workflow takes by itself. Refuses `unknown_model` and `ambiguous`.
 */
async function trainedModel({ command, context }: Request, pull: PullRequest): Promise<Chosen | null> {
  const { models } = context;
  const [[, only] = [], ...others] = models;
  if (command.model === null && others.length === 0 && only?.file === 'modelgate.yaml') return null;
  if (command.model !== null || others.length === 0) return chooseModel(context, command.model);
  const touched = (await touchedBy(context, pull.headSha)) ?? [];
  const [first, ...more] = touched;
  if (first !== undefined && more.length === 0) return chooseModel(context, first);
  const list = touched.slice(0, 20).join(', ');
  throw new Refusal(
    'ambiguous',
    touched.length > 1
      ? `This pull request touches ${touched.length} models: ${list}${touched.length > 20 ? ' and more' : ''}.`
      : `This repository has ${models.size} models, and which one this pull request touches is not clear.`,
    `Name the one that you mean: \`/${command.name}${command.name === 'train' ? '' : ` ${pull.headSha}`} MODEL\``,
  );
}

function operationOf({ context, opId }: Request, sha: string, chosen: Chosen | null): Operation {
  return {
    opId,
    kind: 'train',
    workflow: context.policy.workflows.train,
    inputs: { sha, op_id: opId, ...(chosen === null ? {} : inputsOf(chosen.name, chosen.model)) },
    model: chosen?.name ?? null,
    environment: null,
    run: null,
    deployment: null,
  };
}
