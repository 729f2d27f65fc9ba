/**
 * Text of a sentence that may hold names and values from data: what would end the line, turn it around or hide
 * in it (controls, line ends, bidirectional and zero-width characters, lone surrogates) is written as an escape.
 */
export function visible(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text; // the classes below take a millisecond to compile
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return (
      escapes[character] ??
      `\\u${code > 0xffff ? `{${code.toString(16)}}` : code.toString(16).padStart(4, '0')}`
    );
  });
}

const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
