import { canonicalJson, type Json, parseJson } from '../json.ts';
import type { Markdown } from '../report/markdown.ts';

const start = '<!-- modelgate:record -->\n\n```json\n';
const end = '\n```\n\n<!-- /modelgate:record -->';

/** JSON inside of a comment of ours: one line of ASCII in a fence that no content can close, between markers. */
export function embedJson(value: unknown): Markdown {
  const json = canonicalJson(value).replace(
    /[<>&`@]|[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${start}${json}${end}`;
}

/** What the last such place of a comment holds; null where there is none, or it is longer than `limit` characters. */
export function embeddedJson(body: string, limit: number): Json {
  const from = body.lastIndexOf(start);
  const to = body.indexOf(end, from);
  if (from === -1 || to === -1 || to - from > limit) return null;
  try {
    return parseJson(body.slice(from + start.length, to), limit);
  } catch {
    return null;
  }
}
