import { figure, fold, type Html, html, htmlTable } from '../../report/html.ts';
import { type IntervalRow, intervalPlot } from '../../report/svg.ts';
import type { SliceResult } from '../checks/slices.ts';
import type { GateRecord } from '../judge.ts';
import { formatCount, formatDifference, formatP, formatValue, plural } from '../numbers.ts';
import { blindSlices, sliceName, sliceWords, testedSlices } from '../view.ts';

const plottedSlices = 15;

/** The most suspicious slices as a plot, all of them as folded tables. */
export function slicesSection(record: GateRecord): Html | null {
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
