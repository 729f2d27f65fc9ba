import { fold, type Html, html, htmlTable } from '../../report/html.ts';
import type { Behaviour } from '../behaviour.ts';
import type { GateRecord } from '../judge.ts';
import { formatCount, plural } from '../numbers.ts';
import { behaviourWords, exampleTable, flipTitles, sliceName, withheldWords } from '../view.ts';

const mostSlices = 200;
const mostColumns = 8;

/** Which rows the candidate gets wrong now and which right, by slice, with examples. */
export function behaviourSection({ behaviour }: GateRecord): Html | null {
  if (behaviour === null) return null;
  const { lost, gained, examples, slices } = behaviour;
  return html`<section><h2>Rows that changed</h2><p>${behaviourWords(behaviour)}</p>${
    lost + gained === 0 ? null : balance(behaviour)
  }${slices.length === 0 ? null : fold(`By slice: ${plural(slices.length, 'slice')}`, sliceTable(behaviour))}${
    examples.length === 0 ? null : fold(`Examples: ${plural(examples.length, 'row')}`, shown(behaviour))
  }</section>`;
}

/** Both directions as one bar, so that the eye weighs them. */
function balance(behaviour: Behaviour): Html {
  const { lost, gained } = behaviour;
  const titles = flipTitles(behaviour);
  const share = ((100 * lost) / (lost + gained)).toFixed(1);
  return html`<div class="balance" aria-hidden="true"><span class="lost" style="width:${share}%"></span><span class="gained"></span></div><p class="ends"><span>${formatCount(lost)} ${titles.lost}</span><span>${formatCount(gained)} ${titles.gained}</span></p>`;
}

function sliceTable(behaviour: Behaviour): Html {
  const titles = flipTitles(behaviour);
  const left = behaviour.slices.length - mostSlices + behaviour.slices_left_out;
  return html`${htmlTable({
    columns: [
      { title: 'slice' },
      { title: 'rows', number: true },
      { title: titles.lost, number: true },
      { title: titles.gained, number: true },
      { title: 'net', number: true },
    ],
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
