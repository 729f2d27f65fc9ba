import { escapeHtml } from './plain.ts';
import { ticks } from './scale.ts';
import { palette } from './style.ts';

const style = `<style>${palette}
.mg text{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink);font-variant-numeric:tabular-nums}
.mg .soft{fill:var(--soft);font-size:12px}
.mg .axis{stroke:var(--line)}.mg .zero{stroke:var(--mute)}.mg .margin{stroke:var(--fail);stroke-dasharray:4 4}
.mg .pass{stroke:var(--pass);fill:var(--pass)}.mg .fail{stroke:var(--fail);fill:var(--fail)}.mg .inconclusive{stroke:var(--open);fill:var(--open)}.mg .neutral{stroke:var(--mute);fill:var(--mute)}
.mg .one{fill:var(--one);fill-opacity:.35}.mg .two{fill:var(--two);fill-opacity:.45}.mg .bar{fill:var(--two)}
</style>`;

export type PlotTone = 'pass' | 'fail' | 'inconclusive' | 'neutral';

interface Frame {
  title: string;
  width: number;
  height: number;
}

/** An SVG that stands alone: its own style for light and dark, a title for those who listen, no script. */
function frame({ title, width, height }: Frame, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" class="mg" viewBox="0 0 ${width} ${round(height)}" role="img" aria-label="${escapeHtml(title, 300)}"><title>${escapeHtml(title, 300)}</title>${style}${content}</svg>`;
}

export interface IntervalRow {
  label: string;
  low: number;
  estimate: number;
  high: number;
  tone: PlotTone;
  /** Short text at the right end, e.g. the interval in the metric's unit. */
  note: string;
  /** Tolerated loss of this row alone, drawn as a mark; null for none. */
  margin: number | null;
}

export interface IntervalPlot {
  title: string;
  rows: readonly IntervalRow[];
  /** One margin for all rows, drawn as a dashed line at −margin. */
  margin: number | null;
  /** What the axis counts. */
  axis: string;
  width?: number;
}

/** A forest plot: intervals of differences against zero and the margin; higher is better. */
export function intervalPlot({ title, rows, margin, axis, width = 720 }: IntervalPlot): string {
  const stacked = width < 500;
  const left = stacked ? 8 : 190;
  const right = width - (stacked ? 8 : 170);
  const rowHeight = stacked ? 54 : 34;
  const top = 28;
  const bottom = top + rows.length * rowHeight;
  const limits = rows.flatMap((row) => [row.low, row.high]).filter(Number.isFinite);
  if (margin !== null) limits.push(-margin);
  const scale = linear({ values: [...limits, 0], from: left, to: right });
  const line = (x: number, kind: string) =>
    `<line class="${kind}" x1="${round(x)}" x2="${round(x)}" y1="${top - 6}" y2="${bottom}"/>`;
  const grid = ticks(scale.low, scale.high, stacked ? 3 : 5)
    .map(
      (tick) =>
        `${line(scale.at(tick), tick === 0 ? 'zero' : 'axis')}<text class="soft" x="${round(scale.at(tick))}" y="${bottom + 18}" text-anchor="middle">${tickText(tick)}</text>`,
    )
    .join('');
  const limit =
    margin === null
      ? ''
      : `${line(scale.at(-margin), 'margin')}<text class="soft" x="${round(clamp(scale.at(-margin), left + 20, right - 20))}" y="14" text-anchor="middle">margin</text>`;
  const body = rows
    .map((row, index) => {
      const y = top + index * rowHeight + (stacked ? 36 : rowHeight / 2);
      const own =
        row.margin === null
          ? ''
          : `<line class="margin" x1="${round(scale.at(-row.margin))}" x2="${round(scale.at(-row.margin))}" y1="${y - 9}" y2="${y + 9}"/>`;
      const label = stacked
        ? `<text x="${left}" y="${y - 16}">${escapeHtml(row.label, 26)}</text><text class="soft" x="${right}" y="${y - 16}" text-anchor="end">${escapeHtml(row.note, 30)}</text>`
        : `<text x="0" y="${y + 4}">${escapeHtml(row.label, 26)}</text><text class="soft" x="${width}" y="${y + 4}" text-anchor="end">${escapeHtml(row.note, 30)}</text>`;
      return `<g>${label}${own}<line class="${row.tone}" stroke-width="3" stroke-linecap="round" x1="${round(scale.at(row.low))}" x2="${round(scale.at(row.high))}" y1="${y}" y2="${y}"/><circle class="${row.tone}" cx="${round(scale.at(row.estimate))}" cy="${y}" r="5"/></g>`;
    })
    .join('');
  const caption = `<text class="soft" x="${round((left + right) / 2)}" y="${bottom + 38}" text-anchor="middle">${escapeHtml(axis, 80)}</text>`;
  return frame({ title, width, height: bottom + 46 }, grid + limit + body + caption);
}

