import type { EnvironmentState } from '../../registry/state.ts';
import type { CommandName } from '../command.ts';
import type { ChatopsContext, IncomingComment } from '../context.ts';
import { milliseconds } from '../duration.ts';
import { Refusal } from './refusal.ts';

type Written = Pick<IncomingComment, 'createdAt'>;

/** Commands that say something of what is there now: said long ago, they may mean something else by now. */
const ageing: readonly CommandName[] = [
  'promote',
  'rollback',
  'unlock',
  'release',
  'train',
  'ok-to-train',
  'retrain',
  'cancel',
];
/** Milliseconds. What was heard in time is finished however long GitHub was away, up to this age. */
const patience = 3 * 86_400_000;

/**
 * Refuses a command whose comment was too old when it was first heard: a late delivery, or a run of chatops.yml that
 * somebody started again. `heard`: when the first try put it on record.
 */
export function requireYoung(
  name: CommandName,
  comment: Written,
  { now, heard, policy }: { now: Date; heard: Date; policy: Pick<ChatopsContext['policy'], 'command_age'> },
): void {
  if (!ageing.includes(name)) return;
  const written = Date.parse(comment.createdAt);
  const late = heard.getTime() - written > milliseconds(policy.command_age);
  if (!late && now.getTime() - written <= patience) return;
  throw new Refusal(
    'too_old',
    `The comment is of ${minute(comment.createdAt)}; commands like this one count for ${policy.command_age}.`,
    'Look at `/status`, and give it again if it is still meant.',
  );
}

/**
 * Whether something came after a comment, so that its author cannot have seen it. GitHub gives comments by the
 * second: what is of the same second counts as seen.
 */
export function isLater(moment: string | null, { createdAt }: Written): boolean {
  return moment !== null && second(moment) > second(createdAt);
}

/** Refuses `champion_moved` where the environment has moved since the comment: it was about what served before. */
export function requireUnmoved(target: Readonly<EnvironmentState>, comment: Written): void {
  if (!isLater(target.since, comment)) return;
  throw new Refusal(
    'champion_moved',
    `${target.name} has moved since your comment: version ${target.version} serves there since ${minute(target.since ?? '')}.`,
    'Look at `/status`, and give the command again if it is still meant.',
  );
}

const second = (moment: string): number => Math.floor(Date.parse(moment) / 1000);

const minute = (moment: string): string =>
  `${new Date(moment).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
