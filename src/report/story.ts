import { badge, figure, fold, Html, html, htmlTable, page, type Tone, verdictWords } from './html.ts';
import { oneLine } from './plain.ts';

/** One chapter of a run's report. Texts are plain: they are escaped here. */
export interface StorySection {
  title: string;
  verdict?: string;
  /** One paragraph each; line ends inside of one are kept. */
  text: string[];
  /** What was done, in order; seconds is wall time or null. */
  steps?: { name: string; verdict: string; seconds: number | null; text: string }[];
  table?: { header: readonly string[]; rows: readonly (readonly string[])[] };
  /** Drawings made by svg.ts, or how to draw one in any width. Never a stranger's text: they are not escaped. */
  svg?: (string | ((width: number) => string))[];
  /** Pages beside this one. `href` is a relative path made by our own code. */
  links?: { title: string; href: string }[];
  /** Folded parts. */
  details?: { title: string; text: string }[];
}

export interface Story {
  title: string;
  subtitle: string;
  sections: readonly StorySection[];
}

/** The HTML report of a whole run, or of any list of findings: one self-contained page. */
export function renderStory({ title, subtitle, sections }: Story): string {
  const contents =
    sections.length < 3
      ? null
      : html`<nav aria-label="Chapters"><ol class="contents">${sections.map(
          (section, index) =>
            html`<li><a href="#s${index + 1}">${section.title}</a>${section.verdict === undefined ? null : tone(section.verdict)}</li>`,
        )}</ol></nav>`;
  return page({
    title,
    body: html`<header><h1>${title}</h1><p class="lead">${subtitle}</p></header>${contents}${sections.map(chapter)}`,
  });
}

function chapter(section: StorySection, index: number): Html {
  return html`<section id="s${index + 1}"><h2>${section.title}${section.verdict === undefined ? null : tone(section.verdict)}</h2>${section.text.map(prose)}${steps(section)}${
    section.table === undefined
      ? null
      : htmlTable({
          columns: section.table.header.map((name) => ({ title: name })),
          rows: section.table.rows,
        })
  }${(section.svg ?? []).map((drawing) =>
    typeof drawing === 'string' ? html`<figure class="plain">${new Html(drawing)}</figure>` : figure(drawing),
  )}${
    section.links === undefined
      ? null
      : html`<p>${section.links.map(({ title, href }) => html`<a href="${href}">${title}</a> `)}</p>`
  }${(section.details ?? []).map(({ title, text }) =>
    fold(title, html`<pre>${lines(text)}</pre>`),
  )}</section>`;
}

function steps({ steps: list }: StorySection): Html | null {
  if (list === undefined || list.length === 0) return null;
  return html`<ul class="steps">${list.map(
    (step) =>
      html`<li><span class="name">${step.name}</span><span class="why">${step.verdict === 'pass' ? null : tone(step.verdict)} ${step.text}</span><span class="seconds">${step.seconds === null ? '' : `${step.seconds.toFixed(1)} s`}</span></li>`,
  )}</ul>`;
}

function tone(verdict: string): Html {
  return verdict in verdictWords ? badge(verdict as Tone) : badge('neutral', oneLine(verdict, 40));
}

const prose = (text: string): Html => html`<p>${lines(text)}</p>`;

/** Escapes each line by itself, so that line ends stay. */
function lines(text: string): Html[] {
  return text
    .slice(0, 20_000)
    .split('\n')
    .map((line, index) => {
      const indent = ' '.repeat(Math.min(40, line.length - line.trimStart().length));
      return html`${new Html(index === 0 ? indent : `\n${indent}`)}${line}`;
    });
}
