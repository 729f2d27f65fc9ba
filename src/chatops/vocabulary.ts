import type { Command, CommandName } from './command.ts';
import type { KindName, Values } from './values.ts';

/** One word of a form: a fixed one, or a value, which a keyword may announce. */
export type Part =
  | { fixed: NonNullable<Values['action']> }
  | { kind: KindName; keyword: Keyword | null; optional: boolean };

/** Never a name unless quoted. */
export const keywords = ['to', 'in'] as const;
export type Keyword = (typeof keywords)[number];

export interface Option {
  name: OptionName;
  needed: boolean;
}

/** One way to write a command. Options may stand anywhere after the verb, in any order, each once. */
export interface Form {
  words: readonly Part[];
  options: readonly Option[];
}

export interface Entry<N extends CommandName = CommandName> {
  does: string;
  /** Where it makes sense: on a pull request, on a drift issue. */
  places: readonly Place[];
  forms: readonly Form[];
  examples: readonly string[];
  build(values: Values): Extract<Command, { name: N }>;
}
export type Place = 'pull_request' | 'issue';

/** Options, and what stands in the values for one that takes no value. */
export const options = {
  'dry-run': { flag: 'dryRun', means: 'Says what would be done and does nothing.' },
  override: {
    flag: 'override',
    means: 'Goes past an undecided gate; for the people that the environment names.',
  },
  'no-freeze': {
    flag: 'noFreeze',
    means: 'Lets the version that is left be promoted there again, where it is not at fault.',
  },
  canary: { kind: 'canary', means: 'Gives the version this percentage of the traffic first.' },
  confirm: { kind: 'confirm', means: 'Names the package by the first 12 digits of its digest.' },
  reason: { kind: 'reason', means: 'Goes into the log.' },
  steps: { kind: 'steps', means: 'How many healthy versions to go back. Left out: 1.' },
  ttl: { kind: 'ttl', means: 'How long it holds, in minutes, hours or days.' },
} as const satisfies Record<
  string,
  ({ kind: KindName } | { flag: 'dryRun' | 'override' | 'noFreeze' }) & { means: string }
>;
export type OptionName = keyof typeof options;

const everywhere = ['pull_request', 'issue'] as const;
const may = (kind: KindName, keyword: Keyword | null = null): Part => ({ kind, keyword, optional: true });
const must = (kind: KindName, keyword: Keyword | null = null): Part => ({ kind, keyword, optional: false });
const given = (...names: OptionName[]): Option[] => names.map((name) => ({ name, needed: false }));
const needed = (...names: OptionName[]): Option[] => names.map((name) => ({ name, needed: true }));

const oneEnvironment = (...taken: Option[]): Form[] => [
  { words: [must('environment')], options: taken },
  { words: [may('model'), must('environment', 'in')], options: taken },
];
const promoteWords = [may('target'), may('environment', 'to')];
const rollbackWords = [may('model'), may('environment', 'in')];

const lock = <N extends 'lock' | 'hold'>(name: N, does: string): Entry<N> => ({
  does,
  places: everywhere,
  forms: oneEnvironment(...needed('reason'), ...given('ttl')),
  examples: [`/${name} production --reason="release week" --ttl=2d`],
  build: ({ model = null, environment = '', reason = '', ttl = null }) =>
    ({ name, model, environment, reason, ttl }) as Extract<Command, { name: N }>,
});
const unlock = <N extends 'unlock' | 'release'>(name: N, does: string): Entry<N> => ({
  does,
  places: everywhere,
  forms: oneEnvironment(...given('reason')),
  examples: [`/${name} production`],
  build: ({ model = null, environment = '', reason = null }) =>
    ({ name, model, environment, reason }) as Extract<Command, { name: N }>,
});

