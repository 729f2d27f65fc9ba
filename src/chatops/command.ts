/** What a person asked for in the first line of a comment, whatever the words were. Names are checked, not looked up. */
export type Command =
  | {
      name: 'promote';
      model: string | null;
      version: number | null;
      /** Null: the next one, where that leaves no doubt; never production. */
      environment: string | null;
      dryRun: boolean;
      /** Percent of traffic, 1 to 99. */
      canary: number | null;
      /** The first 12 digits of the package's digest. */
      confirm: string | null;
      /** Goes past an undecided gate; needs a reason and a permitted person. */
      override: boolean;
      reason: string | null;
    }
  | {
      name: 'rollback';
      model: string | null;
      environment: string | null;
      /** A version, or null for the last healthy one. */
      to: number | null;
      steps: number;
      dryRun: boolean;
      /** What it leaves may be promoted there again; needs a reason. */
      noFreeze: boolean;
      reason: string | null;
    }
  /** Another person's word that a version may go to an environment. */
  | { name: 'approve'; model: string | null; version: number | null; environment: string | null }
  /** Without a model the only one, or the one that the pull request touches. */
  | { name: 'train'; model: string | null }
  | { name: 'ok-to-train'; sha: string; model: string | null }
  | { name: 'retrain'; model: string | null }
  | { name: 'status'; model: string | null; environment: string | null }
  | {
      /** hold is a lock by its familiar word: nothing moves there until release. */
      name: 'lock' | 'hold';
      model: string | null;
      environment: string;
      reason: string;
      /** Milliseconds; null: the policy's default. */
      ttl: number | null;
    }
  | { name: 'unlock' | 'release'; model: string | null; environment: string; reason: string | null }
  /** Why the newest candidate, or this version, was judged as it was. */
  | { name: 'explain'; model: string | null; version: number | null }
  | { name: 'drift'; action: 'run' | 'ack'; model: string | null }
  | { name: 'drift'; action: 'snooze'; days: number; model: string | null }
  | { name: 'cancel' }
  | { name: 'help'; about: string | null };

export type CommandName = Command['name'];

const names: Record<CommandName, true> = {
  promote: true,
  rollback: true,
  approve: true,
  train: true,
  'ok-to-train': true,
  retrain: true,
  status: true,
  lock: true,
  unlock: true,
  hold: true,
  release: true,
  explain: true,
  drift: true,
  cancel: true,
  help: true,
};
export const commandNames = Object.keys(names) as CommandName[];

export function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(names, text);
}

/** What was made of a comment. */
export type ParsedComment =
  | { kind: 'none' }
  | { kind: 'command'; command: Command; line: string }
  /** It looks like one of ours and is none: what is wrong, and the line that was probably meant. */
  | { kind: 'mistake'; message: string; suggestion: string | null };
