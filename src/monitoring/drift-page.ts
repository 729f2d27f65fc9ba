import { badge, figure, fold, type Html, html, htmlTable, page, type Tone } from '../report/html.ts';
import { barPlot, histogramPair } from '../report/svg.ts';
import type { ColumnVerdict, DriftColumn, DriftReport, Histogram } from './drift-report.ts';
import { percent, pValue, readable, signed, withUnit } from './format.ts';
import type { RunbookResult } from './runbook.ts';

export interface DriftPage {
  title: string;
  /** One sentence under the title. */
  lead: string;
  report: DriftReport;
  /** The predictions' own comparison, shown after the inputs. */
  predictions?: DriftReport | null;
  runbooks?: readonly RunbookResult[];
}

const tones: Record<ColumnVerdict, Tone> = {
  drift: 'fail',
  ok: 'pass',
  not_decidable: 'inconclusive',
  too_few_rows: 'inconclusive',
  empty: 'inconclusive',
};
const words: Record<ColumnVerdict, string> = {
  drift: 'Moved',
  ok: 'Steady',
  not_decidable: 'Too few blocks',
  too_few_rows: 'Too few rows',
  empty: 'No values',
};

/** The drift report as one page: what moved first, with both distributions and the segments; then every column. */
export function driftPage({ title, lead, report, predictions, runbooks }: DriftPage): string {
  const drifted = report.drifted.flatMap((name) => report.columns.filter((column) => column.name === name));
  const body = html`
    <p class="eyebrow">Drift</p>
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
    ${factsList(report)}
    ${schemaSection(report)}
    ${drifted.slice(0, 12).map((column) => columnSection(column, report))}
    ${(predictions?.columns ?? []).map((column) => columnSection(column, predictions as DriftReport))}
    ${(runbooks ?? []).map(runbookSection)}
    <section><h2>All columns</h2>${columnTable(report.columns)}
    ${report.left_out.length === 0 ? null : fold(`Left out: ${report.left_out.length}`, leftOutTable(report))}</section>
    <footer>${method(report)}</footer>`;
  return page({ title, body });
}

function factsList(report: DriftReport): Html {
  const side = ({ rows, blocks, from, until }: DriftReport['reference']) =>
    `${rows.toLocaleString('en-US')} rows${from === null ? '' : `, ${from} to ${until} (${blocks} blocks)`}`;
  return html`<dl class="facts">
    <div><dt>Reference: ${report.reference.name}</dt><dd>${side(report.reference)}</dd></div>
    <div><dt>Current: ${report.current.name}</dt><dd>${side(report.current)}</dd></div>
    <div><dt>Moved</dt><dd>${report.drifted.length} of ${report.columns.length} columns</dd></div>
  </dl>`;
}

function schemaSection({ schema_differences: schema }: DriftReport): Html | null {
  const lines = [
    ...schema.missing.map((name) => html`<li>${name} is missing</li>`),
    ...schema.changed.map((one) => html`<li>${one.name} was ${one.reference} and is ${one.current}</li>`),
    ...schema.unexpected.map((name) => html`<li>${name} is new</li>`),
  ];
  return lines.length === 0 ? null : html`<section><h2>Columns differ</h2><ul>${lines}</ul></section>`;
}

function columnSection(column: DriftColumn, report: DriftReport): Html {
  const facts = [
    `Effect ${withUnit(column.effect, column.effect_unit)}, counts from ${withUnit(column.effect_threshold, column.effect_unit)}`,
    `q ${pValue(column.q_value)}`,
    ...(column.since === null ? [] : [`since ${column.since}`]),
    ...(column.importance === null ? [] : [`${percent(column.importance)} of the importance`]),
  ].join(' · ');
  return html`<section><h2>${column.name} ${badge(tones[column.verdict], words[column.verdict])}</h2>
    <p>${column.summary}</p><p class="eyebrow">${facts}</p>
    ${drawing(column, report)}${segmentTables(column)}</section>`;
}

function drawing(column: DriftColumn, report: DriftReport): Html | null {
  const { histogram } = column;
  if (histogram === null) return null;
  return figure(
    (width) => distributionPlot({ column, histogram, report, width }),
    histogram.edges === null
      ? 'Change of share, in points.'
      : 'Share of rows; what lies outside is counted in the outermost bars.',
  );
}

