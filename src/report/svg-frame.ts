import { withCommas } from './commas.ts';
import { escapeHtml } from './plain.ts';
import { palette } from './style.ts';

const style = `<style>${palette}
.mg text{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink);font-variant-numeric:tabular-nums}
.mg .soft{fill:var(--soft);font-size:12px}
.mg .axis{stroke:var(--line)}.mg .zero{stroke:var(--mute)}.mg .margin{stroke:var(--fail);stroke-dasharray:4 4}
.mg .pass{stroke:var(--pass);fill:var(--pass)}.mg .fail{stroke:var(--fail);fill:var(--fail)}.mg .inconclusive{stroke:var(--open);fill:var(--open)}.mg .neutral{stroke:var(--mute);fill:var(--mute)}
.mg .one{fill:none;stroke:var(--ink);stroke-width:1.5}.mg .two{fill:var(--two);fill-opacity:.6}
.mg .paper{fill:var(--paper)}
</style>`;

export interface Frame {
  title: string;
  width: number;
  height: number;
}

/** An SVG that stands alone: its own paper and style for light and dark, a title for those who listen, no script. */
export function frame({ title, width, height }: Frame, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" class="mg" viewBox="-8 -4 ${width + 16} ${round(height + 8)}" role="img" aria-label="${escapeHtml(title, 300)}"><title>${escapeHtml(title, 300)}</title>${style}<rect class="paper" x="-8" y="-4" width="${width + 16}" height="${round(height + 8)}"/>${content}</svg>`;
}

/** A linear axis over the values' range, widened by `pad` of it on both sides. */
export function linear({
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

export const round = (value: number): number => Math.round(value * 10) / 10;
export const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));

/** A tick's number, short: `−0.05`, `2,500`, `1.5M`. */
export function tickText(tick: number): string {
  const value = Number(tick.toPrecision(6));
  const size = Math.abs(value);
  const text =
    size >= 1e15 || (size < 1e-4 && size > 0)
      ? String(value)
      : size >= 1e6
        ? value.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: 4 })
        : withCommas(Number(value.toFixed(8)));
  return text.replaceAll('-', '−');
}
