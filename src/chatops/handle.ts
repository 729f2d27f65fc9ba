import { GitHubUnavailable } from '../github/port.ts';
import type { Command } from './command.ts';
import { ownerOfOpen } from './commands/cancel.ts';
import { carryOut } from './commands/index.ts';
import { Refusal, refusalOf, refused } from './commands/refusal.ts';
import { requireYoung } from './commands/seen.ts';
import { subjectOf } from './commands/target.ts';
import type { ChatopsContext, CommandResult, IncomingComment } from './context.ts';
import { showDeployment } from './deployments.ts';
import { entryOf, finishOperation } from './finish.ts';
import { parseComment } from './grammar.ts';
import { findRun, opIdOf, withRun } from './operations.ts';
import { authorise } from './permission.ts';
import { acceptedRecord, openReply, react, updateReply } from './reply-life.ts';
import type { ReplyRecord } from './reply-record.ts';

/** GitHub lists a run so long after its dispatch at the latest. */
const settling = 10;

/**
 * Carries out the command that a new comment may hold, once: handled again, after a crash or by another delivery, it
 * finds its reply and goes on from there. Null: the comment holds no command of ours. Throws GitHubUnavailable and
 * faults of ours, for whoever runs the jobs to try again; everything else is told in the reply.
 */
export async function handleComment(
  comment: IncomingComment,
  context: ChatopsContext,
): Promise<CommandResult | null> {
  if (comment.authorType !== 'User') return null;
  const parsed = parseComment(comment.body);
  if (parsed.kind === 'none') return null;
  await react(context, comment.id, 'eyes');
  const [line, name] = parsed.kind === 'command' ? [parsed.line, parsed.command.name] : ['', 'mistake'];
  const { github } = context;
  const opId = opIdOf(github.repository, comment, line);
  const opened = await openReply(
    github,
    comment,
    acceptedRecord(comment, { opId, command: name, now: context.now() }),
    context.replyKey,
  );
  const reply = opened.comment;
  let record = opened.record;
  if (record.op_id !== opId) {
    // the comment was edited after it was handled: what it said then is what counts
    context.logger.warn(`comment ${comment.id} was edited after it was handled`);
    return resultOf(record);
  }
  if (isOver(record)) return resultOf(record);
  const resumed = await resume(record, { comment, context });
  if (resumed !== null) {
    // its end was told meanwhile, or what it started is found
    if (resumed.decision === 'started') await updateReply(context, { reply, record, result: resumed });
    return resumed;
  }
  const heard = new Date(record.decision === 'started' ? comment.createdAt : record.at);
  const run = async (): Promise<CommandResult> => {
    if (parsed.kind === 'mistake') {
      const suggestion = parsed.suggestion === null ? null : `Did you mean: \`${parsed.suggestion}\``;
      throw new Refusal('usage', parsed.message, suggestion);
    }
    const { command } = parsed;
    const { now, policy } = context;
    requireYoung(command.name, comment, { now: now(), heard, policy });
    await requirePermit(command, { comment, context });
    return carryOut({
      ...{ command, comment, context, opId },
      record: async (operation, checks) => {
        const summary = 'About to start.';
        const about = { decision: 'started', reason: 'started', summary } as const;
        const result = { ...about, checks, operation, details: null };
        record = await updateReply(context, { reply, record, result });
      },
    });
  };
  const result = await told(run);
  log(context, { comment, name, result });
  await updateReply(context, { reply, record, result });
  if (result.decision === 'started' && result.operation !== null) {
    const shown = { operation: result.operation, state: 'in_progress', description: result.summary } as const;
    await showDeployment(context, shown);
  }
  return result;
}

/** Who may approve, unlock or train what is decided where that is known; the rest here, by role, team and environment. */
async function requirePermit(
  command: Command,
  { comment, context }: { comment: IncomingComment; context: ChatopsContext },
): Promise<void> {
  const { github } = context;
  const { number, author, isPullRequest } = comment;
  const asksAuthor = command.name === 'promote' && isPullRequest;
  const permit = await authorise(context, {
    ...{ command, comment, subject: await subjectOf(context, comment) },
    pullAuthor: asksAuthor ? ((await github.pullRequest(number))?.author ?? null) : null,
    owner: command.name === 'cancel' ? await ownerOfOpen(context, { number, author }) : null,
  });
  if (!permit.allowed) throw new Refusal(permit.reason, permit.message, permit.fix);
}

/** A refusal is a result; what may pass is for later; the rest is a fault of ours, told without its text. */
async function told(run: () => Promise<CommandResult>): Promise<CommandResult> {
  try {
    return await run();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return refused(refusal);
  }
}

const isOver = ({ decision }: ReplyRecord): boolean => decision !== 'accepted' && decision !== 'started';

/** What the reply says of a command that was handled before. */
function resultOf(record: ReplyRecord): CommandResult | null {
  const { decision, reason, summary, checks, operation } = record;
  if (decision === 'accepted' || reason === null) return null;
  return { decision, reason, summary, checks, operation, details: null };
}

/**
 * What an earlier try has started: its end, its run, or null where nothing was. Throws GitHubUnavailable while a run
 * that was just started may not be listed yet.
 */
async function resume(
  record: ReplyRecord,
  { comment, context }: { comment: IncomingComment; context: ChatopsContext },
): Promise<CommandResult | null> {
  const { operation } = record;
  if (record.decision !== 'started' || operation === null) return null;
  const ended = await finishOperation(context, { number: comment.number, commentId: comment.id });
  if (ended !== null) return ended;
  if (operation.run !== null) return resultOf(record);
  const { opId, workflow } = operation;
  const found = await findRun(context, { opId, workflow, since: comment.createdAt });
  if (found !== null) {
    const summary = 'It was started.';
    const result = { decision: 'started', reason: 'started', summary } as const;
    return { ...result, checks: record.checks, operation: withRun(operation, found), details: null };
  }
  if ((await entryOf(context, operation)) !== null) return resultOf(record);
  const since = (context.now().getTime() - Date.parse(record.at)) / 1000;
  if (since >= settling) return null;
  throw new GitHubUnavailable('A run that was just started may not be listed yet.', {
    retryAfterSeconds: Math.ceil(settling - since),
    ambiguous: false,
  });
}

/** Refused commands are logged too: who, what, why; never the text of the comment. */
function log(
  { logger }: ChatopsContext,
  { comment, name, result }: { comment: IncomingComment; name: string; result: CommandResult },
): void {
  const { decision, reason } = result;
  logger.info(
    JSON.stringify({
      ...{ event: 'command', command: name, decision, reason },
      ...{ by: comment.author, number: comment.number, comment: comment.id },
    }),
  );
}
