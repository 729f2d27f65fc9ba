import { badge, figure, fold, type Html, html, htmlTable, type Tone } from '../report/html.ts';
import { histogramPair, sharePairs } from '../report/svg-distribution.ts';
import type { Aspect, ColumnVerdict, DriftColumn, DriftReport, Histogram, Segment } from './drift-report.ts';
import { meanWords } from './far-words.ts';
import { percent, pValue, readable, signed, withUnit } from './format.ts';

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
const aspects: Record<Aspect['aspect'], string> = {
  distribution: 'Values',
  nulls: 'Nulls',
  unseen: 'Unseen values',
  far_values: 'Far values',
};

export function verdictBadge(verdict: ColumnVerdict): Html {
  return badge(tones[verdict], words[verdict]);
}

/** What happened, without the column's name, which stands beside it. */
export function changeOf({ name, summary }: DriftColumn): string {
  return summary.startsWith(`${name}: `) ? summary.slice(name.length + 2) : summary;
}

type Sides = Pick<DriftReport, 'reference' | 'current'>;

/** One column: what moved in it, both distributions, the segments that carry it. `id` is what links name. */
export function columnSection(column: DriftColumn, { sides, id }: { sides: Sides; id: string }): Html {
  const about = [
    ...(column.since === null ? [] : [`Since ${column.since}`]),
    ...(column.importance === null ? [] : [`${percent(column.importance)} of the importance`]),
    ...(column.ends === null
      ? []
      : [
          `Values below ${readable(column.ends.low)} or above ${readable(column.ends.high)} lie far outside of the rest and are compared apart; with all values ${meanWords(column)}`,
        ]),
    ...column.rules_broken.map((rule) => `Rule: ${rule}`),
  ];
  return html`<section id="${id}"><h2>${column.name} ${verdictBadge(column.verdict)}</h2>
    <p>${changeOf(column)}</p>
    <p class="eyebrow">${toldAspects(column).map((aspect) => html`${aspectWords(aspect)}. `)}${about.map((one) => `${one}. `)}</p>
    ${nullsDrawing(column, sides)}${drawing(column, sides)}${carrier(column)}${segmentTables(column)}</section>`;
}

/** What drifted; where nothing did, the headline alone. */
function toldAspects({ aspects: all }: DriftColumn): Aspect[] {
  const drifted = all.filter(({ verdict }) => verdict === 'drift');
  return drifted.length > 0 ? drifted : all.slice(0, 1);
}

function aspectWords({ aspect, effect, unit, threshold, q_value: q }: Aspect): string {
  const test = q === null ? '' : `, q ${pValue(q)}`;
  return `${aspects[aspect]}: effect ${withUnit(effect, unit)}, counts from ${withUnit(threshold, unit)}${test}`;
}

function nullsDrawing(column: DriftColumn, sides: Sides): Html | null {
  const moved = column.aspects.some(({ aspect, verdict }) => aspect === 'nulls' && verdict === 'drift');
  const { null_rate_reference: before, null_rate_current: now } = column;
  if (!moved || before === null || now === null) return null;
  const row = (label: string, reference: number, current: number) => ({
    label,
    reference,
    current,
    note: `${percent(reference)} → ${percent(current)}`,
  });
  const rows = [row('null', before, now), row('with a value', 1 - before, 1 - now)];
  const title = `${column.name}: nulls before and now`;
  return figure(
    (width) => sharePairs({ title, rows, labels: sideNames(sides), width }),
    'Share of all rows.',
  );
}

function drawing(column: DriftColumn, report: Sides): Html | null {
  const { histogram } = column;
  if (histogram === null) return null;
  const nulls =
    column.null_rate_reference === 0 && column.null_rate_current === 0 ? 'rows' : 'rows with a value';
  return figure(
    (width) => distributionPlot({ column, histogram, report, width }),
    histogram.edges === null
      ? `Share of ${nulls}.`
      : `Share of ${nulls}; what lies outside is counted in the outermost bars.`,
  );
}

/** A column's distribution before and now, as SVG of `width` pixels. */
export function distributionPlot(plot: {
  column: Pick<DriftColumn, 'name'>;
  histogram: Histogram;
  report: Sides;
  width: number;
}): string {
  const { edges, reference, current, labels } = plot.histogram;
  const { name } = plot.column;
  const shared = { title: `${name} before and now`, labels: sideNames(plot.report), width: plot.width };
  if (edges !== null) return histogramPair({ ...shared, edges, reference, current, axis: name });
  const rows = labels.map((label, i) => {
    const [before, now] = [reference[i] ?? 0, current[i] ?? 0];
    return { label, reference: before, current: now, note: `${percent(before)} → ${percent(now)}` };
  });
  return sharePairs({ ...shared, rows });
}

const sideNames = ({ reference, current }: Sides) => ({ reference: reference.name, current: current.name });

/** A level of another column that carries at least this part of the shift is named. */
const namedPart = 0.5;
/** Where a part is far more than the whole, other parts undo it, and it carries none. */
const wholePart = 2;

/** The one level of another column that carries most of the shift, as a sentence. */
function carrier({ aspects: all, segments }: DriftColumn): Html | null {
  if (!all.some(({ aspect, verdict }) => aspect === 'distribution' && verdict === 'drift')) return null;
  const carries = ({ contribution, total, share_current: share }: Segment) =>
    total !== 0 &&
    contribution / total <= wholePart &&
    contribution / total >= namedPart &&
    contribution / total > 1.5 * share;
  const first = segments.find((segment) => segment.of === 'mean_difference' && carries(segment));
  if (first === undefined) return null;
  return html`<p>Most of it comes from ${first.dimension} = ${first.segment}: ${signed(first.contribution)} of the ${signed(first.total)} by which the mean moved.</p>`;
}

function segmentTables({ name, segments }: DriftColumn): Html[] {
  const dimensions = [...new Set(segments.map(({ dimension }) => dimension))];
  return dimensions.map((dimension) => {
    const rows = segments.filter((segment) => segment.dimension === dimension);
    const total = rows[0]?.total ?? 0;
    return dimension === name
      ? fold(`By its own values: parts of the PSI of ${readable(total)}`, segmentTable(dimension, rows, null))
      : fold(
          rows[0]?.of === 'far_values'
            ? `By ${dimension}: parts of the shift of the share of far values, ${signed(total)} points`
            : `By ${dimension}: parts of the shift of the mean, ${signed(total)}`,
          segmentTable(dimension, rows, rows[0]?.of === 'far_values' ? 'far values' : 'mean'),
        );
  });
}

/** `measured`: what the segments' means are of, for far values points of share; null where they have none. */
function segmentTable(dimension: string, segments: readonly Segment[], measured: string | null): Html {
  const number = (title: string) => ({ title, number: true });
  return htmlTable({
    columns: [
      { title: dimension },
      ...[
        'share before',
        'share now',
        ...(measured === null ? [] : [`${measured} before`, `${measured} now`]),
        'part',
      ].map(number),
    ],
    rows: segments.map((segment) => [
      segment.segment,
      percent(segment.share_reference),
      percent(segment.share_current),
      ...(measured === null
        ? []
        : [segment.mean_reference, segment.mean_current].map((mean) =>
            measured === 'mean' ? readable(mean) : percent(mean === null ? null : mean / 100),
          )),
      signed(segment.contribution),
    ]),
  });
}
