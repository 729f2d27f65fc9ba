import { code, details, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
import { plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';
import { scanTable } from '../scan-table.ts';
import type { Amount } from './cells.ts';

/** What scanners found, and what follows from it; folded. */
export function scansPart(record: GateRecord, amount: Amount): Markdown | null {
  const scans = scanTable(record);
  if (scans === null) return null;
  const { title, reports, columns, rows, leftOut } = scans;
  const shown = rows.slice(0, amount.findings);
  const rest = rows.length - shown.length + leftOut;
  return details(
    title,
    paragraphs(
      reports.map((one) => `* ${text(one, 300)}`).join('\n'),
      shown.length === 0
        ? null
        : table({
            columns: columns.map((column) => ({ title: text(column) })),
            rows: shown.map(([id, where, version, severity, fixed, follows, tool]) => [
              code(id, 120),
              code(where, 120),
              code(version, 60),
              text(severity),
              code(fixed, 120),
              text(follows, 300),
              text(tool, 60),
            ]),
          }),
      rest > 0 ? `and ${plural(rest, 'more finding')} in the reports` : null,
    ),
  );
}
