import { badge, type Html, html, htmlTable } from '../../report/html.ts';
import type { GateRecord } from '../record.ts';
import { fairnessTable } from '../view.ts';

/** The audit of groups, where the policy asks for one. */
export function fairnessSection(record: GateRecord): Html | null {
  const { titles, rows } = fairnessTable(record);
  if (rows.length === 0) return null;
  return html`<section><h2>Fairness</h2>${htmlTable({
    columns: [...titles, { title: '' }],
    rows: rows.map(({ cells, verdict }) => [
      ...cells,
      verdict === 'untested' ? badge('neutral', 'Not tested') : badge(verdict),
    ]),
  })}</section>`;
}
