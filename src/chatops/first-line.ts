import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { isSpace } from './words.ts';

/** A longer comment is none of ours: GitHub takes no more from a person. */
export const longestComment = 65_536;
const mostLines = 100;
const longestUnderline = 4_000;

/**
 * The first line of a comment where it can be a command: it begins with `/` and GitHub shows it as the first line of
 * a plain paragraph, which no quote, code, heading, link, HTML or table is. Null for every other comment. Most are
 * sorted out by their first character; of the others Markdown is given what decides, so that time stays bounded.
 */
export function firstLine(body: string): string | null {
  if (body.length > longestComment) return null;
  const start = firstCharacter(body);
  if (start === null) return null;
  const line = withoutTrailingSpace(/^[^\r\n]*/.exec(body.slice(start))![0]);
  const following = paragraphAfter(body.slice(start));
  if (following === null) return null;
  // a long line is refused later, and Markdown need not read it whole
  const tree = fromMarkdown([line.slice(0, 2_000), ...following].join('\n'), {
    extensions: [gfm()],
    mdastExtensions: [gfmFromMarkdown()],
  });
  const block = tree.children[0];
  const first = block?.type === 'paragraph' ? block.children[0] : undefined;
  return first?.type === 'text' && first.value.startsWith('/') ? line : null;
}

/**
 * The other lines of the paragraph, up to the blank line that ends it in any case, each cut to what tells its kind:
 * an underline that makes a heading or a table counts whole. Null where there are too many to tell.
 */
function paragraphAfter(text: string): string[] | null {
  const lines: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/, mostLines + 2).slice(1)) {
    if (/^[ \t]*$/.test(line)) return lines;
    if (lines.length === mostLines) return null;
    const underline = /^[ \t|:=-]*$/.test(line);
    if (underline && line.length > longestUnderline) return null;
    lines.push(underline ? line : line.slice(0, 80));
  }
  return lines;
}

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
