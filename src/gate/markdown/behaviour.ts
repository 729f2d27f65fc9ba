import { code, details, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
import { formatCount, plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';
import { flipColumns } from '../slice-columns.ts';
import { behaviourWords, exampleTable, flipTitles, sliceName, withheldWords } from '../view.ts';
import type { Amount } from './cells.ts';

/** Which rows the candidate gets wrong now and which right, by slice, with examples; folded. */
export function behaviourPart({ behaviour }: GateRecord, amount: Amount): Markdown | null {
  if (behaviour === null) return null;
  const said = text(behaviourWords(behaviour), 400);
  if (behaviour.lost + behaviour.gained === 0) return details('No row changed', said);
  const titles = flipTitles(behaviour);
  const most = Math.min(50, amount.slices);
  const slices = behaviour.slices.slice(0, most);
  const left = behaviour.slices.length - slices.length + behaviour.slices_left_out;
  const examples = exampleTable(behaviour, 8);
  return details(
    `Behaviour: ${formatCount(behaviour.lost)} ${titles.lost}, ${formatCount(behaviour.gained)} ${titles.gained}`,
    paragraphs(
      said,
      slices.length === 0
        ? null
        : table({
            columns: flipColumns(behaviour),
            rows: slices.map((slice) => [
              code(sliceName(slice), 60),
              formatCount(slice.rows),
              formatCount(slice.lost),
              formatCount(slice.gained),
              signed(slice.gained - slice.lost),
            ]),
          }),
      left > 0 ? `and ${plural(left, 'more slice')} in report.html` : null,
      amount.examples === 0 || examples.rows.length === 0
        ? null
        : paragraphs(
            'Rows that changed most:',
            table({
              columns: examples.titles.map(({ title, number }) => ({ title: text(title, 40), number })),
              rows: examples.rows
                .slice(0, amount.examples)
                .map((row) =>
                  row.map((cell, index) =>
                    index === 1 ? cell : exampleCell(cell, examples.titles[index]?.number),
                  ),
                ),
            }),
          ),
    ),
  );
}

const exampleCell = (cell: string, isNumber = false): Markdown =>
  cell === withheldWords || isNumber ? text(cell, 60) : code(cell, 60);

const signed = (count: number): Markdown => (count > 0 ? `+${formatCount(count)}` : formatCount(count));
