import type { Duration } from '../registry/delivery-metrics.ts';
import { monthNames } from '../report/time-ticks.ts';

/** `3 Nov 2026`, in UTC. */
export function dayText(moment: string | Date): string {
  const date = new Date(moment);
  return `${date.getUTCDate()} ${monthNames[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** `3 Nov 2026, 14:05`, in UTC. */
export function momentText(moment: string | Date): string {
  return `${dayText(moment)}, ${new Date(moment).toISOString().slice(11, 16)}`;
}

/** `Nov 2026` of `2026-11`. */
export function monthText(month: string): string {
  return dayText(`${month}-01T00:00:00Z`).slice(2);
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `12 days`, `3.5 hours`: one unit, two digits. */
export function durationText(seconds: number): string {
  const [unit, size] = units.find(([, size]) => seconds >= size * 1.5) ?? units[3];
  const value = seconds / size;
  const shown = value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return `${shown.toLocaleString('en-US')} ${unit}${shown === 1 ? '' : 's'}`;
}

export function waitText({ median_seconds }: Duration): string | null {
  return median_seconds === null ? null : durationText(median_seconds);
}

/** A mean over months: `2.5`, `0`. */
export function meanText(value: number | null): string | null {
  return value === null ? null : String(Math.round(value * 10) / 10);
}
