import { type Html, html, htmlTable } from '../../report/html.ts';
import { plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';
import { scanTable } from '../scan-table.ts';

/** What scanners found, and what follows from it. */
export function scansSection(record: GateRecord): Html | null {
  const scans = scanTable(record);
  if (scans === null) return null;
  const { reports, columns, rows, leftOut } = scans;
  return html`<section><h2>Scans</h2><ul class="reasons">${reports.map((one) => html`<li>${one}</li>`)}</ul>${
    rows.length === 0
      ? html`<p>Nothing was found.</p>`
      : htmlTable({ columns: columns.map((title) => ({ title })), rows })
  }${leftOut > 0 ? html`<p>and ${plural(leftOut, 'more finding')} in the reports</p>` : null}</section>`;
}
