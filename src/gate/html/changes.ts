import { type Html, html, htmlTable } from '../../report/html.ts';
import { changeWords } from '../changes.ts';
import { plural } from '../numbers.ts';
import type { GateRecord } from '../record.ts';

const mostChanges = 200;

/** In what the candidate's package differs from the champion's. */
export function changesSection({ changes }: GateRecord): Html | null {
  if (changes === null) return null;
  if (changes.length === 0)
    return html`<section><h2>What changed</h2><p>Nothing in code, data, parameters or environment.</p></section>`;
  const rest = changes.length - mostChanges;
  return html`<section><h2>What changed</h2>${htmlTable({
    columns: [{ title: '' }, { title: 'champion' }, { title: 'candidate' }],
    rows: changes.slice(0, mostChanges).map((change) => {
      const { part, before, after } = changeWords(change);
      return [part, before, after];
    }),
  })}${rest > 0 ? html`<p>and ${plural(rest, 'more')} in gate.json</p>` : null}</section>`;
}
