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
 */
export function farEnds({
  q01,
  q99,
  least,
  most,
}: Record<'q01' | 'q99' | 'least' | 'most', number>): Ends | null {
  const width = q99 - q01;
  const ends = { low: q01 - widths * width, high: q99 + widths * width };
  const known = width > 0 && Number.isFinite(ends.low) && Number.isFinite(ends.high);
  return known && (least < ends.low || most > ends.high) ? ends : null;
}
