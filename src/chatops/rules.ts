import type { Command, CommandName } from './command.ts';
import type { ChatopsContext, ConfiguredModel } from './context.ts';
import type { ChatopsPolicy, Who } from './policy.ts';

/** What a thread is about. */
export interface Subject {
  model: string | null;
  environment: string | null;
}

export type Right =
  | 'promote'
  | 'approve'
  | 'rollback'
  | 'lock'
  | 'train'
  | 'retrain'
  | 'drift'
  | 'status'
  | 'cancel';

/** What a command asks of the person who gives it, in one environment or in none. */
export interface Rule {
  right: Right;
  environment: string | null;
  /** Whether it is the last environment of a model: the one that people use. */
  last: boolean;
  who: Who;
  /** Only these, whatever the role: approvers, and who may go past an undecided gate. Null: no such list. */
  only: readonly string[] | null;
  /** Author of the pull request and the one who promotes may not be the same. */
  separateAuthor: boolean;
  /** Whether a fork's commit is what it is about, and the policy takes none. */
  fork: 'refused' | null;
}

export const rightOf: Readonly<Record<CommandName, Right>> = {
  promote: 'promote',
  approve: 'approve',
  rollback: 'rollback',
  lock: 'lock',
  unlock: 'lock',
  hold: 'lock',
  release: 'lock',
  train: 'train',
  'ok-to-train': 'train',
  retrain: 'retrain',
  drift: 'drift',
  status: 'status',
  explain: 'status',
  help: 'status',
  cancel: 'cancel',
};

/** The rules that all must hold for a command to be carried out. */
export function rulesFor(
  context: Pick<ChatopsContext, 'policy' | 'models'>,
  { command, subject }: { command: Command; subject: Subject },
): Rule[] {
  const { policy } = context;
  const right = rightOf[command.name];
  const plain = { right, environment: null, last: false, only: null, separateAuthor: false, fork: null };
  switch (right) {
    case 'train': {
      const fork = command.name === 'ok-to-train' && !policy.allow_fork_training ? 'refused' : null;
      return [{ ...plain, who: policy.train, fork }];
    }
    case 'retrain':
    case 'drift':
    case 'status':
      return [{ ...plain, who: policy[right] }];
    case 'cancel':
      return [{ ...plain, who: { role: 'write' } }];
    default:
      return environmentRulesFor(context, { right, command, subject });
  }
}

type EnvironmentRight = 'promote' | 'approve' | 'rollback' | 'lock';

function environmentRulesFor(
  { policy, models }: Pick<ChatopsContext, 'policy' | 'models'>,
  { right, command, subject }: { right: EnvironmentRight; command: Command; subject: Subject },
): Rule[] {
  const named = 'model' in command ? (command.model ?? subject.model) : subject.model;
  const means = {
    named: 'environment' in command ? command.environment : null,
    // a promotion, or an approval, is not about the environment that a thread complains of
    thread: right === 'rollback' ? subject.environment : null,
  };
  const meant =
    named === null ? [...models.values()] : [models.get(named)].filter((one) => one !== undefined);
  const rules = meant.flatMap((model) =>
    environmentsMeant(model, means).map((name) =>
      environmentRule(policy, model, {
        right,
        name,
        override: command.name === 'promote' && command.override,
      }),
    ),
  );
  if (rules.length > 0) return rules;
  // what does not exist is refused by its handler; to hear so needs the role that most need
  return [
    {
      right,
      environment: null,
      last: false,
      who: { role: 'write' },
      only: null,
      separateAuthor: false,
      fork: null,
    },
  ];
}

/** Without a name: the thread's, or each that can be meant by default; never the last one where there are others. */
function environmentsMeant(
  { config }: ConfiguredModel,
  { named, thread }: { named: string | null; thread: string | null },
): string[] {
  const names = config.environments.map((one) => one.name);
  if (named !== null) return names.filter((name) => name === named);
  if (names.length === 1) return names;
  const others = names.slice(0, -1);
  return thread !== null && others.includes(thread) ? [thread] : others;
}

function environmentRule(
  policy: ChatopsPolicy,
  { config }: ConfiguredModel,
  { right, name, override }: { right: EnvironmentRight; name: string; override: boolean },
): Rule {
  const last = config.environments.at(-1)?.name === name;
  const configured = config.environments.find((one) => one.name === name);
  // names come from people: no look at what an object inherits
  const own = Object.hasOwn(policy.environments, name) ? policy.environments[name] : undefined;
  const byDefault: Who = { role: last ? 'maintain' : 'write' };
  const who = {
    promote: own?.promote,
    // who may bring a version there may approve it, and take it back
    approve: own?.promote,
    rollback: own?.rollback ?? own?.promote,
    lock: own?.lock,
  }[right];
  const only = right === 'approve' ? configured?.approvers : override ? (configured?.override ?? []) : null;
  return {
    right,
    environment: name,
    last,
    who: who ?? byDefault,
    only: only ?? null,
    separateAuthor: right === 'promote' && (own?.separate_author ?? false),
    fork: null,
  };
}
