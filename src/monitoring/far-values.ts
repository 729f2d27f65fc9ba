/** Ends of a column in its own unit: in the effect, values beyond them count as they do. */
export interface Ends {
  low: number;
  high: number;
}

/** Widths between the reference's 1 % and 99 % quantiles that ends lie outside of these. */
const widths = 10;

/**
 * Where a few values lie so far from the rest that they would decide the effect alone: one 1e9 in a reference of ages
 * makes a shift of twenty years nothing in standard deviations. Null where no value of either side is that far, so that
 * nothing is cut off there, and where the quantiles are one value. At most 1 % of the reference lies beyond each end.
 *
 * @param q01 1 % quantile of the reference; `q99` its 99 % one
 * @param least smallest value of both sides; `most` the largest one
 * @param shift the configured floor in the column's unit, which an effect must be able to reach; 0 where there is none
 */
export function farEnds({
  q01,
  q99,
  least,
  most,
  shift,
}: Record<'q01' | 'q99' | 'least' | 'most' | 'shift', number>): Ends | null {
  const width = q99 - q01;
  const beyond = Math.max(widths * width, 2 * shift);
  const ends = { low: q01 - beyond, high: q99 + beyond };
  const known = width > 0 && Number.isFinite(ends.low) && Number.isFinite(ends.high);
  return known && (least < ends.low || most > ends.high) ? ends : null;
}

/** Numbers; those beyond an end are the end. */
export const within = (numbers: Float64Array, { low, high }: Ends): Float64Array =>
  numbers.map((number) => Math.min(high, Math.max(low, number)));
