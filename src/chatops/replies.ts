import type { Comment } from '../github/port.ts';
import type { ChatopsContext } from './context.ts';
import type { ReplyKey } from './reply-key.ts';
import { commandMarker, type ReplyRecord, readRecord } from './reply-record.ts';

export interface Reply {
  comment: Comment;
  /** Null where somebody has broken or changed it. */
  record: ReplyRecord | null;
}
type Repository = Pick<ChatopsContext, 'github' | 'replyKey'>;

/**
 * Our reply to a comment: the marker counts only in what our app wrote. Throws `github_too_large` where there are more
 * comments than are read: that there is no reply would be believed, and the command be carried out again.
 */
export async function findReply(
  { github, replyKey }: Repository,
  { number, commentId }: { number: number; commentId: number },
): Promise<Reply | null> {
  const marker = commandMarker(commentId);
  for await (const comment of github.comments(number)) {
    if (comment.ours && comment.body.includes(marker))
      return { comment, record: recordOf(comment, commentId, replyKey) };
  }
  return null;
}

/** All replies to commands in a thread, the oldest first. */
export async function repliesIn({ github, replyKey }: Repository, number: number): Promise<Reply[]> {
  const found: Reply[] = [];
  for await (const comment of github.comments(number)) {
    const record = comment.ours ? readRecord(comment.body, replyKey) : null;
    if (record !== null && comment.body.includes(commandMarker(record.comment)))
      found.push({ comment, record });
  }
  return found;
}

function recordOf({ body }: Comment, commentId: number, key: ReplyKey | undefined): ReplyRecord | null {
  const record = readRecord(body, key);
  return record?.comment === commentId ? record : null;
}
