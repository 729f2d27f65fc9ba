import { UserError } from '../errors.ts';
import type { Comment, GitHub, Reaction } from '../github/port.ts';
import type { ChatopsContext, CommandResult, IncomingComment, Operation } from './context.ts';
import { findReply } from './replies.ts';
import { renderReply } from './reply.ts';
import type { ReplyKey } from './reply-key.ts';
import type { ReplyRecord } from './reply-record.ts';

/** A text that stands in a record is cut, never refused. */
const line = (text: string): string => text.slice(0, 2000);

/** The first word of a reply: the command was heard. */
export function acceptedRecord(
  comment: IncomingComment,
  { opId, command, now }: { opId: string; command: string; now: Date },
): ReplyRecord {
  return {
    schema: 'modelgate.command/1',
    op_id: opId,
    comment: comment.id,
    command,
    requested_by: comment.author.slice(0, 100),
    created_at: new Date(comment.createdAt).toISOString(),
    at: now.toISOString(),
    decision: 'accepted',
    reason: null,
    summary: 'Heard; looking at it.',
    checks: [],
    operation: null,
  };
}

/** The record after a result. */
export function recordAfter(record: ReplyRecord, result: CommandResult, now: Date): ReplyRecord {
  return {
    ...record,
    at: now.toISOString(),
    decision: result.decision,
    reason: result.reason,
    summary: line(result.summary),
    checks: result.checks.slice(0, 40).map(({ name, ok, detail, fix }) => ({
      name: line(name),
      ok,
      detail: line(detail),
      fix: fix === null ? null : line(fix),
    })),
    operation: result.operation === null ? null : storable(result.operation),
  };
}

const storable = (operation: Operation): NonNullable<ReplyRecord['operation']> => ({
  ...operation,
  inputs: Object.fromEntries(Object.entries(operation.inputs).map(([name, value]) => [name, line(value)])),
});

/** Writes the one reply of a comment: the one that is there is edited, whoever of us wrote it. */
export async function openReply(
  github: GitHub,
  comment: IncomingComment,
  record: ReplyRecord,
  replyKey: ReplyKey | null = null,
): Promise<{ comment: Comment; record: ReplyRecord }> {
  const repository = replyKey === null ? { github } : { github, replyKey };
  const found = await findReply(repository, { number: comment.number, commentId: comment.id });
  if (found !== null) return { comment: found.comment, record: found.record ?? record };
  const body = renderReply(record, null, replyKey);
  return { comment: await github.createComment(comment.number, body), record };
}

/** Edits the reply, and at the end reacts to the comment. */
export async function updateReply(
  context: Pick<ChatopsContext, 'github' | 'now' | 'logger' | 'replyKey'>,
  { reply, record, result }: { reply: Comment; record: ReplyRecord; result: CommandResult },
): Promise<ReplyRecord> {
  const next = recordAfter(record, result, context.now());
  await context.github.updateComment(reply.id, renderReply(next, result.details, context.replyKey));
  const reaction = reactionOf(result);
  if (reaction !== null) await react(context, record.comment, reaction);
  return next;
}

/** Null while it goes on. */
export function reactionOf({ decision }: Pick<CommandResult, 'decision'>): Reaction | null {
  return { started: null, done: 'rocket', planned: 'rocket', refused: '-1', failed: 'confused' }[
    decision
  ] as Reaction | null;
}

/** Decoration: a comment that is gone, or a limit, stops nothing. */
export async function react(
  { github, logger }: Pick<ChatopsContext, 'github' | 'logger'>,
  commentId: number,
  reaction: Reaction,
): Promise<void> {
  try {
    await github.react(commentId, reaction);
  } catch (error) {
    const why = error instanceof UserError || error instanceof Error ? error.message : String(error);
    logger.debug(`no reaction: ${why}`);
  }
}
