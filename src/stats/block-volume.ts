import { addScaled, rowTotal } from './block-rows.ts';

/**
 * Takes what goes with a block's number of rows out of the counts, as the analysis of covariance does: from each
 * block its rows × slope × (ln rows − their mean), with the slope of each bin's share on ln rows by least squares
 * weighted by rows, within strata where there are any. Holidays have few rows and another mix of them. Rows of a block
 * and counts of a bin over all blocks stay; all blocks are taken together, so no assignment of blocks to sides changes
 * the result.
 */
export function centreVolume({
  bins,
  counts,
  strata,
}: {
  readonly bins: number;
  readonly counts: Float64Array;
  readonly strata: Int32Array | null;
}): Float64Array {
  const blocks = counts.length / bins;
  const rows = Float64Array.from({ length: blocks }, (_, block) => rowTotal(counts, block * bins, bins));
  const volume = centredVolume(rows, strata ?? new Int32Array(blocks));
  const slopes = new Float64Array(bins);
  let spread = 0;
  for (let block = 0; block < blocks; block++) {
    const v = volume[block] as number;
    spread += (rows[block] as number) * v * v;
    addScaled(slopes, 0, counts.subarray(block * bins, (block + 1) * bins), v);
  }
  const out = counts.slice();
  // rounding leaves a trace of volume where all blocks have the same
  if (!(spread > 1e-12 * rows.reduce((sum, n) => sum + n, 0))) return out;
  for (let block = 0; block < blocks; block++) {
    const taken = ((rows[block] as number) * (volume[block] as number)) / spread;
    addScaled(out, block * bins, slopes, -taken);
  }
  return out;
}

/** ln rows less their mean within the stratum, weighted by rows. */
function centredVolume(rows: Float64Array, strata: Int32Array): Float64Array {
  const logs = rows.map((n) => Math.log(Math.max(1, n)));
  const sums = new Map<number, { rows: number; sum: number }>();
  strata.forEach((stratum, block) => {
    const own = sums.get(stratum) ?? { rows: 0, sum: 0 };
    const n = rows[block] as number;
    sums.set(stratum, { rows: own.rows + n, sum: own.sum + n * (logs[block] as number) });
  });
  return logs.map((log, block) => {
    const own = sums.get(strata[block] as number);
    return own === undefined || own.rows === 0 ? 0 : log - own.sum / own.rows;
  });
}
