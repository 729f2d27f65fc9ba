import { code, details, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
import { changeWords } from '../changes.ts';
import { plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';
import type { Amount } from './cells.ts';

/** In what the two packages differ; folded. */
export function changesPart({ changes }: GateRecord, amount: Amount): Markdown | null {
  if (changes === null) return null;
  if (changes.length === 0) return 'Nothing in code, data, parameters or environment changed.';
  const shown = changes.slice(0, amount.changes).map(changeWords);
  if (shown.length === 0) return `What changed: ${plural(changes.length, 'difference')}, in report.html.`;
  const rest = changes.length - shown.length;
  return details(
    `What changed: ${plural(changes.length, 'difference')}`,
    paragraphs(
      table({
        columns: [{ title: 'what' }, { title: 'champion' }, { title: 'candidate' }],
        rows: shown.map(({ part, before, after }) => [text(part, 120), code(before, 300), code(after, 300)]),
      }),
      rest > 0 ? `and ${plural(rest, 'more')} in report.html` : null,
    ),
  );
}
