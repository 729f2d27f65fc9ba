/** One line of a comment, cut into words and options. Nothing here knows a command. */

/** A word, or an option `--name`, `--name=value`. */
export type Item =
  | { kind: 'word'; text: string; quoted: boolean }
  | { kind: 'option'; name: string; value: string | null };

export type Cut = { items: Item[] } | { mistake: string };

// What keyboards and browsers put in place of what was typed: " in quotes of their own, -- as a dash, no-break spaces.
const doubleQuotes = '"\u201c\u201d\u201e\u201f';
const singleQuotes = "'\u2018\u2019\u201a\u201b";
const space = /[ \t\u00a0\u2002-\u200a\u202f\u205f\u3000]/;
const optionStart = /^(?:--|[\u2013\u2014])(?=[A-Za-z])/;

/** Controls, zero-width, bidirectional and unassigned characters: what is read would not be what is seen. */
export const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u;

export function isSpace(character: string): boolean {
  return space.test(character);
}

/** ASCII alone: the Kelvin sign is no k. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Cuts in one pass. A quote opens a value only where one begins, so that `don't` is a word. */
export function cut(line: string): Cut {
  const items: Item[] = [];
  let at = 0;

  const plainUntil = (stop: (character: string) => boolean): string => {
    const from = at;
    while (at < line.length && !isSpace(line[at]!) && !stop(line[at]!)) at += 1;
    return line.slice(from, at);
  };
  /** A value at this place, or what is wrong with it. */
  const value = (): { text: string; quoted: boolean } | { mistake: string } => {
    const quotes = quotesOf(line[at]);
    if (quotes === null) return { text: plainUntil(() => false), quoted: false };
    const from = at + 1;
    at = from;
    while (at < line.length && !quotes.includes(line[at]!)) at += 1;
    if (at === line.length) return { mistake: 'A quote is opened and never closed.' };
    const text = line.slice(from, at);
    at += 1;
    if (at < line.length && !isSpace(line[at]!))
      return { mistake: 'After a closing quote comes a space or the end of the line.' };
    return { text, quoted: true };
  };

  for (;;) {
    while (at < line.length && isSpace(line[at]!)) at += 1;
    if (at === line.length) return { items };
    const dashes = optionStart.exec(line.slice(at, at + 3));
    if (dashes === null) {
      const word = value();
      if ('mistake' in word) return word;
      items.push({ kind: 'word', ...word });
      continue;
    }
    at += dashes[0].length;
    const name = lowerCase(plainUntil((character) => character === '='));
    if (line[at] !== '=') {
      items.push({ kind: 'option', name, value: null });
      continue;
    }
    at += 1;
    const given = value();
    if ('mistake' in given) return given;
    items.push({ kind: 'option', name, value: given.text });
  }
}

function quotesOf(character: string | undefined): string | null {
  if (character === undefined) return null;
  return [doubleQuotes, singleQuotes].find((quotes) => quotes.includes(character)) ?? null;
}

/** The item as it would be typed: cutting it again gives the same. */
export function print(item: Item): string {
  if (item.kind === 'word') return item.quoted ? quote(item.text) : item.text;
  return item.value === null ? `--${item.name}` : `--${item.name}=${quoteWhereNeeded(item.value)}`;
}

function quoteWhereNeeded(text: string): string {
  const plain = text !== '' && ![...text].some(isSpace) && quotesOf(text[0]) === null;
  return plain ? text : quote(text);
}

function quote(text: string): string {
  const holds = (quotes: string) => [...quotes].some((one) => text.includes(one));
  if (!holds(doubleQuotes)) return `"${text}"`;
  if (!holds(singleQuotes)) return `'${text}'`;
  return `"${text.replace(new RegExp(`[${doubleQuotes}]`, 'g'), "'")}"`;
}
