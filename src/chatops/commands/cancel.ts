import { samePerson } from '../../registry/approvals.ts';
import type { ChatopsContext, CommandResult } from '../context.ts';
import { findRun } from '../operations.ts';
import { type Reply, repliesIn } from '../replies.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { done } from './refusal.ts';
import { isLater } from './seen.ts';

type Request = CommandRequest<CommandOf<'cancel'>>;
type Repository = Pick<ChatopsContext, 'github' | 'replyKey'>;

/**
 * Stops what commands of this thread have started: one's own, or anybody's by who maintains the repository. What the
 * log holds already has moved; a rollback takes it back.
 */
export async function cancel(request: Request): Promise<CommandResult> {
  const { context, comment } = request;
  const open = await openOperations(context, comment.number);
  const asked: string[] = [];
  const all = await maintains(request);
  for (const reply of open) {
    if (!all && !samePerson(reply.record?.requested_by ?? '', comment.author)) continue;
    // what was asked for later cannot have been meant
    if (isLater(reply.record?.created_at ?? null, comment)) continue;
    if (await stop(request, reply)) asked.push(reply.record?.command ?? '');
  }
  if (asked.length === 0) {
    return done('Nothing is running here that could be cancelled.', { reason: 'nothing_to_do' });
  }
  return done(
    `GitHub was asked to stop: ${asked.join(', ')}. A step that moves just then may still end; each reply says how it ended.`,
  );
}

/** Replies of this thread whose commands have started something and not told its end. */
export async function openOperations(context: Repository, number: number): Promise<Reply[]> {
  return (await repliesIn(context, number)).filter(
    ({ record }) => record?.decision === 'started' && record.operation !== null,
  );
}

/** Whose the running operations are, for who may stop them: the author's own where there are any. */
export async function ownerOfOpen(
  context: Repository,
  { number, author }: { number: number; author: string },
) {
  const owners = (await openOperations(context, number)).map(({ record }) => record?.requested_by ?? '');
  return owners.find((one) => samePerson(one, author)) ?? owners[0] ?? author;
}

async function stop({ context }: Request, { record }: Reply): Promise<boolean> {
  const operation = record?.operation;
  if (record === null || operation == null) return false;
  if (operation.model !== null) {
    const registry = context.models.get(operation.model)?.registry;
    const state = await registry?.state(operation.model);
    if (registry && state && (await registry.operation(state, operation.opId)) !== null) return false;
  }
  const { opId, workflow } = operation;
  const run =
    operation.run === null
      ? await findRun(context, { opId, workflow, since: record.created_at })
      : await context.github.run(operation.run.id);
  if (run === null || run.status === 'completed') return false;
  await context.github.cancelRun(run.id);
  return true;
}

async function maintains({ context, comment }: Request): Promise<boolean> {
  const { role } = await context.github.permission(comment.author);
  return role === 'maintain' || role === 'admin';
}
