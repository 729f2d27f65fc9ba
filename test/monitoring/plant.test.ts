import { describe, expect, it } from 'vitest';
import { type BlockCounts, valueCounts } from '../../src/monitoring/block-counts.ts';
import type { ColumnData } from '../../src/monitoring/column-data.ts';
import { distance } from '../../src/monitoring/effect.ts';
import { plantedDistance, plantShift } from '../../src/monitoring/plant.ts';
import type { TablePair } from '../../src/monitoring/tables.ts';
import { fittedMap } from '../../src/stats/bucket-rows.ts';
import { BucketedSample } from '../../src/stats/bucketed-sample.ts';

/** One block of a column. */
function column(starts: number[], positions: number[], rows: number[]): BlockCounts {
  const reference = Float64Array.from(rows);
  return {
    ...{ bins: rows.length, starts: Float64Array.from(starts), positions: Float64Array.from(positions) },
    ...{ reference, current: reference },
  };
}

it('bins of rows begin where values do, and none is empty', () => {
  const values = Float64Array.from({ length: 300 }, (_, i) => [0, 0, 0, 7][i % 4] as number);
  const map = fittedMap([values, values]);
  const side = () => ({
    ...{ n: 300, nullsByBlock: new Float64Array(1), block: new Uint8Array(300) },
    sample: new BucketedSample(values, map),
  });
  const one = {
    blocks: ['all'],
    rowsByBlock: Float64Array.of(300),
    rows: 300,
    rowsWithoutTime: 0,
    relation: '',
  };
  const pair: TablePair = {
    ...{ columns: [], leftOut: [], schema: { missing: [], unexpected: [], changed: [] }, block: '' },
    ...{ timed: false, reference: one, current: one },
  };
  const data: ColumnData = { kind: 'numeric', name: 'x', reference: side(), current: side() };
  expect(valueCounts(data, pair, null).values).toEqual({
    ...{ bins: 2, positions: Float64Array.of(0, 7), starts: Float64Array.of(0, 7) },
    ...{ reference: Float64Array.of(225, 75), current: Float64Array.of(225, 75) },
  });
});

describe('a planted shift', () => {
  it('moves even values evenly, however uneven their bins', () => {
    const even = column([0, 0.5, 0.51, 1], [0.25, 0.505, 0.755, 1], [500, 10, 490, 0]);
    const moved = plantShift(even, 0.1);
    for (const [bin, rows] of [400, 10, 490, 100].entries()) expect(moved[bin]).toBeCloseTo(rows, 9);
  });

  it('moves the mean of two values by its size, as far as there are rows to move', () => {
    const moved = plantShift(column([0, 1], [0, 1], [80, 20]), 0.1);
    expect(moved[0]).toBeCloseTo(72, 9);
    expect(moved[1]).toBeCloseTo(28, 9);
  });

  it('shows an effect of its own size also where bins are wide', () => {
    const tailed = column([0, 1, 2], [0, 1.5, 40], [970, 20, 10]);
    const { reference: rows } = tailed;
    const scale = { unit: 'sd', sd: 5 } as const;
    expect(plantedDistance(tailed, { scale, size: 0.5 }, [rows, rows])).toBeCloseTo(0.1, 12);
    // the mean of the last bin is far from where rows enter it
    expect(distance(tailed, scale, [rows, plantShift(tailed, 0.5)])).toBeGreaterThan(0.15);
  });
});
