import { escapeHtml } from './plain.ts';
import { ticks } from './scale.ts';
import { clamp, frame, linear, round, tickText } from './svg-frame.ts';
import { fitText, textWidth } from './text-width.ts';

/** Names of the two sides: the first is drawn as an outline, the second filled, so that no colour is needed. */
export interface SideLabels {
  reference: string;
  current: string;
}

export interface HistogramPair {
  title: string;
  /** Edges of the bars, one more than counts. */
  edges: readonly number[];
  /** Counts; null draws one distribution alone. */
  reference: readonly number[] | null;
  current: readonly number[];
  labels: SideLabels;
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
  const before = reference === null ? null : shares(reference);
  const now = shares(current);
  const most = Math.max(1e-12, ...(before ?? []), ...now);
  const y = (share: number) => round(bottom - (share / most) * (bottom - top));
  const x = (i: number) => round(scale.at(edges[i] ?? 0));
  const bars = now
    .map((share, i) =>
      share > 0
        ? `<rect class="two" x="${x(i)}" y="${y(share)}" width="${round(Math.max(0.5, x(i + 1) - x(i) - 0.5))}" height="${round(bottom - y(share))}"/>`
        : '',
    )
    .join('');
  const outline =
    before === null
      ? ''
      : `<path class="one" d="M${x(0)} ${bottom}${before.map((share, i) => `V${y(share)}H${x(i + 1)}`).join('')}V${bottom}"/>`;
  const axisTicks = ticks(scale.low, scale.high, width < 500 ? 4 : 6)
    .map((tick) => {
      const half = textWidth(tickText(tick), 12) / 2;
      return `<text class="soft" x="${round(clamp(scale.at(tick), half, width - half))}" y="${bottom + 18}" text-anchor="middle">${tickText(tick)}</text>`;
    })
    .join('');
  const base = `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`;
  const caption = `<text class="soft" x="${width / 2}" y="${bottom + 38}" text-anchor="middle">${escapeHtml(fitText(axis, width, 12))}</text>`;
  const legend = sideLegend(before === null ? { current: labels.current } : labels, width);
  return frame({ title, width, height: bottom + 46 }, legend + bars + outline + base + axisTicks + caption);
}

export interface SharePairs {
  title: string;
  /** Shares of both sides, 0 to 1. */
  rows: readonly { label: string; reference: number; current: number; note: string }[];
  labels: SideLabels;
  width?: number;
}

/** Shares of categories on both sides, a line each: the first side's bar as an outline around the second's. */
export function sharePairs({ title, rows, labels, width = 720 }: SharePairs): string {
  const stacked = width < 500;
  const left = stacked ? 8 : 198;
  const right = width - (stacked ? 8 : 140);
  const rowHeight = stacked ? 50 : 32;
  const top = 34;
  const most = Math.max(1e-12, ...rows.flatMap((row) => [row.reference, row.current]));
  const length = (share: number) => round((share / most) * (right - left));
  const body = rows
    .map((row, index) => {
      const y = top + index * rowHeight + (stacked ? 22 : 4);
      const textY = stacked ? y - 7 : y + 14;
      const noteWidth = textWidth(row.note, 12);
      const labelWidth = stacked ? right - left - noteWidth - 12 : left - 16;
      const bar = (kind: string, share: number, inset: number) =>
        share > 0
          ? `<rect class="${kind}" x="${left}" y="${y + inset}" width="${Math.max(1, length(share))}" height="${18 - 2 * inset}"/>`
          : '';
      return `<g><title>${escapeHtml(`${row.label}: ${row.note}`, 300)}</title><text x="${stacked ? left : 0}" y="${textY}">${escapeHtml(fitText(row.label, labelWidth))}</text><text class="soft" x="${stacked ? right : width}" y="${textY}" text-anchor="end">${escapeHtml(row.note)}</text>${bar('two', row.current, 4)}${bar('one', row.reference, 0)}</g>`;
    })
    .join('');
  const height = top + rows.length * rowHeight + 4;
  const line = stacked
    ? ''
    : `<line class="zero" x1="${left}" x2="${left}" y1="${top - 4}" y2="${height - 4}"/>`;
  return frame({ title, width, height }, sideLegend(labels, width) + line + body);
}

function sideLegend(labels: { reference?: string; current: string }, width: number): string {
  const sides = [
    ...(labels.reference === undefined ? [] : [{ kind: 'one', name: labels.reference }]),
    { kind: 'two', name: labels.current },
  ];
  const room = (width - 16) / sides.length - 30;
  let x = 8;
  return sides
    .map(({ kind, name }) => {
      const shown = fitText(name, Math.min(220, room));
      const drawn = `<rect class="${kind}" x="${x}" y="4" width="12" height="12"/><text x="${x + 20}" y="15">${escapeHtml(shown)}</text>`;
      x = round(x + 20 + textWidth(shown, 13) + 24);
      return drawn;
    })
    .join('');
}

function shares(counts: readonly number[]): number[] {
  const sum = counts.reduce((total, count) => total + count, 0);
  return counts.map((count) => (sum > 0 ? count / sum : 0));
}
