import { figure, fold, type Html, html, htmlTable } from '../../report/html.ts';
import type { SliceResult } from '../checks/slices.ts';
import { formatCount, formatDifference, formatP, formatValue, plural } from '../numbers.ts';
import { slicePlot } from '../plots.ts';
import type { GateRecord } from '../record.ts';
import { testedColumns, untestedColumns } from '../slice-columns.ts';
import { blindSlices, sliceName, sliceWords, testedSlices } from '../view.ts';

/** The most suspicious slices as a plot, all of them as folded tables. */
export function slicesSection(record: GateRecord): Html | null {
  const tested = testedSlices(record);
  if (record.slices.length === 0) return null;
  const { blind, untested } = blindSlices(record);
  const plot = slicePlot(record);
  return html`<section><h2>Slices</h2><p>${plural(tested.length, 'test')} of harm share one level by Holm. ${
    blind.length === 0
      ? 'Each tested slice would show a loss of its margin.'
      : `${blind.length} of them are too small to show a loss of the margin.`
  }${untested.length === 0 ? '' : ` ${plural(untested.length, 'slice')} could not be tested.`}</p>${
    plot === null ? null : figure(plot.draw, plot.caption)
  }${tested.length === 0 ? null : fold(`All ${plural(tested.length, 'test')}`, sliceTable(tested))}${
    untested.length === 0
      ? null
      : fold(`Not tested: ${plural(untested.length, 'slice')}`, untestedTable(untested))
  }</section>`;
}

function sliceTable(tested: readonly SliceResult[]): Html {
  return htmlTable({
    columns: testedColumns,
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
    columns: untestedColumns,
    rows: untested.map((slice) => [sliceName(slice), slice.metric, formatCount(slice.n), slice.detail]),
  });
}
