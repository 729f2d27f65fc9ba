import { isCommandName } from '../command.ts';
import type { CommandResult } from '../context.ts';
import { help as helpFor } from '../help.ts';
import { personOf } from '../permission.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { done } from './refusal.ts';
import { subjectOf } from './target.ts';

/** What this person may run here, or one command in full. */
export async function help(request: CommandRequest<CommandOf<'help'>>): Promise<CommandResult> {
  const { command, context, comment } = request;
  const pull = comment.isPullRequest ? await context.github.pullRequest(comment.number) : null;
  const details = await helpFor(
    {
      context,
      person: await personOf(context, comment),
      place: comment.isPullRequest ? 'pull_request' : 'issue',
      subject: await subjectOf(context, comment),
      pullAuthor: pull?.author ?? null,
    },
    command.about !== null && isCommandName(command.about) ? command.about : null,
  );
  return done('What you may run here.', { details });
}
