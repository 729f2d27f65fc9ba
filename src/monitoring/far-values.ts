import { countBelow } from '../stats/sorted.ts';

/** Ends of a column in its own unit: values below `low`, and from `high` on, are compared apart from the others. */
export interface Ends {
  low: number;
  high: number;
}

/** What is asked of the reference's values. */
export interface Spread {
  quantiles: (shares: readonly number[]) => readonly number[];
  /** Share of the values that are smaller. */
  below: (x: number) => number;
}

/** Widths between two quantiles of the reference that ends lie outside of these. */
const widths = 10;
/** Shares of the bulk; the narrow one where what lies outside of it is one value, such as 9999. */
const bulk = [0.01, 0.99] as const;
const narrow = [3 / 32, 29 / 32] as const;

/**
 * Where a few values lie so far from the rest that they would decide means and effects alone: one 1e9 in a reference of
 * ages makes a shift of twenty years nothing in standard deviations. Null where no value of either side is that far, so
 * that nothing is set apart there, and where the quantiles are one value. At most 1 % of the reference lies beyond each
 * end; up to 9 % where these are one value, such as 9999 for "not known".
 *
 * @param reference the reference's values
 * @param least smallest value of both sides; `most` the largest one
 * @param shift the configured floor in the column's unit, which an effect must be able to reach; 0 where there is none
 */
export function farEnds({
  reference,
  least,
  most,
  shift,
}: { reference: Spread } & Record<'least' | 'most' | 'shift', number>): Ends | null {
  const [low, high] = bulkOf(reference);
  const width = high - low;
  const beyond = Math.max(widths * width, 2 * shift);
  const ends = { low: low - beyond, high: high + beyond };
  const known = width > 0 && Number.isFinite(ends.low) && Number.isFinite(ends.high);
  return known && (least < ends.low || most > ends.high) ? ends : null;
}

function bulkOf(reference: Spread): [number, number] {
  const [q01, low, high, q99] = reference.quantiles([bulk[0], ...narrow, bulk[1]]) as [
    number,
    number,
    number,
    number,
  ];
  const beyond = widths * (high - low);
  const sentinel =
    beyond > 0 &&
    ((q99 > high + beyond && isOneValue(reference, [reference.below(high + beyond), 1])) ||
      (q01 < low - beyond && isOneValue(reference, [0, reference.below(low - beyond)])));
  return sentinel ? [low, high] : [q01, q99];
}

/** Whether the middle half of the values between two shares is one value: a heavy tail's are not. */
function isOneValue({ quantiles }: Spread, [from, until]: [number, number]): boolean {
  const [first, last] = quantiles([0.75 * from + 0.25 * until, 0.25 * from + 0.75 * until]);
  return first === last;
}

/** Of ascending values the first within the ends, and the first above them. */
export function placesWithin(ascending: Float64Array, { low, high }: Ends): [from: number, until: number] {
  return [countBelow(ascending, low), countBelow(ascending, high)];
}
