import { escapeHtml } from './plain.ts';
import { css } from './style.ts';

/** Markup that is ours; everything else is escaped when it enters a template. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }

  toString(): string {
    return this.markup;
  }
}

type Part = Html | string | number | null | undefined | readonly Part[];

function render(part: Part): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.markup;
  if (Array.isArray(part)) return part.map(render).join('');
  return escapeHtml(part);
}

/** A template whose values are escaped unless they are Html. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((whole, piece, index) => whole + render(parts[index - 1]) + piece));
}

/** Verdicts as people read them: the word, never the colour alone. */
export const verdictWords = {
  pass: 'Pass',
  fail: 'Fail',
  inconclusive: 'Inconclusive',
  error: 'Error',
  neutral: 'Not compared',
  warn: 'Look',
} as const;
export type Tone = keyof typeof verdictWords;

export function badge(tone: Tone, word: string = verdictWords[tone]): Html {
  return html`<span class="badge ${tone}">${word}</span>`;
}

export interface HtmlTable {
  columns: readonly { title: string; number?: boolean }[];
  rows: readonly (readonly (Html | string | number | null)[])[];
}

export function htmlTable({ columns, rows }: HtmlTable): Html {
  const kind = (index: number) => (columns[index]?.number ? 'number' : 'text');
  // wide tables scroll by themselves: what scrolls must be reachable by keyboard, and then needs a name
  const name = columns
    .map(({ title }) => title)
    .filter((title) => title !== '')
    .join(', ');
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${name}"><table><thead><tr>${columns.map(
    (column, index) => html`<th class="${kind(index)}">${column.title}</th>`,
  )}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${row.map((cell, index) => html`<td class="${kind(index)}">${cell ?? '–'}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

/** A part that is folded until it is asked for; works without a script. */
export function fold(summary: string, body: Html): Html {
  return html`<details><summary>${summary}</summary>${body}</details>`;
}

/** Width of a drawing where there is room. */
export const figureWidth = 720;

/** A drawing in two widths; the page shows the one that fits. */
export function figure(draw: (width: number) => string, caption?: string): Html {
  return html`<figure><div class="wide">${new Html(draw(figureWidth))}</div><div class="narrow">${new Html(draw(340))}</div>${caption === undefined ? null : html`<figcaption>${caption}</figcaption>`}</figure>`;
}

/** One self-contained page: no script, and by its own policy no request leaves it. `style` is ours, beside the usual one. */
export function page({ title, body, style = '' }: { title: string; body: Html; style?: string }): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(css + style)}</style>
</head>
<body><main>${body}</main></body>
</html>
`.markup;
}
