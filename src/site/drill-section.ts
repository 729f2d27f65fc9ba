import { type Html, html, htmlTable } from '../report/html.ts';
import type { ModelView } from './read-model.ts';
import { durationText, momentText } from './words.ts';

const mostDrills = 10;

/** Rollbacks that were tried; null where none was. */
export function drillSection({ drills }: ModelView): Html | null {
  const newest = drills.slice(-mostDrills).reverse();
  if (newest.length === 0) return null;
  const rows = newest.map(({ at, environment, from, to, restored_at }) => [
    html`<span class="whole">${momentText(at)}</span>`,
    environment,
    html`<span class="whole">${from} → ${to}</span>`,
    restored_at === null
      ? html`<span class="whole fail">did not return</span>`
      : html`<span class="whole">returned after ${durationText(Math.max(0, Date.parse(restored_at) - Date.parse(at)) / 1000)}</span>`,
  ]);
  return html`<section><h2>Rollback drills</h2>${htmlTable({
    columns: [{ title: 'When, UTC' }, { title: 'Environment' }, { title: 'Version' }, { title: 'End' }],
    rows,
  })}</section>`;
}
