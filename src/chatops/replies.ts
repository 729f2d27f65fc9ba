import type { Comment, GitHub } from '../github/port.ts';
import { commandMarker, type ReplyRecord, readRecord } from './reply-record.ts';

/** So many comments of a thread are looked through. */
const sought = 5000;

export interface Reply {
  comment: Comment;
  /** Null where somebody has broken it. */
  record: ReplyRecord | null;
}

/** Our reply to a comment: the marker counts only in what our app wrote. */
export async function findReply(
  github: GitHub,
  { number, commentId }: { number: number; commentId: number },
): Promise<Reply | null> {
  const marker = commandMarker(commentId);
  let seen = 0;
  for await (const comment of github.comments(number)) {
    if (comment.ours && comment.body.includes(marker))
      return { comment, record: recordOf(comment, commentId) };
    seen += 1;
    if (seen >= sought) break;
  }
  return null;
}

/** All replies to commands in a thread, the oldest first. */
export async function repliesIn(github: GitHub, number: number): Promise<Reply[]> {
  const found: Reply[] = [];
  let seen = 0;
  for await (const comment of github.comments(number)) {
    const record = comment.ours ? readRecord(comment.body) : null;
    if (record !== null && comment.body.includes(commandMarker(record.comment)))
      found.push({ comment, record });
    seen += 1;
    if (seen >= sought) break;
  }
  return found;
}

function recordOf({ body }: Comment, commentId: number): ReplyRecord | null {
  const record = readRecord(body);
  return record?.comment === commentId ? record : null;
}
