import { badge, figure, fold, type Html, html, htmlTable, page, type Tone } from '../report/html.ts';
import { histogramPair, type IntervalRow, intervalPlot } from '../report/svg.ts';
import type { Check } from './check.ts';
import { behaviourSection } from './html/behaviour.ts';
import { changesSection } from './html/changes.ts';
import { fairnessSection } from './html/fairness.ts';
import { slicesSection } from './html/slices.ts';
import type { GateRecord } from './judge.ts';
import { formatCount, formatDifference, formatInterval, formatP, formatValue } from './numbers.ts';
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
    body: html`${head(record)}${compared(record)}${checks(record)}${fairnessSection(record)}${behaviourSection(record)}${changesSection(record)}${slicesSection(record)}${predictions(record)}<footer><p>${levelNote(record)}</p></footer>`,
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
  const plot = all.some(isPlotted)
    ? figure(
        (width) => comparisonPlot(record, width),
        'Each line is an interval of the difference, each dot the estimate. One step is one margin: the dashed line is the loss that the policy tolerates.',
      )
    : null;
  const lines = [...all.map(sight), consultationWords(record)].filter((line) => line !== null);
  return html`<section><h2>Compared with the champion</h2>${plot}${htmlTable({
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
  })}${
    lines.length === 0 ? null : html`<ul class="reasons">${lines.map((line) => html`<li>${line}</li>`)}</ul>`
  }${fold('Methods, p and noise of retraining', methods(all))}</section>`;
}

/** `DeLong`, `McNemar, Tango · 120 lost, 98 won` */
function methodWords({ method, flips }: Check): string | null {
  if (method === null) return null;
  const changed = flips === undefined ? '' : ` · ${formatCount(flips.b)} lost, ${formatCount(flips.c)} won`;
  return `${methodName(method)}${changed}`;
}

/** The intervals of all comparisons in units of their margins, as SVG of `width` pixels. */
export function comparisonPlot(record: GateRecord, width: number): string {
  return intervalPlot({
    title: 'Difference of each metric in margins',
    rows: comparisons(record).filter(isPlotted).map(plotRow),
    margin: 1,
    axis: 'difference in margins; right is better',
    width,
  });
}

const isPlotted = (check: Check): boolean =>
  check.low !== null &&
  check.high !== null &&
  check.diff !== null &&
  check.margin !== null &&
  check.margin > 0;

/** In units of the margin, so that metrics of any scale share one axis. */
function plotRow(check: Check): IntervalRow {
  const margin = check.margin as number;
  return {
    label: check.title,
    low: (check.low as number) / margin,
    estimate: (check.diff as number) / margin,
    high: (check.high as number) / margin,
    tone: check.verdict,
    note: formatInterval(check.low, check.high),
    margin: null,
  };
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

function predictions({ histogram }: GateRecord): Html | null {
  if (histogram === null) return null;
  return html`<section><h2>Predictions</h2>${figure(
    (width) =>
      histogramPair({
        title: 'Predictions of both models on the evaluation set',
        edges: histogram.edges,
        reference: histogram.champion,
        current: histogram.candidate,
        labels: { reference: 'champion', current: 'candidate' },
        axis: 'prediction',
        width,
      }),
    'Share of rows in each bar.',
  )}</section>`;
}
