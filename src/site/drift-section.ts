import { plural } from '../gate/numbers.ts';
import { figure, Html, html } from '../report/html.ts';
import { type MatrixMark, matrix, matrixKey } from '../report/svg-matrix.ts';
import type { DriftCheck, DriftState } from './drift-checks.ts';
import type { EnvironmentView, ModelView } from './read-model.ts';
import { dayText } from './words.ts';

const mostColumns = 12;

const stateText: Record<DriftState, string> = {
  alert: 'an alert',
  drift: 'drift, no alert',
  quiet: 'no drift',
  not_decidable: 'not decidable',
  unknown: 'not known',
};

/** What monitoring found, check by check; null where nothing was ever checked. */
export function driftSection({ environments }: ModelView): Html | null {
  const checked = environments.filter(({ checks }) => checks.length > 0);
  if (checked.length === 0) return null;
  const marks = new Set(checked.flatMap(({ checks }) => checks.map(({ state }) => state)));
  const shown = (Object.keys(stateText) as DriftState[]).filter((state) => marks.has(state));
  return html`<section><h2>Drift</h2>${checked.map(course)}<ul class="key">${shown.map(
    (state) => html`<li>${new Html(matrixKey(state, stateText[state]))}${stateText[state]}</li>`,
  )}</ul></section>`;
}

function course({ state: { name }, checks }: EnvironmentView): Html {
  const course = [...checks].reverse();
  const [newest] = checks;
  const columns = columnsOf(course);
  const rows = [
    { label: 'Check', cells: course.map((check) => cell(check, check.state, stateText[check.state])) },
    ...columns.shown.map((column) => ({
      label: column,
      cells: course.map((check) =>
        check.drifted.includes(column)
          ? cell(check, 'drift', `${column} drifted`)
          : cell(check, 'none', `${column} did not`),
      ),
    })),
  ];
  const more = columns.more === 0 ? '' : ` ${plural(columns.more, 'more column')} drifted now and then.`;
  return html`<p>${name}: ${plural(checks.length, 'check')}, the newest of ${dayText(newest?.since ?? '')} to ${dayText(newest?.until ?? '')}.${more}</p>${figure(
    (width) =>
      matrix({
        title: `Drift checks in ${name}`,
        columns: course.map(({ until }) => ({ label: dayText(until) })),
        rows,
        width,
      }),
  )}`;
}

function cell(check: DriftCheck, mark: MatrixMark, text: string): { mark: MatrixMark; title: string } {
  return {
    mark,
    title: `${dayText(check.since)} to ${dayText(check.until)}, version ${check.version}: ${text}`,
  };
}

/** Columns that drifted, the most frequent first. */
function columnsOf(checks: readonly DriftCheck[]): { shown: string[]; more: number } {
  const counts = new Map<string, number>();
  for (const { drifted } of checks)
    for (const column of new Set(drifted)) counts.set(column, (counts.get(column) ?? 0) + 1);
  const all = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([column]) => column);
  return { shown: all.slice(0, mostColumns), more: Math.max(0, all.length - mostColumns) };
}
