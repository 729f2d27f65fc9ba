import { Name } from '../names.ts';
import { suggest } from '../suggest.ts';
import { type CommandName, commandNames, isCommandName } from './command.ts';
import { lowerCase } from './words.ts';

/** What the words and options of a line are read into, before a command is made of them. */
export interface Values {
  model?: string;
  version?: number;
  environment?: string;
  to?: number;
  sha?: string;
  days?: number;
  about?: CommandName;
  action?: 'run' | 'ack' | 'snooze';
  dryRun?: true;
  override?: true;
  noFreeze?: true;
  canary?: number;
  confirm?: string;
  reason?: string;
  steps?: number;
  ttl?: number;
}

/** How one kind of value is written, read, printed and documented. */
export interface Kind {
  /** As usage texts call it. */
  placeholder: string;
  /** As a mistake says what was expected. */
  expected: string;
  /** As the published grammar writes it: the right side of a rule of W3C's EBNF; {n} means n times. */
  syntax: string;
  /** What it writes into the values, or null when the text is not of this kind. */
  read(text: string): Values | null;
  /** The text that was probably meant. */
  mend?(text: string): string | null;
  /** The text for what stands in the values, or null when nothing does. */
  print(values: Values): string | null;
}

/** A comment holds no longer reason than a log entry should. */
const longestReason = 500;
const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longestLock = 90 * units.d;

const number = (
  key: 'to' | 'canary' | 'steps' | 'days',
  {
    limit,
    mend,
    ...words
  }: Pick<Kind, 'placeholder' | 'expected' | 'syntax'> & { limit: number; mend: RegExp },
): Kind => ({
  ...words,
  read: (text) => {
    const read = positive(text, limit);
    return read === null ? null : { [key]: read };
  },
  mend: (text) => mend.exec(text)?.[1] ?? null,
  print: (values) => values[key]?.toString() ?? null,
});

const name = (key: 'model' | 'environment'): Kind => ({
  placeholder: key,
  syntax: 'name',
  expected: `the name of ${key === 'model' ? 'a model' : 'an environment'}: a-z 0-9 . _ -`,
  read: (text) => {
    const read = Name.safeParse(lowerCase(text));
    return read.success ? { [key]: read.data } : null;
  },
  mend: unwrapped,
  print: (values) => values[key] ?? null,
});

/** What the rules of several kinds are made of. */
export const terminals = {
  name: '[a-z0-9] ("."? [a-z0-9_-])* "."?',
  number: '[1-9] [0-9]*',
  hex: '[0-9a-f]',
  S: '" "+',
} as const;

export const kinds = {
  model: name('model'),
  environment: name('environment'),
  target: {
    placeholder: 'model[@version]',
    expected: 'a model, or one of its versions such as model@3',
    syntax: 'model ("@" version)?',
    read: (text) => {
      const [model = '', version, ...more] = text.split('@');
      const read = Name.safeParse(lowerCase(model));
      if (!read.success || more.length > 0) return null;
      if (version === undefined) return { model: read.data };
      const counted = positive(version, 999_999_999);
      return counted === null ? null : { model: read.data, version: counted };
    },
    mend: (text) => {
      const plain = unwrapped(text) ?? text;
      const mended = plain.replace(/@(?:v|version)?([1-9]\d{0,8})$/i, '@$1');
      return mended === text ? null : mended;
    },
    print: ({ model, version }) =>
      model === undefined ? null : version === undefined ? model : `${model}@${version}`,
  },
  to: number('to', {
    placeholder: 'version',
    expected: "a version's number such as 3",
    syntax: 'number',
    limit: 999_999_999,
    mend: /^(?:[^@\s]+@)?(?:v|version)?([1-9]\d{0,8})$/i,
  }),
  days: number('days', {
    placeholder: 'days',
    expected: 'a number of days, 1 to 90',
    syntax: '([1-9] | [1-8] [0-9] | "90")',
    limit: 90,
    mend: /^([1-9]\d?)(?:d|days?)$/i,
  }),
  canary: number('canary', {
    placeholder: 'percent',
    expected: 'a percentage of traffic, 1 to 99',
    syntax: '[1-9] [0-9]?',
    limit: 99,
    mend: /^([1-9]\d?)%$/,
  }),
  steps: number('steps', {
    placeholder: 'n',
    expected: 'a number of versions to go back, 1 to 99',
    syntax: '[1-9] [0-9]?',
    limit: 99,
    mend: /^-([1-9]\d?)$/,
  }),
  sha: {
    placeholder: 'sha',
    expected: 'the whole commit that was looked at, 40 hexadecimal digits',
    syntax: 'hex{40}',
    read: (text) => (/^[0-9a-f]{40}$/i.test(text) ? { sha: lowerCase(text) } : null),
    mend: unwrapped,
    print: ({ sha }) => sha ?? null,
  },
  confirm: {
    placeholder: 'digest',
    expected: "the first 12 digits of the package's digest",
    syntax: 'hex{12}',
    read: (text) => (/^[0-9a-f]{12}$/i.test(text) ? { confirm: lowerCase(text) } : null),
    mend: (text) => /^(?:sha256:)?([0-9a-f]{12})(?:[0-9a-f]{52})?$/i.exec(text)?.[1] ?? unwrapped(text),
    print: ({ confirm }) => confirm ?? null,
  },
  reason: {
    placeholder: '"why"',
    expected: `a reason of at most ${longestReason} characters`,
    syntax: `'"' [^"\\s] [^"]* '"' | "'" [^'\\s] [^']* "'" | [^"'\\s-] [^\\s]*`,
    read: (text) => {
      const reason = text.trim();
      return reason === '' || reason.length > longestReason ? null : { reason };
    },
    print: ({ reason }) => reason ?? null,
  },
  ttl: {
    placeholder: 'time',
    expected: 'a length of time such as 30m, 4h or 2d, at most 90d',
    syntax: '[1-9] [0-9]? [0-9]? [mh] | days "d"',
    read: (text) => {
      const match = /^([1-9]\d{0,6})([mhd])$/.exec(lowerCase(text));
      const ttl = match === null ? 0 : Number(match[1]) * units[match[2] as keyof typeof units];
      return ttl === 0 || ttl > longestLock ? null : { ttl };
    },
    print: ({ ttl }) => {
      if (ttl === undefined) return null;
      const unit = (['d', 'h', 'm'] as const).find((one) => ttl % units[one] === 0) ?? 'm';
      return `${Math.ceil(ttl / units[unit])}${unit}`;
    },
  },
  about: {
    placeholder: 'command',
    expected: 'the name of a command',
    syntax: commandNames.map((one) => `"${one}"`).join(' | '),
    read: (text) => {
      const about = lowerCase(text.replace(/^\//, ''));
      return isCommandName(about) ? { about } : null;
    },
    mend: (text) => suggest(text.replace(/^\//, ''), commandNames),
    print: ({ about }) => about ?? null,
  },
} satisfies Record<string, Kind>;
export type KindName = keyof typeof kinds;

/** A whole number from 1 to `limit`, in plain digits; null for anything else. */
function positive(text: string, limit: number): number | null {
  return /^[1-9]\d{0,8}$/.test(text) && Number(text) <= limit ? Number(text) : null;
}

/** Without the back-ticks, brackets or full stop that people put around a name. */
function unwrapped(text: string): string | null {
  const inner = /^[`*<[(]*([A-Za-z0-9][A-Za-z0-9._@-]*?)[`*>\]).,;:!?]*$/.exec(text)?.[1];
  return inner === undefined || inner === text ? null : inner;
}