/** A column's distribution before and now, as SVG of `width` pixels. */
export function distributionPlot(plot: {
  column: Pick<DriftColumn, 'name'>;
  histogram: Histogram;
  report: Pick<DriftReport, 'reference' | 'current'>;
  width: number;
}): string {
  const { edges, reference, current, labels } = plot.histogram;
  const { name } = plot.column;
  if (edges !== null) {
    return histogramPair({
      title: `${name} before and now`,
      edges,
      reference,
      current,
      labels: { reference: plot.report.reference.name, current: plot.report.current.name },
      axis: name,
      width: plot.width,
    });
  }
  const rows = labels.map((label, i) => ({
    label,
    value: 100 * ((current[i] ?? 0) - (reference[i] ?? 0)),
    note: `${percent(reference[i] ?? 0)} → ${percent(current[i] ?? 0)}`,
  }));
  return barPlot({ title: `${name}: change of share`, rows, width: plot.width });
}

function segmentTables({ name, segments }: DriftColumn): Html[] {
  const dimensions = [...new Set(segments.map(({ dimension }) => dimension))];
  return dimensions.map((dimension) => {
    const own = dimension === name;
    const rows = segments.filter((segment) => segment.dimension === dimension);
    const total = rows[0]?.total ?? 0;
    const title = own
      ? `By its own values: parts of the PSI of ${readable(total)}`
      : `By ${dimension}: parts of the shift of the mean, ${signed(total)}`;
    return fold(
      title,
      htmlTable({
        columns: [
          { title: dimension },
          { title: 'share before', number: true },
          { title: 'share now', number: true },
          ...(own
            ? []
            : [
                { title: 'mean before', number: true },
                { title: 'mean now', number: true },
              ]),
          { title: 'part', number: true },
        ],
        rows: rows.map((segment) => [
          segment.segment,
          percent(segment.share_reference),
          percent(segment.share_current),
          ...(own ? [] : [readable(segment.mean_reference), readable(segment.mean_current)]),
          signed(segment.contribution),
        ]),
      }),
    );
  });
}

function columnTable(columns: readonly DriftColumn[]): Html {
  return htmlTable({
    columns: [
      { title: 'column' },
      { title: 'verdict' },
      { title: 'effect', number: true },
      { title: 'counts from', number: true },
      { title: 'q', number: true },
      { title: 'nulls', number: true },
      { title: 'PSI', number: true },
    ],
    rows: columns.map((column) => [
      column.name,
      badge(tones[column.verdict], words[column.verdict]),
      withUnit(column.effect, column.effect_unit),
      withUnit(column.effect_threshold, column.effect_unit),
      pValue(column.q_value),
      `${percent(column.null_rate_reference)} → ${percent(column.null_rate_current)}`,
      readable(column.psi),
    ]),
  });
}

function leftOutTable(report: DriftReport): Html {
  return htmlTable({
    columns: [{ title: 'column' }, { title: 'why' }],
    rows: report.left_out.map((one) => [one.name, `${one.reason}: ${one.detail}`]),
  });
}

function runbookSection(runbook: RunbookResult): Html {
  const when = runbook.days === null ? '' : `, again in ${runbook.days} days`;
  return html`<section><h2>Runbook: ${runbook.runbook}</h2>
    <ul class="checks">${runbook.steps.map(
      ({ title, answer, detail }) =>
        html`<li><span>${answer}</span><span class="name">${title}</span><p class="why">${detail}</p></li>`,
    )}</ul>
    <p><strong>${runbook.action}</strong>${when}: ${runbook.reason}</p></section>`;
}

function method(report: DriftReport): string {
  const level = `a column counts as moved when its adjusted p is at most ${report.alpha} and its effect reaches its threshold`;
  return report.assumes_independent_rows
    ? `Without a time column every row counts as independent, which real rows rarely are; ${level}.`
    : `Significance by permuting whole blocks (${report.block}s${report.weekday_matched ? ', matched by weekday' : ''}, ${report.assignments.toLocaleString('en-US')} assignments, max-T over columns); ${level}.`;
}
