import { suggest } from '../suggest.ts';
import type { CommandName } from './command.ts';
import { optionUsage, usage } from './spelling.ts';
import { type Kind, kinds, type Values } from './values.ts';
import { type Form, type Keyword, keywords, type OptionName, type Part, vocabulary } from './vocabulary.ts';
import { lowerCase } from './words.ts';

/** A word and the place of its item in the line. */
export interface Word {
  text: string;
  quoted: boolean;
  at: number;
}
/** The options that were given: the place of each, and in how many items it is written. */
export type Options = Map<OptionName, { at: number; taken: number }>;

/** A change of the line's items that mends it. */
export interface Change {
  at: number;
  remove: number;
  insert: readonly string[];
}
export type Fit = { values: Values } | { message: string; change: Change | null };

interface Miss {
  message: string;
  change: Change | null;
  /** How far this form went: the one that went farthest was probably meant. */
  progress: number;
}

/** Words that people use for `to` and `in`. */
const prepositions: readonly string[] = [
  'to',
  'in',
  'into',
  'on',
  'for',
  'at',
  'onto',
  'from',
  '->',
  '=>',
  '→',
];
const afterWords = 1_000;

/** Finds the form of a command that its words and options have. */
export function fitForm(name: CommandName, line: { words: readonly Word[]; given: Options }): Fit {
  let best: Miss | null = null;
  for (const form of vocabulary[name].forms) {
    const fit = fitOne(name, form, line);
    if ('values' in fit) return fit;
    if (best === null || fit.progress > best.progress) best = fit;
    else if (fit.progress === best.progress && best.change === null && fit.change !== null) best = fit;
  }
  return best!;
}

function fitOne(
  name: CommandName,
  form: Form,
  line: { words: readonly Word[]; given: Options },
): { values: Values } | Miss {
  const words = inOrder(form, line.words);
  const given = line.given;
  const values: Values = {};
  let next = 0;
  for (const part of form.words) {
    const step = fitPart(part, words, next);
    if ('message' in step) return { ...step, progress: next };
    Object.assign(values, step.values);
    next += step.taken;
  }
  const left = words[next];
  if (left !== undefined) return { ...tooMuch(name, form, left, values), progress: next };

  for (const [option, { at, taken }] of given) {
    if (form.options.some((one) => one.name === option)) continue;
    return {
      message: `--${option} does not go with the rest: ${usage(name, form)}`,
      change: { at, remove: taken, insert: [] },
      progress: afterWords,
    };
  }
  const missing = form.options.find((option) => option.needed && !given.has(option.name));
  if (missing === undefined) return { values };
  const insert = missing.name === 'reason' ? ['--reason="why"'] : null;
  return {
    message: `/${name} needs ${optionUsage(missing.name)}.`,
    change: insert && { at: Number.MAX_SAFE_INTEGER, remove: 0, insert },
    progress: afterWords + 1,
  };
}

/** What a keyword announces may change places: `to 3 in production` is `in production to 3`. */
function inOrder(form: Form, words: readonly Word[]): Word[] {
  const groups: Word[][] = [[]];
  for (const word of words) {
    if (isKeyword(word)) groups.push([]);
    groups.at(-1)!.push(word);
  }
  const [head = [], ...announced] = groups;
  const place = ([word]: Word[]) =>
    form.words.findIndex(
      (part) => !('fixed' in part) && part.keyword !== null && isKeyword(word, part.keyword),
    );
  return [...head, ...announced.sort((a, b) => place(a) - place(b)).flat()];
}

function fitPart(
  part: Part,
  words: readonly Word[],
  next: number,
): { values: Values; taken: number } | { message: string; change: Change | null } {
  const word = words[next];
  if ('fixed' in part) {
    if (word !== undefined && plain(word) === part.fixed) return { values: { action: part.fixed }, taken: 1 };
    const near = word !== undefined && suggest(word.text, [part.fixed]) !== null;
    return {
      message: 'After /drift comes run, ack or snooze.',
      change: near ? { at: word.at, remove: 1, insert: [part.fixed] } : null,
    };
  }
  const kind: Kind = kinds[part.kind];
  const announced = part.keyword === null ? 0 : 1;
  const there =
    part.keyword === null ? word !== undefined && !isKeyword(word) : isKeyword(word, part.keyword);
  if (!there) {
    if (part.optional) return { values: {}, taken: 0 };
    return { message: `Here is missing ${kind.expected}.`, change: null };
  }
  const value = words[next + announced];
  if (value === undefined) return { message: `After ${part.keyword} comes ${kind.expected}.`, change: null };
  const read = isKeyword(value) ? null : kind.read(value.text);
  if (read !== null) return { values: read, taken: 1 + announced };
  const mended = kind.mend?.(value.text) ?? null;
  return {
    message: `"${value.text.slice(0, 60)}" is not ${kind.expected}.`,
    change: mended === null ? null : { at: value.at, remove: 1, insert: [mended] },
  };
}

/** A word that the form has no place for: a wrong or a missing keyword where one helps, else simply too much. */
function tooMuch(
  name: CommandName,
  form: Form,
  left: Word,
  found: Values,
): { message: string; change: Change | null } {
  const message = `"${left.text.slice(0, 60)}" is too much: ${usage(name, form)}`;
  const open = form.words.find(
    (part) => !('fixed' in part) && part.keyword !== null && kinds[part.kind].print(found) === null,
  );
  if (open === undefined || 'fixed' in open || open.keyword === null) return { message, change: null };
  // said twice, it is not clear which of the two is meant
  const again = form.words.some(
    (part) => !('fixed' in part) && part.keyword !== null && isKeyword(left, part.keyword),
  );
  if (again) return { message, change: null };
  const wrongKeyword = prepositions.includes(plain(left) ?? '');
  return {
    message,
    change: { at: left.at, remove: 1, insert: wrongKeyword ? [open.keyword] : [open.keyword, left.text] },
  };
}

function plain(word: Word): string | null {
  return word.quoted ? null : lowerCase(word.text);
}

function isKeyword(word: Word | undefined, wanted: Keyword | null = null): boolean {
  if (word === undefined) return false;
  const text = plain(word);
  return wanted === null ? keywords.some((one) => one === text) : text === wanted;
}
