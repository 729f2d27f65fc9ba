import { isPassing } from '../src/chatops/commands/refusal.ts';
import type { ChatopsContext, CommandResult, IncomingComment } from '../src/chatops/context.ts';
import { finishOperation } from '../src/chatops/finish.ts';
import { handleComment } from '../src/chatops/handle.ts';
import { GitHubUnavailable } from '../src/github/port.ts';

export interface ChatopsRun {
  comment: IncomingComment;
  /** Read anew for each try: the default branch may have moved. */
  context(): Promise<ChatopsContext>;
  /** Milliseconds in which the end of what was started is waited for. */
  wait: number;
  sleep(milliseconds: number): Promise<void>;
}

const tries = 5;
/** Between two looks whether it has ended, and between two tries. */
const pause = 10_000;
/** A limit of GitHub's is waited for no longer. */
const longestPause = 300_000;

/**
 * Carries out the command of a comment and, for a promotion or rollback, waits for its end, since nobody else will
 * tell it. What GitHub or the store does not answer now is tried again: the reply says how far an earlier try came.
 */
export async function executeChatops(run: ChatopsRun): Promise<CommandResult | null> {
  const { comment } = run;
  const result = await again(run, async () => handleComment(comment, await run.context()));
  const kind = result?.operation?.kind;
  if (result?.decision !== 'started' || (kind !== 'promote' && kind !== 'rollback')) return result;
  for (let waited = 0; waited < run.wait; waited += pause) {
    await run.sleep(pause);
    const about = { number: comment.number, commentId: comment.id };
    const ended = await again(run, async () => finishOperation(await run.context(), about));
    if (ended !== null) return ended;
  }
  return result;
}

async function again<T>({ sleep }: ChatopsRun, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || attempt === tries) throw error;
      const asked = error instanceof GitHubUnavailable ? error.retryAfterSeconds : null;
      const wanted = (asked ?? 0) * 1000;
      if (wanted > longestPause) throw error;
      await sleep(Math.max(wanted, pause));
    }
  }
}
