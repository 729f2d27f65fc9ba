import { refusalOf } from '../src/chatops/commands/refusal.ts';
import type { ChatopsContext, CommandResult, IncomingComment } from '../src/chatops/context.ts';
import { opIdOf } from '../src/chatops/operations.ts';
import { rejectDeployment } from '../src/chatops/protection.ts';
import type { ReplyKey } from '../src/chatops/reply-key.ts';
import { acceptedRecord, openReply, updateReply } from '../src/chatops/reply-life.ts';
import { UserError } from '../src/errors.ts';
import type { GitHub } from '../src/github/port.ts';
import type { Job } from './inbox.ts';
import type { BotLog } from './log.ts';

export interface GiveUp {
  github: GitHub;
  job: Job;
  error: unknown;
  replyKey: ReplyKey;
  now: () => Date;
  log: BotLog;
}

/**
 * Tells whoever waits that a job is not tried again: the person who commanded, the workflow's job before an
 * environment. What went wrong in us stays in the log, under the job's number.
 */
export async function giveUp({ github, job, error, replyKey, now, log }: GiveUp): Promise<void> {
  const { event, id } = job;
  const refusal = refusalOf(error);
  const why =
    error instanceof UserError
      ? `${error.message} ${refusal?.fix ?? error.fix}`
      : `Something went wrong in ModelGate. Whoever runs the bot finds it in the log as job ${id}.`;
  if (event.kind === 'protection') {
    const { run, environment } = event;
    const message = `It cannot be judged whether this run may go on. ${why}`;
    await rejectDeployment(github, { runId: run, environment, message }, log);
  }
  if (event.kind === 'comment') {
    const end = { decision: 'failed', reason: refusal?.reason ?? 'internal', summary: why } as const;
    const context = { github, now, logger: log, replyKey };
    await failReply(context, event.comment, { ...end, checks: [], operation: null, details: null });
  }
}

/** Ends the reply of a command that could not be carried out, if nothing else has ended it. */
async function failReply(
  context: Pick<ChatopsContext, 'github' | 'now' | 'logger'> & { replyKey: ReplyKey },
  comment: IncomingComment,
  result: CommandResult,
): Promise<void> {
  const { github, now, replyKey } = context;
  const opId = opIdOf(github.repository, comment, '');
  const first = acceptedRecord(comment, { opId, command: 'command', now: now() });
  const reply = await openReply(github, comment, first, replyKey);
  if (reply.record.decision !== 'accepted') return;
  await updateReply(context, { reply: reply.comment, record: reply.record, result });
}
