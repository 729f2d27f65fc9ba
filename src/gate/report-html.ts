import { badge, figure, fold, type Html, html, htmlTable, page, type Tone } from '../report/html.ts';
import type { Check } from './check.ts';
import { behaviourSection } from './html/behaviour.ts';
import { changesSection } from './html/changes.ts';
import { fairnessSection } from './html/fairness.ts';
import { scansSection } from './html/scans.ts';
import { slicesSection } from './html/slices.ts';
import { formatCount, formatDifference, formatInterval, formatP, formatValue } from './numbers.ts';
import { comparisonPlot, predictionPlot } from './plots.ts';
import type { GateRecord } from './record.ts';
import {
  comparisons,
  consequence,
  consultationWords,
  headline,
  levelNote,
  methodName,
  nextStep,
  otherChecks,
  sight,
} from './view.ts';

/** The report as one self-contained page. */
export function gateHtml(record: GateRecord): string {
  return page({
    title: `Gate: ${headline(record)}`,
    body: html`${head(record)}${compared(record)}${checks(record)}${scansSection(record)}${fairnessSection(record)}${behaviourSection(record)}${changesSection(record)}${slicesSection(record)}${predictions(record)}<footer><p>${levelNote(record)}</p></footer>`,
  });
}

function head(record: GateRecord): Html {
  const [first, ...others] = record.reasons;
  const facts: [string, Html | string][] = [
    ['rows', formatCount(record.rows)],
    ...(record.clusters === null ? [] : ([['clusters', formatCount(record.clusters)]] as [string, string][])),
    ...(record.evaluation_set === null
      ? []
      : ([['evaluation set', record.evaluation_set.id]] as [string, string][])),
    ['candidate', html`<code>${record.candidate.slice(0, 12)}</code>`],
    ['champion', record.champion === null ? 'none yet' : html`<code>${record.champion.slice(0, 12)}</code>`],
  ];
  return html`<header>${badge(record.verdict)}<h1>${headline(record)}</h1><p class="lead">${first}</p>${
    others.length === 0
      ? null
      : html`<ul class="reasons">${others.slice(0, 50).map((reason) => html`<li>${reason}</li>`)}</ul>`
  }${consequence(record) === null ? null : html`<p>${consequence(record)}</p>`}${next(record)}<dl class="facts">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></header>`;
}

function next(record: GateRecord): Html | null {
  const step = nextStep(record);
  if (step === null) return null;
  return html`<div class="next"><p>${step.text}</p>${step.commands.map(
    ({ where, command }) => html`<p><span class="note">${where}</span> <code>${command}</code></p>`,
  )}</div>`;
}

function compared(record: GateRecord): Html | null {
  const all = comparisons(record);
  if (all.length === 0) return null;
  const plot = comparisonPlot(record);
  const lines = [...all.map(sight), consultationWords(record)].filter((line) => line !== null);
  return html`<section><h2>Compared with the champion</h2>${plot === null ? null : figure(plot.draw, plot.caption)}${htmlTable(
    {
      columns: [
        { title: 'metric' },
        { title: 'champion', number: true },
        { title: 'candidate', number: true },
        { title: 'difference', number: true },
        { title: 'interval', number: true },
        { title: 'margin', number: true },
        { title: '' },
      ],
      rows: all.map((check) => [
        html`${check.title}<span class="under">${methodWords(check)}</span>`,
        formatValue(check.champion),
        formatValue(check.candidate),
        formatDifference(check.diff),
        check.low === null ? '–' : formatInterval(check.low, check.high),
        formatValue(check.margin),
        html`${badge(check.verdict as Tone)}${check.effect === 'informs' ? html` <span class="note">shown only</span>` : null}`,
      ]),
    },
  )}${
    lines.length === 0 ? null : html`<ul class="reasons">${lines.map((line) => html`<li>${line}</li>`)}</ul>`
  }${fold('Methods, p and noise of retraining', methods(all))}</section>`;
}

/** `DeLong`, `McNemar, Tango · 120 lost, 98 won` */
function methodWords({ method, flips }: Check): string | null {
  if (method === null) return null;
  const changed = flips === undefined ? '' : ` · ${formatCount(flips.b)} lost, ${formatCount(flips.c)} won`;
  return `${methodName(method)}${changed}`;
}

function methods(all: readonly Check[]): Html {
  return htmlTable({
    columns: [
      { title: 'metric' },
      { title: 'method' },
      { title: 'rows', number: true },
      { title: 'p (worse)', number: true },
      { title: 'right → wrong', number: true },
      { title: 'wrong → right', number: true },
      { title: 'sd of retraining', number: true },
      { title: 'these two models alone', number: true },
    ],
    rows: all.map((check) => [
      check.title,
      check.method === null ? '–' : methodName(check.method),
      formatCount(check.n),
      formatP(check.p),
      formatCount(check.flips?.b ?? null),
      formatCount(check.flips?.c ?? null),
      formatValue(check.noise?.sd ?? null),
      check.noise === undefined ? '–' : formatInterval(check.noise.fixed_low, check.noise.fixed_high),
    ]),
  });
}

function checks(record: GateRecord): Html | null {
  const others = otherChecks(record);
  if (others.length === 0) return null;
  return html`<section><h2>Checks</h2><ul class="checks">${others.map(
    (check) =>
      html`<li><span>${badge(toneOf(check))}</span><span class="name">${check.title}</span><p class="why">${check.reason}</p></li>`,
  )}</ul></section>`;
}

const toneOf = (check: Check): Tone =>
  check.effect === 'warns' && check.verdict !== 'pass' ? 'warn' : (check.verdict as Tone);

function predictions(record: GateRecord): Html | null {
  const plot = predictionPlot(record);
  return plot === null
    ? null
    : html`<section><h2>Predictions</h2>${figure(plot.draw, plot.caption)}</section>`;
}
