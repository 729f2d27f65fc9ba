import { escapeHtml } from './plain.ts';
import { clamp, frame, round } from './svg-frame.ts';
import { fitText, textWidth } from './text-width.ts';
import { timeTicks } from './time-ticks.ts';

export interface TimelineSpan {
  /** Milliseconds since 1970. */
  from: number;
  until: number;
  /** Drawn where it fits; `title` says all. */
  label: string;
  title: string;
  /** `now`: it lasts. `undone`: it was ended because it was wrong. */
  kind: 'past' | 'now' | 'undone';
}

export interface Timeline {
  title: string;
  /** Spans of a lane do not overlap; they come in order. */
  lanes: readonly { label: string; spans: readonly TimelineSpan[] }[];
  from: number;
  until: number;
  width?: number;
}

const style = `<style>.mg .past{fill:var(--wash);stroke:var(--mute)}.mg .now{fill:var(--two);fill-opacity:.2;stroke:var(--two);stroke-width:1.5}.mg .undone{fill:var(--wash);stroke:var(--fail);stroke-width:1.5;stroke-dasharray:4 3}.mg .in{stroke:none;font-size:12px}</style>`;
const barHeight = 26;

/** What lasted from when to when, a lane for each thing that can only be one at a time. */
export function timeline({ title, lanes, from, until, width = 720 }: Timeline): string {
  const stacked = width < 500;
  const left = stacked ? 0 : 116;
  const laneHeight = stacked ? 58 : 42;
  const bottom = lanes.length * laneHeight + 4;
  const range = Math.max(1, until - from);
  const x = (at: number) => left + ((clamp(at, from, until) - from) / range) * (width - left);
  const grid = timeTicks(from, until, stacked ? 4 : 6)
    .map(({ at, label }) => {
      const half = textWidth(label, 12) / 2;
      return `<line class="axis" x1="${round(x(at))}" x2="${round(x(at))}" y1="0" y2="${bottom}"/><text class="soft" x="${round(clamp(x(at), half, width - half))}" y="${bottom + 18}" text-anchor="middle">${label}</text>`;
    })
    .join('');
  const body = lanes
    .map(({ label, spans }, index) => {
      const top = index * laneHeight;
      const y = top + (stacked ? 24 : 6);
      const name = stacked
        ? `<text x="0" y="${top + 16}">${escapeHtml(fitText(label, width))}</text>`
        : `<text x="0" y="${y + 18}">${escapeHtml(fitText(label, left - 14))}</text>`;
      return `<g>${name}${spans.map((span) => bar(span, { x, y })).join('')}</g>`;
    })
    .join('');
  return frame({ title, width, height: bottom + 24 }, style + grid + body);
}

function bar(
  { from, until, label, title, kind }: TimelineSpan,
  at: { x: (at: number) => number; y: number },
) {
  const start = at.x(from);
  // whatever was there, however short, can be seen
  const length = Math.max(2, at.x(until) - start - 1.5);
  const text =
    textWidth(label, 12) + 10 > length
      ? ''
      : `<text class="in" x="${round(start + 7)}" y="${at.y + 18}">${escapeHtml(label)}</text>`;
  return `<g><title>${escapeHtml(title)}</title><rect class="${kind}" rx="4" x="${round(start)}" y="${at.y}" width="${round(length)}" height="${barHeight}"/>${text}</g>`;
}
