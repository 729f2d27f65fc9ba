import { escapeHtml, oneLine } from './plain.ts';
import { ticks } from './scale.ts';
import { clamp, frame, linear, round, tickText } from './svg-frame.ts';
import { fitText, textWidth } from './text-width.ts';

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
        ? rowTexts(row, { left, right, y: y - 16 })
        : rowTexts(row, { left: 0, right: width, y: y + 4, room: left - 12 });
      return `<g>${label}${own}<line class="${row.tone}" stroke-width="3" stroke-linecap="round" x1="${round(scale.at(row.low))}" x2="${round(scale.at(row.high))}" y1="${y}" y2="${y}"/><circle class="${row.tone}" cx="${round(scale.at(row.estimate))}" cy="${y}" r="5"/></g>`;
    })
    .join('');
  const caption = `<text class="soft" x="${round((left + right) / 2)}" y="${bottom + 38}" text-anchor="middle">${escapeHtml(fitText(axis, right - left, 12))}</text>`;
  return frame({ title, width, height: bottom + 46 }, grid + limit + body + caption);
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
      const texts = stacked
        ? rowTexts(row, { left, right, y: textY })
        : rowTexts(row, { left: 0, right: width, y: textY, room: left - 12 });
      return `<g>${texts}${bar('fail', -row.left, y)}${bar('pass', row.right, y)}</g>`;
    })
    .join('');
  const grid = ticks(scale.low, scale.high, stacked ? 3 : 5)
    .map(
      (tick) =>
        `<line class="${tick === 0 ? 'zero' : 'axis'}" x1="${round(scale.at(tick))}" x2="${round(scale.at(tick))}" y1="${top - 6}" y2="${bottom}"/><text class="soft" x="${round(scale.at(tick))}" y="${bottom + 18}" text-anchor="middle">${tickText(Math.abs(tick))}</text>`,
    )
    .join('');
  const heads = `<text class="soft" x="${left}" y="14">${escapeHtml(sides.left, 24)}</text><text class="soft" x="${right}" y="14" text-anchor="end">${escapeHtml(sides.right, 24)}</text>`;
  const caption = `<text class="soft" x="${round((left + right) / 2)}" y="${bottom + 38}" text-anchor="middle">${escapeHtml(fitText(axis, right - left, 12))}</text>`;
  return frame({ title, width, height: bottom + 46 }, grid + heads + body + caption);
}

/** A row's label at the left and its note at the right. The label takes `room`, or what the note leaves of the line. */
function rowTexts(
  { label, note }: { label: string; note: string },
  { left, right, y, room }: { left: number; right: number; y: number; room?: number },
): string {
  const shown = oneLine(note, 30);
  const free = room ?? right - left - textWidth(shown, 12) - 12;
  return `<text x="${left}" y="${y}">${escapeHtml(fitText(label, free))}</text><text class="soft" x="${right}" y="${y}" text-anchor="end">${escapeHtml(shown)}</text>`;
}
