import { oneLine } from './plain.ts';

/** Widths in parts of the font size, on the wide side of the usual sans serif fonts. */
const widths: readonly [RegExp, number][] = [
  [/[iljtfr.,:;'|!()[\] ]/u, 0.42],
  [/[mwMW@%…]/u, 1.02],
  [/[A-Z]/u, 0.76],
  [/[\u0020-\u024f\u2010-\u2027]/u, 0.66],
  // symbols, other scripts, and what takes a full square
  [/./su, 1.1],
];

/** About how wide a text is drawn, in pixels; rather too wide than too narrow. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += widths.find(([kind]) => kind.test(character))?.[1] ?? 1;
  return width * fontSize;
}

/** A value from outside as one line that fits into so many pixels; what does not fit ends in an ellipsis. */
export function fitText(value: unknown, pixels: number, fontSize = 13): string {
  const whole = oneLine(value);
  if (textWidth(whole, fontSize) <= pixels) return whole;
  let width = textWidth('…', fontSize);
  let kept = '';
  for (const character of whole) {
    width += textWidth(character, fontSize);
    if (width > pixels) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
