import type { Issue } from '../../github/port.ts';
import type { CommandResult, ConfiguredModel, Operation } from '../context.ts';
import { acknowledge, snooze } from '../drift/state.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { done, Refusal } from './refusal.ts';
import { start } from './start.ts';
import { chooseModel, inputsOf, subjectOf } from './target.ts';

type Request = CommandRequest<CommandOf<'drift'>>;

const day = 86_400_000;

/** Starts the drift check now; or keeps in the issue that its alarm was seen, or rests for some days. */
export async function drift(request: Request): Promise<CommandResult> {
  const { command, context, comment } = request;
  const subject = await subjectOf(context, comment);
  const { name, model } = chooseModel(context, command.model, subject);
  if (command.action === 'run') return run(request, name, model);
  const issue = subject.environment === null ? null : await context.github.issue(comment.number);
  if (issue === null || subject.model !== name) throw elsewhere(name);
  const by = comment.author;
  if (command.action !== 'snooze') {
    await acknowledge(context, { issue, by });
    return done(`${by} has seen it.`);
  }
  const until = new Date(Date.parse(comment.createdAt) + command.days * day);
  await snooze(context, { issue: openOnly(issue), by, until });
  return done(`It rests until ${until.toISOString().slice(0, 10)}.`);
}

function run(request: Request, name: string, model: ConfiguredModel): Promise<CommandResult> {
  const { context, opId } = request;
  const operation: Operation = {
    opId,
    kind: 'drift',
    workflow: context.policy.workflows.monitor,
    inputs: { op_id: opId, ...inputsOf(name, model) },
    model: name,
    environment: null,
    run: null,
    deployment: null,
  };
  const summary = `The drift check of ${name} runs; what it finds becomes an issue.`;
  return start(request, { operation, checks: [], summary });
}

function openOnly(issue: Issue): Issue {
  if (issue.state === 'open') return issue;
  throw new Refusal('not_open', 'The issue is closed.', 'Open it again first.');
}

const elsewhere = (model: string): Refusal =>
  new Refusal(
    'usage',
    `This thread is no alarm of ${model}.`,
    'Give the command in the issue that was opened for the alarm.',
  );
