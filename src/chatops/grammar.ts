import { editDistance, suggest } from '../suggest.ts';
import {
  type Command,
  type CommandName,
  commandNames,
  isCommandName,
  type ParsedComment,
} from './command.ts';
import { firstLine, isPlainParagraph } from './first-line.ts';
import { type Change, fitForm, type Options, type Word } from './form.ts';
import { commandLine } from './spelling.ts';
import { type Kind, kinds, type Values } from './values.ts';
import { type OptionName, options, optionsOf, vocabulary } from './vocabulary.ts';
import { cut, type Item, invisible, isSpace, lowerCase, print } from './words.ts';

/** Characters of a command's line. */
const longestLine = 1_000;
/** Words of other bots that are near to one of ours. */
const foreign: readonly string[] = ['rebase', 'unhold'];

/** What a line was made of: a command, or what is wrong and the line with that mended, where it can be. */
type Reading = { command: Command } | { message: string; mended: string | null };

/**
 * What a comment asks for. Only its first line counts, and only as plain text: see first-line.ts. A verb that is none
 * of ours and not near to one belongs to somebody else: `none`.
 */
export function parseComment(body: string): ParsedComment {
  const line = firstLine(body);
  if (line === null) return { kind: 'none' };
  const verb = verbOf(line);
  if (!isCommandName(verb) && nearest(verb) === null) return { kind: 'none' };
  if (!isPlainParagraph(body)) return { kind: 'none' };
  const reading = read(line);
  if ('command' in reading) return { kind: 'command', command: reading.command, line };
  return { kind: 'mistake', message: reading.message, suggestion: suggestion(reading.mended) };
}

/** Mends a line again until it is a command; null when that does not help. */
function suggestion(line: string | null): string | null {
  let mended = line;
  for (let tries = 0; mended !== null && tries < 8; tries++) {
    const reading = read(mended);
    if ('command' in reading) return commandLine(reading.command);
    mended = reading.mended;
  }
  return null;
}

function verbOf(line: string): string {
  let end = 1;
  while (end < line.length && end < 40 && !isSpace(line[end]!)) end += 1;
  return lowerCase(line.slice(1, end));
}

/** Ours within two edits, or one for a short verb. */
function nearest(verb: string): CommandName | null {
  if (foreign.includes(verb) || !/^[\p{L}\p{N}\p{M}\p{Cf}._-]+$/u.test(verb)) return null;
  const ranked = commandNames
    .map((name) => ({ name, distance: editDistance(verb, name) }))
    .filter(({ name, distance }) => distance <= (name.length < 6 ? 1 : 2))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name ?? null;
}

function read(line: string): Reading {
  if (line.length > longestLine)
    return { message: `A command's line holds at most ${longestLine} characters.`, mended: null };
  if (invisible.test(line.replaceAll('\t', ' '))) {
    const visible = line.replace(new RegExp(invisible, 'gu'), '');
    return { message: 'The line holds characters that cannot be seen.', mended: visible };
  }
  const typed = verbOf(line);
  const rest = line.slice(1 + typed.length);
  if (!isCommandName(typed)) {
    const near = nearest(typed);
    return {
      message: `/${typed} is no command.`,
      mended: near === null ? null : `/${near}${rest}`,
    };
  }
  const pieces = cut(rest);
  if ('mistake' in pieces) return { message: pieces.mistake, mended: null };
  return readItems(typed, pieces.items);
}

function readItems(name: CommandName, items: readonly Item[]): Reading {
  const words: Word[] = [];
  const given: Options = new Map();
  const values: Values = {};
  const wrong = (message: string, change: Change | null): Reading => ({
    message,
    mended: change === null ? null : changed(name, items, change),
  });

  for (let at = 0; at < items.length; at++) {
    const item = items[at]!;
    if (item.kind === 'word') {
      words.push({ text: item.text, quoted: item.quoted, at });
      continue;
    }
    const option = optionsOf(name).find((one) => one === item.name);
    if (option === undefined) return wrong(...unknownOption(name, item, at));
    if (given.has(option)) return wrong(`--${option} stands there twice.`, null);
    const value = readOption(option, items, at);
    if ('message' in value) return wrong(value.message, value.change);
    given.set(option, { at, taken: value.taken });
    Object.assign(values, value.values);
    at += value.taken - 1;
  }

  const fit = fitForm(name, { words, given });
  if ('values' in fit) return { command: vocabulary[name].build({ ...values, ...fit.values }) };
  return wrong(fit.message, unquotedReason(items, given) ?? fit.change);
}

function changed(name: CommandName, items: readonly Item[], { at, remove, insert }: Change): string {
  return [`/${name}`, ...items.map(print).toSpliced(at, remove, ...insert)].join(' ');
}

function unknownOption(
  name: CommandName,
  item: Extract<Item, { kind: 'option' }>,
  at: number,
): [string, Change | null] {
  const known = optionsOf(name);
  const near = suggest(item.name, known);
  return [
    `--${item.name.slice(0, 40)} is no option of /${name}${known.length === 0 ? ', which has none' : ''}.`,
    // left out, another effect might be suggested than the one that was meant
    near === null ? null : { at, remove: 1, insert: [print({ ...item, name: near })] },
  ];
}

/** Several words after --reason were meant as one. */
function unquotedReason(items: readonly Item[], given: Options): Change | null {
  const at = given.get('reason')?.at;
  const option = at === undefined ? undefined : items[at];
  if (at === undefined || option?.kind !== 'option') return null;
  const following = items.slice(at + 1);
  const end = following.findIndex((item) => item.kind === 'option');
  const words = following.slice(0, end === -1 ? undefined : end).filter((item) => item.kind === 'word');
  if (words.length < (option.value === null ? 2 : 1)) return null;
  const value = [option.value, ...words.map((word) => word.text)].filter((text) => text !== null).join(' ');
  return { at, remove: 1 + words.length, insert: [print({ ...option, value })] };
}

/** `taken` counts the items that the option is written in: its value may be the next word. */
function readOption(
  name: OptionName,
  items: readonly Item[],
  at: number,
): { values: Values; taken: number } | { message: string; change: Change | null } {
  const item = items[at] as Extract<Item, { kind: 'option' }>;
  const option = options[name];
  if ('flag' in option) {
    if (item.value === null) return { values: { [option.flag]: true }, taken: 1 };
    const meant = /^(?:true|yes|1)$/i.test(item.value);
    const change = meant ? { at, remove: 1, insert: [`--${name}`] } : null;
    return { message: `--${name} takes no value.`, change };
  }
  const next = items[at + 1];
  const text = item.value ?? (next?.kind === 'word' ? next.text : null);
  const kind: Kind = kinds[option.kind];
  const taken = item.value === null && text !== null ? 2 : 1;
  const values = text === null ? null : kind.read(text);
  if (values !== null) return { values, taken };
  const mended = text === null ? (name === 'reason' ? 'why' : null) : (kind.mend?.(text) ?? null);
  return {
    message: `--${name} needs ${kind.expected}.`,
    change:
      mended === null
        ? null
        : { at, remove: taken, insert: [print({ kind: 'option', name, value: mended })] },
  };
}
