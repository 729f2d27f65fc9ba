import type { Actor } from '../../registry/entries.ts';
import type { Command, CommandName } from '../command.ts';
import type { ChatopsContext, CommandResult, IncomingComment, Operation } from '../context.ts';

/** A command that its author may give, and what carrying it out needs. */
export interface CommandRequest<C extends Command = Command> {
  command: C;
  comment: IncomingComment;
  context: ChatopsContext;
  /** Names the operation: entries of the registry and runs of workflows carry it. */
  opId: string;
  /**
   * Puts on record, in the reply, what is about to be started, before it is: a crash after it finds it again, and
   * the deployment protection rule believes only what stands there.
   */
  record(operation: Operation, checks: CommandResult['checks']): Promise<void>;
}

export type CommandOf<N extends CommandName> = Extract<Command, { name: N }>;
export type Handler<N extends CommandName> = (
  request: CommandRequest<CommandOf<N>>,
) => Promise<CommandResult>;

/** Who stands in the log for a command: the person who gave it. */
export const actorOf = ({ comment }: Pick<CommandRequest, 'comment'>): Actor => ({
  name: comment.author.slice(0, 100),
  via: 'bot',
});

/** Why, where the person gave no reason of their own. */
export const reasonOf = (given: string | null, { comment }: Pick<CommandRequest, 'comment'>): string =>
  (given ?? `asked for by ${comment.author} in ${comment.number}`).slice(0, 1000);