export interface HistogramPair {
  title: string;
  /** Edges of the bars, one more than counts. */
  edges: readonly number[];
  /** Counts; null draws one distribution alone. */
  reference: readonly number[] | null;
  current: readonly number[];
  labels: { reference: string; current: string };
  axis: string;
  width?: number;
}

/** Two distributions over the same bars, as shares of their own rows. */
export function histogramPair(plot: HistogramPair): string {
  const { title, edges, reference, current, labels, axis, width = 720 } = plot;
  const left = 8;
  const right = width - 8;
  const top = 30;
  const bottom = 190;
  const scale = linear({ values: [edges[0] ?? 0, edges.at(-1) ?? 1], from: left, to: right, pad: 0 });
  const shares = (counts: readonly number[]) => {
    const sum = counts.reduce((total, count) => total + count, 0);
    return counts.map((count) => (sum > 0 ? count / sum : 0));
  };
  const series = [
    ...(reference === null ? [] : [{ kind: 'one', name: labels.reference, share: shares(reference) }]),
    { kind: 'two', name: labels.current, share: shares(current) },
  ];
  const most = Math.max(1e-12, ...series.flatMap((one) => one.share));
  const y = (share: number) => bottom - (share / most) * (bottom - top);
  const bars = series
    .map(({ kind, share }) =>
      share
        .map((value, i) => {
          const x1 = scale.at(edges[i] ?? 0);
          const x2 = scale.at(edges[i + 1] ?? 0);
          return value > 0
            ? `<rect class="${kind}" x="${round(x1)}" y="${round(y(value))}" width="${round(Math.max(0.5, x2 - x1 - 0.5))}" height="${round(bottom - y(value))}"/>`
            : '';
        })
        .join(''),
    )
    .join('');
  const legend = series
    .map(({ kind, name }, index) => {
      const x = left + index * Math.min(170, (right - left) / 2);
      return `<rect class="${kind}" x="${x}" y="4" width="12" height="12" rx="2"/><text x="${x + 18}" y="15">${escapeHtml(name, 24)}</text>`;
    })
    .join('');
  const axisTicks = ticks(scale.low, scale.high, width < 500 ? 4 : 6)
    .map(
      (tick) =>
        `<text class="soft" x="${round(clamp(scale.at(tick), left + 10, right - 14))}" y="${bottom + 18}" text-anchor="middle">${tickText(tick)}</text>`,
    )
    .join('');
  const base = `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`;
  const caption = `<text class="soft" x="${width / 2}" y="${bottom + 38}" text-anchor="middle">${escapeHtml(axis, 80)}</text>`;
  return frame({ title, width, height: bottom + 46 }, legend + bars + base + axisTicks + caption);
}

export interface BarPlot {
  title: string;
  rows: readonly { label: string; value: number; note: string; tone?: PlotTone }[];
  width?: number;
}

/** Horizontal bars from zero, e.g. segments by what they contribute; negative values go left. */
export function barPlot({ title, rows, width = 720 }: BarPlot): string {
  const stacked = width < 500;
  const left = stacked ? 8 : 190;
  const right = width - (stacked ? 8 : 130);
  const rowHeight = stacked ? 48 : 30;
  const scale = linear({ values: [0, ...rows.map((row) => row.value)], from: left, to: right, pad: 0 });
  const zero = scale.at(0);
  const body = rows
    .map((row, index) => {
      const y = 8 + index * rowHeight + (stacked ? 20 : 0);
      const x = scale.at(row.value);
      const textY = stacked ? y - 6 : y + 15;
      const kind = row.tone ?? 'bar';
      return `<text x="${stacked ? left : 0}" y="${textY}">${escapeHtml(row.label, 26)}</text><text class="soft" x="${stacked ? right : width}" y="${textY}" text-anchor="end">${escapeHtml(row.note, 24)}</text><rect class="${kind}" stroke="none" rx="2" x="${round(Math.min(zero, x))}" y="${y + 3}" width="${round(Math.max(1, Math.abs(x - zero)))}" height="14"/>`;
    })
    .join('');
  const height = 16 + rows.length * rowHeight;
  const line = `<line class="zero" x1="${round(zero)}" x2="${round(zero)}" y1="4" y2="${height - 4}"/>`;
  return frame({ title, width, height }, body + line);
}

function linear({
  values,
  from,
  to,
  pad = 0.06,
}: {
  values: number[];
  from: number;
  to: number;
  pad?: number;
}) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!(high > low)) {
    const half = Math.abs(low) > 0 ? Math.abs(low) / 2 : 1;
    low -= half;
    high += half;
  }
  const slack = (high - low) * pad;
  low -= slack;
  high += slack;
  return { low, high, at: (value: number) => from + ((value - low) / (high - low)) * (to - from) };
}

const round = (value: number): number => Math.round(value * 10) / 10;
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const tickText = (tick: number): string => String(Number(tick.toPrecision(6))).replace('-', '−');