/** The commands: this one table parses, prints, explains and documents them. */
export const vocabulary: { readonly [N in CommandName]: Entry<N> } = {
  promote: {
    does: 'Moves a version to an environment. Without words: the candidate of this pull request to the next environment; the last one is always named.',
    places: everywhere,
    forms: [
      { words: promoteWords, options: given('dry-run', 'canary', 'confirm', 'reason') },
      {
        words: promoteWords,
        options: [...needed('override', 'reason'), ...given('dry-run', 'canary', 'confirm')],
      },
    ],
    examples: ['/promote to staging', '/promote flights@4 to production --confirm=0123456789ab'],
    build: ({ model = null, version = null, environment = null, ...rest }) => ({
      name: 'promote',
      model,
      version,
      environment,
      dryRun: rest.dryRun ?? false,
      canary: rest.canary ?? null,
      confirm: rest.confirm ?? null,
      override: rest.override ?? false,
      reason: rest.reason ?? null,
    }),
  },
  rollback: {
    does: 'Puts the last healthy version back, or the one that is named.',
    places: everywhere,
    forms: [
      { words: [...rollbackWords, may('to', 'to')], options: given('dry-run', 'reason') },
      { words: rollbackWords, options: [...needed('steps'), ...given('dry-run', 'reason')] },
      {
        words: [...rollbackWords, may('to', 'to')],
        options: [...needed('no-freeze', 'reason'), ...given('dry-run')],
      },
      { words: rollbackWords, options: [...needed('steps', 'no-freeze', 'reason'), ...given('dry-run')] },
    ],
    examples: [
      '/rollback in production',
      '/rollback flights in production to 3 --reason="AUC fell"',
      '/rollback in production --no-freeze --reason="the feed was late"',
    ],
    build: ({ model = null, environment = null, to = null, steps = 1, ...rest }) => ({
      name: 'rollback',
      model,
      environment,
      to,
      steps,
      dryRun: rest.dryRun ?? false,
      noFreeze: rest.noFreeze ?? false,
      reason: rest.reason ?? null,
    }),
  },
  approve: {
    does: 'Approves what another person asked to promote.',
    places: everywhere,
    forms: [{ words: promoteWords, options: [] }],
    examples: ['/approve to production', '/approve flights@4 to production'],
    build: ({ model = null, version = null, environment = null }) => ({
      name: 'approve',
      model,
      version,
      environment,
    }),
  },
  train: {
    does: 'Trains the head of this pull request in full, then evaluates and gates it. Of several models the one that it touches, where that is one.',
    places: ['pull_request'],
    forms: [{ words: [may('model')], options: [] }],
    examples: ['/train', '/train flights'],
    build: ({ model = null }) => ({ name: 'train', model }),
  },
  'ok-to-train': {
    does: "Says that this commit of a fork was read and may run on the team's machines, where the policy allows it at all.",
    places: ['pull_request'],
    forms: [{ words: [must('sha'), may('model')], options: [] }],
    examples: ['/ok-to-train 0123456789abcdef0123456789abcdef01234567'],
    build: ({ sha = '', model = null }) => ({ name: 'ok-to-train', sha, model }),
  },
  retrain: {
    does: 'Trains the model of the default branch again, on the newest data; its candidate goes through the same gate.',
    places: everywhere,
    forms: [{ words: [may('model')], options: [] }],
    examples: ['/retrain', '/retrain flights'],
    build: ({ model = null }) => ({ name: 'retrain', model }),
  },
  status: {
    does: 'Says what runs where, since when, its numbers, locks and drift.',
    places: everywhere,
    forms: [{ words: [may('model'), may('environment', 'in')], options: [] }],
    examples: ['/status', '/status flights in production'],
    build: ({ model = null, environment = null }) => ({ name: 'status', model, environment }),
  },
  lock: lock('lock', 'Nothing moves there until the lock is taken away or its time is over.'),
  unlock: unlock('unlock', "Takes a lock away; another person's needs a reason."),
  hold: lock('hold', 'The same as lock.'),
  release: unlock('release', 'The same as unlock.'),
  explain: {
    does: 'Says why the newest candidate, or this version, was judged as it was.',
    places: everywhere,
    forms: [{ words: [may('target')], options: [] }],
    examples: ['/explain', '/explain flights@4'],
    build: ({ model = null, version = null }) => ({ name: 'explain', model, version }),
  },
  drift: {
    does: 'Runs the drift check now, says that an alarm was seen, or lets it rest for some days.',
    places: everywhere,
    forms: [
      { words: [{ fixed: 'run' }, may('model')], options: [] },
      { words: [{ fixed: 'ack' }, may('model')], options: [] },
      { words: [{ fixed: 'snooze' }, must('days'), may('model')], options: [] },
    ],
    examples: ['/drift run', '/drift ack', '/drift snooze 7'],
    build: ({ action = 'run', days = 1, model = null }) =>
      action === 'snooze' ? { name: 'drift', action, days, model } : { name: 'drift', action, model },
  },
  cancel: {
    does: 'Stops what a command of this pull request has queued or started, unless it is already moving.',
    places: everywhere,
    forms: [{ words: [], options: [] }],
    examples: ['/cancel'],
    build: () => ({ name: 'cancel' }),
  },
  help: {
    does: 'Lists what you may run here, or explains one command.',
    places: everywhere,
    forms: [{ words: [may('about')], options: [] }],
    examples: ['/help', '/help promote'],
    build: ({ about = null }) => ({ name: 'help', about }),
  },
};

/** Names of the options that some form of the command takes. */
export function optionsOf(name: CommandName): OptionName[] {
  return [...new Set(vocabulary[name].forms.flatMap((form) => form.options.map((option) => option.name)))];
}
