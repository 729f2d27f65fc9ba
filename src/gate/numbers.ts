import { withCommas } from '../report/commas.ts';

/** Numbers as the gate's sentences say them. */

/** A metric's value: four significant digits, at least three decimals below 10. */
export function formatValue(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-4) return minus(value.toExponential(1));
  if (size >= 1000) return minus(withCommas(Number(value.toFixed(0))));
  return minus(value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.01 || size === 0 ? 3 : 4));
}

/** A value with three significant digits, for numbers that are held against each other. */
export function formatExact(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '–' : minus(String(Number(value.toPrecision(3))));
}

/** A difference, always with its sign. */
export function formatDifference(value: number | null): string {
  const text = formatValue(value);
  return value !== null && value > 0 ? `+${text}` : text;
}

/** `[−0.078, −0.064]` */
export function formatInterval(low: number | null, high: number | null): string {
  return `[${formatDifference(low)}, ${formatDifference(high)}]`;
}

/** An interval of values instead of differences: without signs. */
export function formatPlainInterval(low: number | null, high: number | null): string {
  return `[${formatValue(low)}, ${formatValue(high)}]`;
}

/** Whole numbers with thousands separated. */
export function formatCount(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '–' : minus(withCommas(Math.round(value)));
}

export function formatPercent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '–';
  const percent = share * 100;
  return `${minus(percent.toFixed(percent !== 0 && Math.abs(percent) < 1 ? 2 : 1).replace(/\.0+$/, ''))} %`;
}

/** A p-value: never "0". */
export function formatP(p: number | null): string {
  if (p === null || !Number.isFinite(p)) return '–';
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** `1 row`, `2,000 rows` */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const minus = (text: string): string => text.replace('-', '−').replace(/^−(0(\.0+)?)$/, '$1');
