import { figure, fold, type Html, html, htmlTable } from '../../report/html.ts';
import type { Behaviour } from '../behaviour.ts';
import { formatCount, plural } from '../numbers.ts';
import { flipPlot } from '../plots.ts';
import type { GateRecord } from '../record.ts';
import { flipColumns } from '../slice-columns.ts';
import { behaviourWords, exampleTable, sliceName, withheldWords } from '../view.ts';

const mostSlices = 200;
const mostColumns = 8;

/** Which rows the candidate gets wrong now and which right, by slice, with examples. */
export function behaviourSection(record: GateRecord): Html | null {
  const { behaviour } = record;
  if (behaviour === null) return null;
  const { examples, slices } = behaviour;
  const plot = flipPlot(record);
  return html`<section><h2>Rows that changed</h2><p>${behaviourWords(behaviour)}</p>${
    plot === null ? null : figure(plot.draw, plot.caption)
  }${slices.length === 0 ? null : fold(`By slice: ${plural(slices.length, 'slice')}`, sliceTable(behaviour))}${
    examples.length === 0 ? null : fold(`Examples: ${plural(examples.length, 'row')}`, shown(behaviour))
  }</section>`;
}

function sliceTable(behaviour: Behaviour): Html {
  const left = behaviour.slices.length - mostSlices + behaviour.slices_left_out;
  return html`${htmlTable({
    columns: flipColumns(behaviour),
    rows: behaviour.slices.slice(0, mostSlices).map((slice) => {
      const net = slice.gained - slice.lost;
      return [
        sliceName(slice),
        formatCount(slice.rows),
        formatCount(slice.lost),
        formatCount(slice.gained),
        net > 0 ? `+${formatCount(net)}` : formatCount(net),
      ];
    }),
  })}${left > 0 ? html`<p>and ${plural(left, 'more slice')} in gate.json</p>` : null}`;
}

function shown(behaviour: Behaviour): Html {
  const { titles, rows } = exampleTable(behaviour, mostColumns);
  return htmlTable({
    columns: titles,
    rows: rows.map((row) =>
      row.map((cell) => (cell === withheldWords ? html`<span class="note">${cell}</span>` : cell)),
    ),
  });
}
