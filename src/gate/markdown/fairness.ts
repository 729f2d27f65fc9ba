import { code, details, type Markdown, table, text } from '../../report/markdown.ts';
import { plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';
import { fairnessTable } from '../view.ts';
import { type Amount, marks } from './cells.ts';

/** The audit of groups, where the policy asks for one; folded. */
export function fairnessPart(record: GateRecord, amount: Amount): Markdown | null {
  const { titles, rows } = fairnessTable(record);
  if (rows.length === 0) return null;
  const shown = rows.slice(0, amount.slices);
  const rest = rows.length - shown.length;
  return details(
    `Fairness: ${plural(rows.length, 'comparison')}`,
    table({
      columns: [...titles, { title: 'verdict' }],
      rows: shown.map(({ cells, verdict }) => [
        ...cells.map((cell, index) => (index === 0 ? code(cell, 120) : text(cell, 120))),
        verdict === 'untested' ? 'not tested' : marks[verdict],
      ]),
    }) + (rest > 0 ? `\n\nand ${plural(rest, 'more')} in report.html` : ''),
  );
}
