import { escapeHtml } from './plain.ts';
import { ticks } from './scale.ts';
import { clamp, frame, linear, round, tickText } from './svg-frame.ts';

export type PlotTone = 'pass' | 'fail' | 'inconclusive' | 'neutral';

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

export interface DivergingBars {
  title: string;
  /** What the bars to either side count. */
  sides: { left: string; right: string };
  /** Lengths of at least 0, in the axis' unit. */
  rows: readonly { label: string; left: number; right: number; note: string }[];
  axis: string;
  width?: number;
}

/** Two bars a row from one line in the middle: losses to the left, gains to the right. */
export function divergingBars({ title, sides, rows, axis, width = 720 }: DivergingBars): string {
  const stacked = width < 500;
  const left = stacked ? 8 : 190;
  const right = width - (stacked ? 8 : 130);
  const rowHeight = stacked ? 48 : 30;
  const top = 28;
  const bottom = top + rows.length * rowHeight;
  const scale = linear({
    values: [0, ...rows.flatMap((row) => [-row.left, row.right])],
    from: left,
    to: right,
    pad: 0.02,
  });
  const zero = scale.at(0);
  const bar = (kind: PlotTone, value: number, y: number) => {
    const x = scale.at(value);
    return `<rect class="${kind}" stroke="none" rx="2" x="${round(Math.min(zero, x))}" y="${y}" width="${round(Math.abs(x - zero))}" height="14"/>`;
  };
  const body = rows
    .map((row, index) => {
      const y = top + index * rowHeight + (stacked ? 24 : 6);
      const textY = stacked ? y - 6 : y + 12;
      return `<g><text x="${stacked ? left : 0}" y="${textY}">${escapeHtml(row.label, 26)}</text><text class="soft" x="${stacked ? right : width}" y="${textY}" text-anchor="end">${escapeHtml(row.note, 24)}</text>${bar('fail', -row.left, y)}${bar('pass', row.right, y)}</g>`;
    })
    .join('');
  const grid = ticks(scale.low, scale.high, stacked ? 3 : 5)
    .map(
      (tick) =>
        `<line class="${tick === 0 ? 'zero' : 'axis'}" x1="${round(scale.at(tick))}" x2="${round(scale.at(tick))}" y1="${top - 6}" y2="${bottom}"/><text class="soft" x="${round(scale.at(tick))}" y="${bottom + 18}" text-anchor="middle">${tickText(Math.abs(tick))}</text>`,
    )
    .join('');
  const heads = `<text class="soft" x="${left}" y="14">${escapeHtml(sides.left, 24)}</text><text class="soft" x="${right}" y="14" text-anchor="end">${escapeHtml(sides.right, 24)}</text>`;
  const caption = `<text class="soft" x="${round((left + right) / 2)}" y="${bottom + 38}" text-anchor="middle">${escapeHtml(axis, 80)}</text>`;
  return frame({ title, width, height: bottom + 46 }, grid + heads + body + caption);
}
