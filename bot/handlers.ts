import type { ChatopsContext, CommandResult } from '../src/chatops/context.ts';
import { findDeployment } from '../src/chatops/deployments.ts';
import { onScheduledRun } from '../src/chatops/drift/failures.ts';
import { lookAfter } from '../src/chatops/drift/look-after.ts';
import { isMonitor, onMonitorRun } from '../src/chatops/drift/on-monitor-run.ts';
import { finishOperation } from '../src/chatops/finish.ts';
import { handleComment } from '../src/chatops/handle.ts';
import { answerProtectionRule } from '../src/chatops/protection.ts';
import { findReply } from '../src/chatops/replies.ts';
import { onMergeGroup } from '../src/chatops/reports/merge-group.ts';
import { onPullRequestChanged } from '../src/chatops/reports/pull-request-changed.ts';
import { onWorkflowRunCompleted } from '../src/chatops/reports/run-completed.ts';
import { GitHubUnavailable } from '../src/github/port.ts';
import type { BotEvent } from './events.ts';
import type { Inbox } from './inbox.ts';

export interface Handled {
  /** Of a command. */
  result: CommandResult | null;
  /** Whether what it started goes on. */
  open: boolean;
}

/** What a handler needs beside the repository. */
export interface HandlerContext {
  chatops: ChatopsContext;
  inbox: Pick<Inbox, 'operation' | 'closeOperation'>;
}

type Handler<Kind extends BotEvent['kind']> = (
  event: Extract<BotEvent, { kind: Kind }>,
  context: HandlerContext,
) => Promise<Handled>;

/** Who works on what; each may be called again for the same event, after a crash or for another copy of it. */
export type Handlers = { [Kind in BotEvent['kind']]: Handler<Kind> };

const over: Handled = { result: null, open: false };

export const handlers: Handlers = {
  async comment({ comment }, { chatops }) {
    const result = await handleComment(comment, chatops);
    return { result, open: result?.decision === 'started' };
  },
  async run(event, context) {
    const { chatops } = context;
    const run = await chatops.github.run(event.run);
    if (run === null || run.status !== 'completed') return over;
    await each([
      () => endOf(event.opId, context),
      () => onWorkflowRunCompleted({ id: run.id }, chatops),
      () => (isMonitor(run, chatops) ? onMonitorRun(run, chatops) : onScheduledRun(run, chatops)),
    ]);
    return over;
  },
  async pull({ number }, { chatops }) {
    await onPullRequestChanged({ number }, chatops);
    return over;
  },
  async merge_group({ headSha }, { chatops }) {
    await onMergeGroup({ headSha }, chatops);
    return over;
  },
  async protection({ run: runId, environment }, { chatops }) {
    await answerProtectionRule({ runId, environment }, chatops);
    return over;
  },
  async finish({ number, comment, opId }, context) {
    await finish({ number, comment, opId }, context);
    return over;
  },
  async watch(_, { chatops }) {
    await lookAfter(chatops);
    return over;
  },
};

/** All of them, though one fails; then the failure that may pass, if there is one, else the first. */
async function each(parts: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts) await part().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors.find((error) => error instanceof GitHubUnavailable) ?? errors[0];
}

/** What a run came to, for the command that started it. */
async function endOf(opId: string | null, context: HandlerContext): Promise<void> {
  const asked = await askedBy(opId, context);
  if (asked !== null && opId !== null) await finish({ ...asked, opId }, context);
}

/** Tells the end of an operation where it has one; whoever looks for ends forgets it then. */
async function finish(
  { number, comment, opId }: { number: number; comment: number; opId: string },
  { chatops, inbox }: HandlerContext,
): Promise<void> {
  const told = await finishOperation(chatops, { number, commentId: comment });
  if (told === null) {
    const reply = await findReply(chatops, { number, commentId: comment });
    if (reply?.record?.decision === 'started') return;
  }
  await inbox.closeOperation(opId);
}

/** The comment behind an operation: the inbox knows it, or its deployment, when another inbox took the command. */
async function askedBy(
  opId: string | null,
  { chatops, inbox }: HandlerContext,
): Promise<{ number: number; comment: number } | null> {
  if (opId === null) return null;
  const known = await inbox.operation(opId);
  if (known !== null) return { number: known.event.comment.number, comment: known.event.comment.id };
  const names = [...chatops.models.values()].flatMap(({ config }) =>
    config.environments.map(({ name }) => name),
  );
  for (const environment of new Set(names)) {
    const found = await findDeployment(chatops, { opId, environment });
    if (found !== null) return { number: found.payload.number, comment: found.payload.comment };
  }
  return null;
}
