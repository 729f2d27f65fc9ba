import { lock as lockEnvironment, unlock as unlockEnvironment } from '../../registry/locks.ts';
import { environmentOf } from '../../registry/state.ts';
import type { CommandResult } from '../context.ts';
import { milliseconds } from '../duration.ts';
import { actorOf, type CommandOf, type CommandRequest } from './handler.ts';
import { done, Refusal, refusalOf } from './refusal.ts';
import { isLater } from './seen.ts';
import { chooseModel, requireRules, subjectOf } from './target.ts';

/** Nothing moves there until the lock is taken away or its time is over; its owner may go on. */
export async function lock(request: CommandRequest<CommandOf<'lock' | 'hold'>>): Promise<CommandResult> {
  const { command, context, comment, opId } = request;
  const { name, model } = chooseModel(context, command.model, await subjectOf(context, comment));
  const { environments, name: environment } = requireRules(context, model, command.environment);
  const committed = await lockEnvironment(model.registry, {
    ...{ model: name, environment, environments, actor: actorOf(request), op_id: opId },
    reason: command.reason,
    ttl: command.ttl ?? milliseconds(context.policy.lock_ttl),
  });
  const until = committed.entry?.type === 'lock' ? committed.entry.until : null;
  const holds = until === null ? 'until it is unlocked' : `until ${until}`;
  const undo = command.name === 'hold' ? 'release' : 'unlock';
  return done(
    `${comment.author} holds ${name} in ${environment} ${holds}. To end it: \`/${undo} ${name} in ${environment}\``,
  );
}

/** One's own lock; another's only with a reason, by people who maintain the repository. */
export async function unlock(
  request: CommandRequest<CommandOf<'unlock' | 'release'>>,
): Promise<CommandResult> {
  const { command, context, comment, opId } = request;
  const { name, model } = chooseModel(context, command.model, await subjectOf(context, comment));
  const { environments, name: environment } = requireRules(context, model, command.environment);
  const actor = actorOf(request);
  const held = environmentOf(await model.registry.state(name), environment).lock;
  if (held !== null && isLater(held.since, comment)) {
    throw new Refusal(
      'locked',
      `${held.owner} took the lock of ${name} in ${environment} after your comment.`,
      'Look at `/status`, and give the command again if it is still meant.',
    );
  }
  const own = held === null || held.owner === actor.name;
  try {
    const committed = await unlockEnvironment(model.registry, {
      ...{ model: name, environment, environments, actor, op_id: opId, reason: command.reason },
      force: !own && command.reason !== null && (await maintains(request)),
    });
    if (committed.status === 'nothing') {
      return done(`Nobody holds ${name} in ${environment}.`, { reason: 'nothing_to_do' });
    }
    return done(`${name} in ${environment} is free again.`);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.reason !== 'not_permitted') throw error;
    throw new Refusal(
      'not_permitted',
      refusal.message,
      'Ask its owner; who maintains the repository takes it away with `--reason="…"`.',
    );
  }
}

async function maintains({ context, comment }: CommandRequest): Promise<boolean> {
  const { role } = await context.github.permission(comment.author);
  return role === 'maintain' || role === 'admin';
}
