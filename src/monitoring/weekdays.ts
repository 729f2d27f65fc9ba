import type { MonitoringPolicy } from './policy.ts';
import type { TablePair } from './tables.ts';

/** The weekday of each day (0 to 6), reference first; null where blocks are no days. */
export function weekdayStrata(pair: TablePair, policy: MonitoringPolicy): Int32Array | null {
  if (!pair.timed || policy.block !== 'day') return null;
  const days = [...pair.reference.blocks, ...pair.current.blocks].map((day) =>
    new Date(`${day}T00:00:00Z`).getUTCDay(),
  );
  return days.some(Number.isNaN) ? null : Int32Array.from(days);
}

/** Periods that a quantile is taken of; fewer teach nothing. */
const periodsNeeded = 3;
const weekLength = 7;

/**
 * Where periods of the reference begin that are as long as the window and have its weekday mix, as nearly as one in
 * seven of them has it: ten days with two weekends are held against ten days with two weekends.
 *
 * @param blocks of the reference; `length` of the window, at most as many
 * @param weekdays of `weekdayStrata`; null: every period is like the window
 */
export function periodStarts({
  blocks,
  length,
  weekdays,
}: {
  blocks: number;
  length: number;
  weekdays: Int32Array | null;
}): number[] {
  const starts = Array.from({ length: blocks - length + 1 }, (_, start) => start);
  if (weekdays === null) return starts;
  const wanted = mixOf(weekdays.subarray(blocks));
  const days = mixOf(weekdays.subarray(0, length));
  const differing = starts.map((start) => {
    if (start > 0) {
      days[weekdays[start - 1] as number]!--;
      days[weekdays[start + length - 1] as number]!++;
    }
    return days.reduce((sum, n, weekday) => sum + Math.abs(n - (wanted[weekday] as number)), 0);
  });
  const kept = Math.max(periodsNeeded, Math.ceil(starts.length / weekLength));
  const most = [...differing].sort((a, b) => a - b)[Math.min(kept, starts.length) - 1] as number;
  return starts.filter((start) => (differing[start] as number) <= most);
}

function mixOf(weekdays: Int32Array): number[] {
  const days = Array.from({ length: weekLength }, () => 0);
  for (const weekday of weekdays) days[weekday]!++;
  return days;
}
