import { escapeHtml } from './plain.ts';
import { frame, round } from './svg-frame.ts';
import { fitText, textWidth } from './text-width.ts';

/** A cell's state; each has a shape of its own, so that no colour is needed to tell them apart. */
export type MatrixMark = 'alert' | 'drift' | 'quiet' | 'not_decidable' | 'unknown' | 'none';

export interface Matrix {
  title: string;
  /** The oldest first. */
  columns: readonly { label: string }[];
  rows: readonly { label: string; cells: readonly { mark: MatrixMark; title: string }[] }[];
  width?: number;
}

const size = 16;
const rowHeight = 24;

/** How many columns a matrix of this width has room for. */
export function matrixRoom(width: number): number {
  return Math.floor((width - labelWidth(width)) / (size + 4));
}

const labelWidth = (width: number) => (width < 500 ? 130 : 200);

/** States of several things over a course of occasions: the newest columns that there is room for. */
export function matrix({ title, columns, rows, width = 720 }: Matrix): string {
  const left = labelWidth(width);
  const shown = columns.slice(-matrixRoom(width));
  const step = Math.min(28, (width - left) / Math.max(1, shown.length));
  const x = (index: number) => left + index * step + step / 2;
  const bottom = rows.length * rowHeight + 4;
  const body = rows
    .map(({ label, cells }, row) => {
      const y = row * rowHeight + rowHeight / 2 + 2;
      const marks = cells
        .slice(-shown.length)
        .map(
          (cell, index) => `<g><title>${escapeHtml(cell.title)}</title>${shape(cell.mark, x(index), y)}</g>`,
        );
      return `<text x="0" y="${y + 4}">${escapeHtml(fitText(label, left - 12))}</text>${marks.join('')}`;
    })
    .join('');
  return frame({ title, width, height: bottom + 22 }, body + ends(shown, { x, y: bottom + 14 }));
}

/** The first and the last column's name. */
function ends(columns: Matrix['columns'], { x, y }: { x: (index: number) => number; y: number }): string {
  const [first, last] = [columns[0], columns.at(-1)];
  if (first === undefined || last === undefined) return '';
  const begin = x(0) - size / 2;
  const end = x(columns.length - 1) + size / 2;
  const text = (at: number, label: string, anchor: string) =>
    `<text class="soft" x="${round(at)}" y="${y}" text-anchor="${anchor}">${escapeHtml(label, 40)}</text>`;
  const both = textWidth(first.label, 12) + textWidth(last.label, 12) + 16;
  if (columns.length === 1 || end - begin < both) return text(begin, last.label, 'start');
  return text(begin, first.label, 'start') + text(end, last.label, 'end');
}

function shape(mark: MatrixMark, x: number, y: number): string {
  const half = size / 2;
  switch (mark) {
    case 'alert':
      return `<rect class="fail" rx="3" x="${round(x - half)}" y="${round(y - half)}" width="${size}" height="${size}"/><path d="M${round(x)} ${round(y - 4.5)}v5.5M${round(x)} ${round(y + 3.5)}v1.5" stroke="var(--paper)" stroke-width="2" stroke-linecap="round"/>`;
    case 'drift':
      return `<path class="inconclusive" d="M${round(x)} ${round(y - half)}L${round(x + half)} ${round(y)}L${round(x)} ${round(y + half)}L${round(x - half)} ${round(y)}Z"/>`;
    case 'quiet':
      return `<circle class="pass" cx="${round(x)}" cy="${round(y)}" r="3.5"/>`;
    case 'not_decidable':
      return `<circle cx="${round(x)}" cy="${round(y)}" r="6" fill="none" stroke="var(--mute)" stroke-width="1.5" stroke-dasharray="2.5 2.2"/>`;
    case 'unknown':
      return `<path d="M${round(x - 4)} ${round(y)}h8" stroke="var(--mute)" stroke-width="2"/>`;
    case 'none':
      return `<circle class="axis" cx="${round(x)}" cy="${round(y)}" r="1.5" fill="var(--line)"/>`;
  }
}

/** One mark alone, for a key beside the matrix. */
export function matrixKey(mark: MatrixMark, title: string): string {
  return frame({ title, width: 4, height: 12 }, shape(mark, 2, 6));
}
