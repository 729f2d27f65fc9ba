import { badge, figure, fold, type Html, html, htmlTable, page, type Tone } from '../report/html.ts';
import { histogramPair, type IntervalRow, intervalPlot } from '../report/svg.ts';
import type { Check } from './check.ts';
import type { SliceResult } from './checks/slices.ts';
import type { GateRecord } from './judge.ts';
import { formatCount, formatDifference, formatInterval, formatP, formatValue, plural } from './numbers.ts';
import {
  blindSlices,
  comparisons,
  consequence,
  headline,
  levelNote,
  otherChecks,
  sight,
  sliceName,
  sliceWords,
  testedSlices,
} from './view.ts';

const plottedSlices = 15;

/** The report as one self-contained page. */
export function gateHtml(record: GateRecord): string {
  return page({
    title: `Gate: ${headline(record)}`,
    body: html`${head(record)}${compared(record)}${checks(record)}${slices(record)}${predictions(record)}<footer><p>${levelNote(record)}</p></footer>`,
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
  }${consequence(record) === null ? null : html`<p>${consequence(record)}</p>`}<dl class="facts">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></header>`;
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
  const lines = all.map(sight).filter((line) => line !== null);
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
      check.title,
      formatValue(check.champion),
      formatValue(check.candidate),
      formatDifference(check.diff),
      check.low === null ? '–' : formatInterval(check.low, check.high),
      formatValue(check.margin),
      html`${badge(check.verdict as Tone)}${check.effect === 'informs' ? html` <span class="note">shown only</span>` : null}`,
    ]),
  })}${
    lines.length === 0 ? null : html`<ul class="reasons">${lines.map((line) => html`<li>${line}</li>`)}</ul>`
  }${fold('Methods, rows and flips', methods(all))}</section>`;
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
      check.method ?? '–',
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

function slices(record: GateRecord): Html | null {
  const tested = testedSlices(record);
  if (record.slices.length === 0) return null;
  const { blind, untested } = blindSlices(record);
  const shown = tested.filter(hasInterval).slice(0, plottedSlices);
  const scaled = shown.every((slice) => slice.margin !== null && slice.margin > 0);
  return html`<section><h2>Slices</h2><p>${plural(tested.length, 'test')} of harm share one level by Holm. ${
    blind.length === 0
      ? 'Each tested slice would show a loss of its margin.'
      : `${blind.length} of them are too small to show a loss of the margin.`
  }${untested.length === 0 ? '' : ` ${plural(untested.length, 'slice')} could not be tested.`}</p>${
    shown.length === 0
      ? null
      : figure(
          (width) =>
            intervalPlot({
              title: 'Slices, the most suspicious first',
              rows: shown.map((slice) => sliceRow(slice, scaled)),
              margin: scaled ? 1 : null,
              axis: scaled ? 'difference in margins; right is better' : 'difference; right is better',
              width,
            }),
          `The ${plural(shown.length, 'slice')} with the smallest p, with intervals as they are before the correction.`,
        )
  }${tested.length === 0 ? null : fold(`All ${plural(tested.length, 'test')}`, sliceTable(tested))}${
    untested.length === 0
      ? null
      : fold(`Not tested: ${plural(untested.length, 'slice')}`, untestedTable(untested))
  }</section>`;
}

const hasInterval = (slice: SliceResult): boolean =>
  slice.low !== null && slice.high !== null && slice.diff !== null;

function sliceRow(slice: SliceResult, scaled: boolean): IntervalRow {
  const unit = scaled ? (slice.margin as number) : 1;
  const tones = {
    harmed: 'fail',
    suspect: 'inconclusive',
    clear: 'neutral',
    blind: 'neutral',
    untested: 'neutral',
  };
  return {
    label: slice.column === '' ? String(slice.value) : sliceName(slice),
    low: (slice.low as number) / unit,
    estimate: (slice.diff as number) / unit,
    high: (slice.high as number) / unit,
    tone: tones[slice.state] as IntervalRow['tone'],
    note: `${slice.metric} ${formatDifference(slice.diff)}`,
    margin: null,
  };
}

function sliceTable(tested: readonly SliceResult[]): Html {
  return htmlTable({
    columns: [
      { title: 'slice' },
      { title: 'metric' },
      { title: 'rows', number: true },
      { title: 'champion', number: true },
      { title: 'candidate', number: true },
      { title: 'difference', number: true },
      { title: 'p (Holm)', number: true },
      { title: 'sees drops from', number: true },
      { title: '' },
    ],
    rows: tested.map((slice) => [
      sliceName(slice),
      slice.metric,
      formatCount(slice.n),
      formatValue(slice.champion),
      formatValue(slice.candidate),
      formatDifference(slice.diff),
      formatP(slice.p_holm),
      formatValue(slice.mde),
      sliceWords[slice.state],
    ]),
  });
}

function untestedTable(untested: readonly SliceResult[]): Html {
  return htmlTable({
    columns: [{ title: 'slice' }, { title: 'metric' }, { title: 'rows', number: true }, { title: 'why' }],
    rows: untested.map((slice) => [sliceName(slice), slice.metric, formatCount(slice.n), slice.detail]),
  });
}

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
