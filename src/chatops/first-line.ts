import { isSpace } from './words.ts';

/** A longer comment is none of ours: GitHub takes no more from a person. */
export const longestComment = 65_536;

/**
 * The first line of a comment where it can be a command: it begins with `/`, indented by at most three spaces, so that
 * Markdown begins a paragraph there and no quote, code, heading, link, HTML or list. Null for every other comment.
 * Time grows with the comment's length alone.
 */
export function firstLine(body: string): string | null {
  if (body.length > longestComment) return null;
  const start = firstCharacter(body);
  if (start === null) return null;
  return withoutTrailingSpace(/^[^\r\n]*/.exec(body.slice(start))![0]);
}

/**
 * Whether nothing that follows makes another thing of the first line: a line of `=` or `-` under the paragraph makes
 * it a heading, a row of rules right below makes it a table's. Both are told with a wider measure than Markdown's, and
 * up to the first blank line, whatever stands between: a comment that is left out can be written again. What else
 * Markdown knows inside of a line cannot take its first character away.
 */
export function isPlainParagraph(body: string): boolean {
  const lines = body.slice(firstCharacter(body) ?? 0).split(/\r\n|\n|\r/);
  for (const [at, line] of lines.entries()) {
    if (at === 0) continue;
    if (/^[ \t]*$/.test(line)) return true;
    if (underline.test(line) || (at === 1 && isTableRule(line))) return false;
  }
  return true;
}

const underline = /^[^\S\r\n]*(?:=+|-+)[^\S\r\n]*$/;
const isTableRule = (line: string): boolean => /^[\s|:-]+$/.test(line) && line.includes('-');

/** Where the first line that is not blank begins with `/`, indented by at most three spaces; else null. */
function firstCharacter(body: string): number | null {
  const blank = /[ \t]*(?:\r\n?|\n)/y;
  let at = 0;
  while (blank.test(body)) at = blank.lastIndex;
  const indented = /^ {0,3}(?=\/)/.exec(body.slice(at, at + 4));
  return indented === null ? null : at + indented[0].length;
}

function withoutTrailingSpace(line: string): string {
  let end = line.length;
  while (end > 0 && isSpace(line[end - 1]!)) end -= 1;
  return line.slice(0, end);
}
