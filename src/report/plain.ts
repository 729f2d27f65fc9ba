/** Zero-width: breaks what a renderer would take for a mention, reference, link or emoji; invisible to people. */
export const wordJoiner = '\u2060';

/**
 * A value from outside as one bounded line: controls, bidirectional and zero-width characters, line ends and
 * runs of white space are gone. `limit` counts code points.
 */
export function oneLine(value: unknown, limit = 200): string {
  const whole = String(value)
    .toWellFormed()
    .slice(0, limit * 4);
  // the classes of Unicode take milliseconds to compile, and most text does not need them
  const known = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(whole);
  const clean = known
    ? whole
    : whole
        .replace(/[\p{Zl}\p{Zp}\s]+/gu, ' ')
        .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, '')
        .trim();
  const points = [...clean];
  return points.length <= limit ? clean : `${points.slice(0, limit - 1).join('')}…`;
}

/**
 * Breaks what GitHub links by itself, even after Markdown has been rendered: @name, #1, GH-1, scheme://, www.,
 * :emoji:, commit hashes.
 */
export function breakReferences(line: string): string {
  return line
    .replace(/@/g, `@${wordJoiner}`)
    .replace(/#/g, `#${wordJoiner}`)
    .replace(/:/g, `:${wordJoiner}`)
    .replace(/\b(gh)-/gi, `$1-${wordJoiner}`)
    .replace(/www\./gi, (match) => `${match.slice(0, 3)}${wordJoiner}.`)
    .replace(/[0-9a-f]{6}(?=[0-9a-f])/gi, `$&${wordJoiner}`);
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML and SVG: content of an element or a quoted attribute. */
export function escapeHtml(value: unknown, limit = 2000): string {
  return oneLine(value, limit).replace(/[&<>"']/g, (character) => entities[character] as string);
}
