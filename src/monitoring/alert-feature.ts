import { withCommas } from '../report/commas.ts';
import { details, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import type { DriftColumn, DriftReport, Segment } from './drift-report.ts';
import { farWords, meanWords, meanWordsWithin, rangeWords } from './far-words.ts';
import { percent, pValue, readable, signed, withUnit } from './format.ts';
import type { Signal } from './signal.ts';

/** The feature that moved: by how much, both distributions, the segments that carry it. Null where the report has none. */
export function featurePart(report: DriftReport | null, head: Signal): Markdown | null {
  const column = report?.columns.find(({ name }) => name === head.name);
  if (report === null || column === undefined) return null;
  const rank =
    head.rank === null
      ? 'not known'
      : `${percent(head.importance)} of the model's importance, rank ${head.rank}${head.top === true ? ', among the most important' : ''}`;
  const test = report.assumes_independent_rows
    ? `p ${pValue(column.p_block)}, adjusted over all columns ${pValue(column.q_value)} (taking rows as independent: there is no time column)`
    : `p ${pValue(column.p_block)}, adjusted over all columns ${pValue(column.q_value)}, by permuting whole blocks ${withCommas(report.assignments)} times`;
  const moved = meanWordsWithin(column);
  const facts: [string, string | null][] = [
    ['Moved by', moved === null ? null : `${moved}${rangeWords(column)}`],
    ['Far values', farWords(column)],
    ['With all values', column.ends === null ? null : meanWords(column)],
    [
      'Effect',
      `${withUnit(column.effect, column.effect_unit)} (counts from ${withUnit(column.effect_threshold, column.effect_unit)})`,
    ],
    ['Significance', test],
    ['Nulls', `${percent(column.null_rate_reference)} → ${percent(column.null_rate_current)}`],
    ['Since', head.since],
    ['Windows', head.windows.evaluated > 1 ? `${head.windows.violated} of ${head.windows.evaluated}` : null],
    ['Importance', rank],
  ];
  return paragraphs(
    `### ${text(column.name)}`,
    table({
      columns: [{ title: '' }, { title: '' }],
      rows: facts.filter(([, value]) => value !== null).map(([name, value]) => [name, text(value, 300)]),
    }),
    distributionPart(column),
    segmentsPart(column),
  );
}

const steps = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Shares as a line of block characters, drawn to the largest share of both sides. */
export function sparkline(shares: readonly number[], largest: number): string {
  return shares
    .map((share) =>
      share === 0 || largest === 0 ? ' ' : steps[Math.min(7, Math.floor((share / largest) * 8))],
    )
    .join('');
}

function distributionPart({ histogram }: DriftColumn): Markdown | null {
  if (histogram === null) return null;
  const { labels, reference, current } = histogram;
  const rows = labels.map((label, i) => [
    text(label, 60),
    percent(reference[i] ?? 0),
    percent(current[i] ?? 0),
    text(signed(100 * ((current[i] ?? 0) - (reference[i] ?? 0)))),
  ]);
  const full = table({
    columns: [
      { title: 'value' },
      { title: 'before', number: true },
      { title: 'now', number: true },
      { title: 'points', number: true },
    ],
    rows,
  });
  if (histogram.edges === null) return paragraphs('**Distribution**', full);
  const largest = Math.max(...reference, ...current);
  const drawn = `\`\`\`text\nbefore |${sparkline(reference, largest)}|\nnow    |${sparkline(current, largest)}|\n\`\`\``;
  return paragraphs(
    `**Distribution**, from ${text(readable(histogram.edges[0] ?? null))} to ${text(readable(histogram.edges.at(-1) ?? null))}`,
    drawn,
    details('Shares by value', full),
  );
}

const segmentsTold = 6;

function segmentsPart({ name, segments }: DriftColumn): Markdown | null {
  const dimensions = [...new Set(segments.map(({ dimension }) => dimension))];
  if (dimensions.length === 0) return null;
  return paragraphs(
    '**Segments that carry it**',
    ...dimensions.map((dimension) => dimensionPart(name, segments, dimension)),
  );
}

function dimensionPart(name: string, segments: readonly Segment[], dimension: string): Markdown {
  const all = segments.filter((segment) => segment.dimension === dimension);
  const shown = all.slice(0, segmentsTold);
  const total = all[0]?.total ?? 0;
  const rest = total - shown.reduce((sum, segment) => sum + segment.contribution, 0);
  const own = dimension === name;
  const far = all[0]?.of === 'far_values';
  const told = (mean: number | null) => (far ? percent(mean === null ? null : mean / 100) : readable(mean));
  const rows = shown.map((segment) => [
    text(segment.segment, 60),
    `${percent(segment.share_reference)} → ${percent(segment.share_current)}`,
    ...(own
      ? []
      : [[segment.mean_reference, segment.mean_current].map((mean) => text(told(mean))).join(' → ')]),
    text(signed(segment.contribution)),
  ]);
  if (all.length > shown.length) rows.push(['all others', '', ...(own ? [] : ['']), text(signed(rest))]);
  rows.push(['**together**', '', ...(own ? [] : ['']), `**${text(signed(total))}**`]);
  return table({
    columns: [
      { title: text(dimension) },
      { title: 'share of rows' },
      ...(own ? [] : [{ title: far ? `far values of ${text(name)}` : `mean of ${text(name)}` }]),
      { title: own ? 'part of the PSI' : far ? 'points of the shift' : 'part of the shift', number: true },
    ],
    rows,
  });
}
