import { withCommas } from '../report/commas.ts';
import { fold, type Html, html, htmlTable, page } from '../report/html.ts';
import { changeOf, columnSection, verdictBadge } from './drift-page-column.ts';
import type { DriftColumn, DriftReport } from './drift-report.ts';
import { jointWords } from './drift-verdict.ts';
import { detectable, percent, pValue, readable, withUnit } from './format.ts';
import { actionWords, type RunbookResult } from './runbook.ts';

export interface DriftPage {
  title: string;
  /** One sentence under the title. */
  lead: string;
  report: DriftReport;
  /** The predictions' own comparison, shown after the inputs. */
  predictions?: DriftReport | null;
  runbooks?: readonly RunbookResult[];
}

/** Columns that moved and get a section with drawings; all of them stand in the table at the end. */
const drawnColumns = 12;

/**
 * The drift report as one page: what moved and what to do on the first screen; then each moved column with both
 * distributions and its segments, the runbooks' answers, and every column.
 */
export function driftPage({ title, lead, report, predictions, runbooks = [] }: DriftPage): string {
  const drifted = report.drifted.flatMap((name) => report.columns.filter((column) => column.name === name));
  const drawn = drifted.slice(0, drawnColumns).map((column, i) => ({ column, id: `moved-${i + 1}` }));
  const body = html`<header>
    <p class="eyebrow">Drift</p>
    <h1>${title}</h1>
    ${lead.startsWith(title) ? null : html`<p class="lead">${lead}</p>`}
    ${nextSteps(report, runbooks)}
    ${movedList(drawn, drifted.length)}
    ${factsList(report)}</header>
    ${schemaSection(report)}
    ${drawn.map(({ column, id }) => columnSection(column, { sides: report, id }))}
    ${(predictions?.columns ?? []).map((column, i) => columnSection(column, { sides: predictions as DriftReport, id: `prediction-${i + 1}` }))}
    ${runbooks.map(runbookSection)}
    <section id="all"><h2>All columns</h2>${jointPart(report)}${columnTable(report.columns)}
    ${report.left_out.length === 0 ? null : fold(`Left out: ${report.left_out.length}`, leftOutTable(report))}</section>
    <footer>${method(report)}</footer>`;
  return page({ title, body });
}

/** What to do, as the runbooks decided; without one, what the comparison itself asks for. */
function nextSteps(report: DriftReport, runbooks: readonly RunbookResult[]): Html {
  if (runbooks.length === 0) return html`<div class="next"><p>${withoutRunbook(report)}</p></div>`;
  return html`<div class="next">${runbooks.map(
    ({ action, days, reason }, i) =>
      html`<p><strong>${actionWords[action]}${days === null ? '' : ` in ${days} days`}</strong>: ${reason} <a href="#runbook-${i + 1}">What was looked at</a></p>`,
  )}</div>`;
}

function withoutRunbook({ columns, drifted, joint, schema_differences: schema }: DriftReport): string {
  if (drifted.length > 0 || joint?.verdict === 'drift')
    return 'Look at what moved, and whether it was meant to.';
  if (schema.missing.length + schema.changed.length > 0)
    return 'Mend the columns that differ, then compare again.';
  const open = columns.filter(({ verdict }) => verdict !== 'ok').length;
  if (open === 0) return 'Nothing to do.';
  return open === columns.length
    ? 'Compare again with more data: the table below says what is missing.'
    : 'Nothing to do for what could be decided; the table below says what is missing for the rest.';
}

function movedList(drawn: readonly { column: DriftColumn; id: string }[], all: number): Html | null {
  if (drawn.length === 0) return null;
  const more = all - drawn.length;
  return html`<nav aria-label="What moved"><ol class="moved">${drawn.map(
    ({ column, id }) =>
      html`<li><a href="#${id}">${column.name}</a><span>${changeOf(column)}</span><span class="since">${column.since === null ? null : `since ${column.since}`}</span></li>`,
  )}${more > 0 ? html`<li><a href="#all">and ${more} more</a></li>` : null}</ol></nav>`;
}

function factsList(report: DriftReport): Html {
  const unit = report.block === 'day' || report.block === 'week' ? `${report.block}s` : 'blocks';
  const side = ({ name, rows, blocks, from, until }: DriftReport['reference'], title: string) =>
    html`<div><dt>${title}: ${name}</dt><dd>${withCommas(rows)} rows</dd>${
      from === null
        ? null
        : html`<dd><span class="whole">${from}</span> to <span class="whole">${until}</span></dd><dd>${blocks} ${unit}</dd>`
    }</div>`;
  return html`<dl class="facts">${side(report.reference, 'Reference')}${side(report.current, 'Current')}
    <div><dt>Moved</dt><dd>${report.drifted.length} of ${report.columns.length} columns</dd></div>
  </dl>`;
}

function schemaSection({ schema_differences: schema }: DriftReport): Html | null {
  const lines = [
    ...schema.missing.map((name) => html`<li>${name} is missing</li>`),
    ...schema.changed.map((one) => html`<li>${one.name} was ${one.reference} and is ${one.current}</li>`),
    ...schema.unexpected.map((name) => html`<li>${name} is new</li>`),
  ];
  return lines.length === 0
    ? null
    : html`<section><h2>Columns differ</h2><ul class="reasons">${lines}</ul></section>`;
}

function jointPart({ joint }: DriftReport): Html | null {
  if (joint === null) return null;
  return html`<p>${verdictBadge(joint.verdict)} ${jointWords(joint)}. This looks at all columns at once and cannot say which of them it was.</p>`;
}

function columnTable(columns: readonly DriftColumn[]): Html {
  return htmlTable({
    columns: [
      { title: 'column' },
      { title: 'verdict' },
      { title: 'effect', number: true },
      { title: 'counts from', number: true },
      { title: 'would have found', number: true },
      { title: 'q', number: true },
      { title: 'nulls', number: true },
      { title: 'PSI', number: true },
    ],
    rows: columns.map((column) => [
      column.name,
      verdictBadge(column.verdict),
      withUnit(column.effect, column.effect_unit),
      withUnit(column.effect_threshold, column.effect_unit),
      detectable(column.smallest_detectable),
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

function runbookSection(runbook: RunbookResult, index: number): Html {
  return html`<section id="runbook-${index + 1}"><h2>Runbook: ${runbook.runbook}</h2>
    <ul class="checks">${runbook.steps.map(
      ({ title, answer, detail }) =>
        html`<li><span>${answer}</span><span class="name">${title}</span><p class="why">${detail}</p></li>`,
    )}</ul></section>`;
}

function method(report: DriftReport): string {
  const level = `a column counts as moved when its adjusted p (q) is at most ${report.alpha} and its effect reaches its threshold`;
  return report.assumes_independent_rows
    ? `Without a time column every row counts as independent, which real rows rarely are; ${level}.`
    : `Significance by permuting whole blocks (${report.block}s${report.weekday_matched ? ', matched by weekday' : ''}, ${withCommas(report.assignments)} assignments, max-T over columns); ${level}.`;
}
