export const monthNames = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export interface TimeTick {
  /** Milliseconds since 1970. */
  at: number;
  label: string;
}

const hour = 3_600_000;
const day = 24 * hour;
const steps = [hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day];
const monthSteps = [1, 2, 3, 6, 12, 24, 60, 120, 600];

/** At most `wanted` round moments of the calendar, in UTC, within [low, high]; none where there is no such range. */
export function timeTicks(low: number, high: number, wanted: number): TimeTick[] {
  if (!(high > low) || !Number.isFinite(high - low) || wanted < 1) return [];
  const step = steps.find((one) => (high - low) / one <= wanted);
  return step === undefined ? months(low, high, wanted) : even(low, high, step);
}

function even(low: number, high: number, step: number): TimeTick[] {
  const found: TimeTick[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
    const date = new Date(at);
    const label =
      step < day
        ? date.toISOString().slice(11, 16)
        : `${date.getUTCDate()} ${monthNames[date.getUTCMonth()]}`;
    found.push({ at, label });
  }
  return found;
}

function months(low: number, high: number, wanted: number): TimeTick[] {
  const number = (at: number) => new Date(at).getUTCFullYear() * 12 + new Date(at).getUTCMonth();
  const range = number(high) - number(low);
  const step = monthSteps.find((one) => range / one <= wanted) ?? 600;
  const found: TimeTick[] = [];
  for (let month = Math.ceil(number(low) / step) * step; month <= number(high); month += step) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (at >= low && at <= high)
      found.push({ at, label: `${monthNames[month % 12]} ${Math.floor(month / 12)}` });
  }
  return found;
}
