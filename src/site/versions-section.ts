import { formatDifference, formatInterval, formatValue, plural } from '../gate/numbers.ts';
import { figure, fold, type Html, html, htmlTable } from '../report/html.ts';
import { oneLine } from '../report/plain.ts';
import { type IntervalRow, intervalPlot } from '../report/svg.ts';
import { type ModelView, mostVersions } from './read-model.ts';
import { gateBadge } from './states.ts';
import { dayText } from './words.ts';

const mostDrawn = 10;
/** Characters of a metric's name in the table. */
const longestTitle = 24;

type Shown = ModelView['versions'][number];

/** The newest versions with what their gates saw. */
export function versionsSection(view: ModelView): Html | null {
  const { versions, state } = view;
  if (versions.length === 0) return null;
  const older = state.versions.length - versions.length;
  const titles = new Set(versions.flatMap(({ gate }) => gate?.metric?.title ?? []));
  // one short name for all stands in the head
  const [only = ''] = titles.size === 1 ? titles : [];
  const inHead = only !== '' && only.length <= longestTitle;
  return html`<section><h2>Versions and their gates</h2>${differences(versions)}${htmlTable({
    columns: [
      { title: 'Version' },
      { title: 'Registered' },
      { title: 'Gate' },
      { title: inHead ? only : 'Metric', number: true },
      { title: 'Difference', number: true },
      { title: 'Bounds', number: true },
    ],
    rows: versions.map((one) => row(one, { view, named: !inHead })),
  })}${older > 0 ? html`<p>${plural(older, 'older version')} in the log; the newest ${mostVersions} are shown.</p>` : null}${stopped(versions)}</section>`;
}

function row({ version, gate }: Shown, { view, named }: { view: ModelView; named: boolean }) {
  const metric = gate?.metric ?? null;
  const serves = view.environments.filter(({ state }) => state.version === version.version);
  const notes = [
    ...(serves.length === 0 ? [] : [`in ${serves.map(({ state }) => state.name).join(', ')}`]),
    ...(version.retired === null ? [] : ['retired']),
  ];
  return [
    html`v${version.version}${notes.length === 0 ? null : html`<span class="under">${notes.join(', ')}</span>`}`,
    html`<span class="whole">${dayText(version.registered_at)}</span>`,
    gateBadge(version.verdict),
    gate === null
      ? html`<span class="note">result not in the store</span>`
      : metric === null
        ? null
        : html`${formatValue(metric.candidate)}${named ? html`<span class="under">${oneLine(metric.title, longestTitle)}</span>` : null}`,
    formatDifference(metric?.diff ?? null),
    metric?.low == null || metric.high === null ? null : formatInterval(metric.low, metric.high),
  ];
}

/** The newest versions' intervals of the metric that the newest gate decided by, each against its own champion. */
function differences(versions: readonly Shown[]): Html | null {
  const title = versions.find(({ gate }) => gate?.metric?.diff != null)?.gate?.metric?.title;
  const rows = versions.flatMap((one) => (one.gate?.metric?.title === title ? intervalOf(one) : []));
  if (title === undefined || rows.length < 2) return null;
  return figure(
    (width) =>
      intervalPlot({
        title: `Difference of ${title} by version`,
        rows: rows.slice(0, mostDrawn),
        margin: null,
        axis: `difference of ${oneLine(title, longestTitle)}; right is better`,
        width,
      }),
    'Each version against the champion of its day: the line is the interval between both one-sided bounds, the dot the estimate, the red mark the loss that the policy tolerates. The colour is the verdict on this metric alone; a gate judges more.',
  );
}

function intervalOf({ version, gate }: Shown): IntervalRow[] {
  const { diff = null, low = null, high = null, margin = null, verdict = 'neutral' } = gate?.metric ?? {};
  if (diff === null || low === null || high === null) return [];
  return [
    {
      ...{ label: `v${version.version}`, low, estimate: diff, high, margin },
      tone: verdict,
      note: formatInterval(low, high),
    },
  ];
}

function stopped(versions: readonly Shown[]): Html | null {
  const told = versions.filter(({ version, gate }) => version.verdict !== 'pass' && gate?.reasons[0]);
  if (told.length === 0) return null;
  return fold(
    'Why gates did not pass',
    html`<ul class="reasons">${told.map(({ version, gate }) => html`<li>v${version.version}: ${gate?.reasons[0]}</li>`)}</ul>`,
  );
}
