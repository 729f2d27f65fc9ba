/** Numbers for people: three or four significant digits, no exponent for usual sizes, a real minus sign. */
export function readable(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2).replace('-', '−');
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
  const rounded = size >= 1 || size === 0 ? Number(value.toFixed(digits)) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 8 }).replace('-', '−');
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
  return unit === 'value' ? readable(effect) : `${readable(effect)} ${unit}`;
}
