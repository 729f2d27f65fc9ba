import { code, details, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
import type { SliceResult } from '../checks/slices.ts';
import { formatCount, formatDifference, formatP, formatValue, plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';
import { blindColumns, testedColumns, untestedColumns } from '../slice-columns.ts';
import { blindSlices, sliceName, sliceWords, testedSlices } from '../view.ts';
import { number } from './cells.ts';

/** Slices that were tested, that cannot see the margin, and that were not tested; each folded. */
export function sliceParts(record: GateRecord, most: number): Markdown | null {
  const tested = testedSlices(record);
  const { blind, untested } = blindSlices(record);
  if (record.slices.length === 0) return null;
  const cut = (all: number) =>
    all > most ? `\n\nand ${plural(all - most, 'more slice')} in report.html` : '';
  return paragraphs(
    tested.length === 0
      ? null
      : details(
          `Slices: ${plural(tested.length, 'test')}`,
          sliceTable(tested.slice(0, most)) + cut(tested.length),
        ),
    blind.length === 0
      ? null
      : details(
          `Blind slices: ${blind.length} cannot see a loss of the margin`,
          blindTable(blind.slice(0, most)) + cut(blind.length),
        ),
    untested.length === 0
      ? null
      : details(
          `Not tested: ${plural(untested.length, 'slice')}`,
          table({
            columns: untestedColumns,
            rows: untested
              .slice(0, most)
              .map((slice) => [
                code(sliceName(slice), 60),
                code(slice.metric, 40),
                formatCount(slice.n),
                text(slice.detail, 100),
              ]),
          }) + cut(untested.length),
        ),
  );
}

function sliceTable(slices: readonly SliceResult[]): Markdown {
  return table({
    columns: testedColumns,
    rows: slices.map((slice) => [
      code(sliceName(slice), 60),
      code(slice.metric, 40),
      formatCount(slice.n),
      number(formatValue(slice.champion)),
      number(formatValue(slice.candidate)),
      number(formatDifference(slice.diff)),
      number(formatP(slice.p_holm)),
      number(formatValue(slice.mde)),
      sliceWords[slice.state],
    ]),
  });
}

function blindTable(slices: readonly SliceResult[]): Markdown {
  return table({
    columns: blindColumns,
    rows: slices.map((slice) => [
      code(sliceName(slice), 60),
      code(slice.metric, 40),
      formatCount(slice.n),
      number(formatValue(slice.mde)),
      number(formatValue(slice.margin)),
    ]),
  });
}
