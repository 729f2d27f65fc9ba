import { withCommas } from '../report/commas.ts';

/** Numbers for people: three or four significant digits, no exponent for usual sizes, a real minus sign. */
export function readable(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2).replaceAll('-', '−');
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
  const rounded = size >= 1 || size === 0 ? Number(value.toFixed(digits)) : Number(value.toPrecision(3));
  return withCommas(rounded).replace('-', '−');
}

export function signed(value: number): string {
  return value > 0 ? `+${readable(value)}` : readable(value);
}

/** A share as percent, e.g. `4.2 %`. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${readable(100 * share)} %`;
}

export function pValue(p: number | null): string {
  if (p === null) return '–';
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** An effect with its unit, e.g. `0.23 sd`, `3.1 points`. */
export function withUnit(effect: number | null, unit: 'sd' | 'value' | 'points'): string {
  if (effect === null) return '–';
  const text = readable(effect);
  return unit === 'value' ? text : text === '1' && unit === 'points' ? '1 point' : `${text} ${unit}`;
}

/** The smallest shift that a check would have found, e.g. `0.19 sd (8.2)`, `1.3 points`. */
export function detectable(
  smallest: { value: number; unit: 'sd' | 'points'; shift: number | null } | null,
): string {
  if (smallest === null) return '–';
  const { value, unit, shift } = smallest;
  return `${withUnit(value, unit)}${shift === null ? '' : ` (${readable(shift)})`}`;
}
