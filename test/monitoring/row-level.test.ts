import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/monitoring/aspects.ts';
import { noStatistics } from '../../src/monitoring/classical.ts';
import { defaultMonitoringPolicy } from '../../src/monitoring/policy.ts';
import { significance } from '../../src/monitoring/significance.ts';
import type { Side, TablePair } from '../../src/monitoring/tables.ts';

/** p of the share of nulls without times: rows with a value and without one, before and now. */
function nullsMoved(reference: [number, number], current: [number, number]): number | null | undefined {
  const side = ([filled, empty]: [number, number]): Side => ({
    relation: '"rows"',
    blocks: ['all'],
    rowsByBlock: Float64Array.of(filled + empty),
    rows: filled + empty,
    rowsWithoutTime: 0,
  });
  const pair: TablePair = {
    columns: [],
    leftOut: [],
    schema: { missing: [], unexpected: [], changed: [] },
    reference: side(reference),
    current: side(current),
    block: 'b',
    timed: false,
  };
  const candidate: Candidate = {
    aspect: 'nulls',
    counts: {
      bins: 2,
      positions: null,
      reference: Float64Array.from(reference),
      current: Float64Array.from(current),
    },
    scale: { unit: 'points', sd: 1 },
    effect: 1,
    threshold: { value: 1, from: 'configured' },
    verdict: null,
  };
  const { tested } = significance([{ candidate, statistics: noStatistics }], {
    pair,
    policy: defaultMonitoringPolicy(),
  });
  return tested[0]?.p;
}

describe('significance without times', () => {
  it("is Fisher's exact test where an expected count is small, as SciPy has it", () => {
    expect(nullsMoved([297, 3], [250, 0])).toBeCloseTo(0.2548435171385991, 12);
    expect(nullsMoved([40, 9], [200, 0])).toBeCloseTo(2.3452120600391747e-7, 15);
  });

  it('is chi-square where all of them are large enough, as SciPy has it', () => {
    expect(nullsMoved([250, 50], [180, 70])).toBeCloseTo(0.0013535101040106213, 12);
    expect(nullsMoved([9_999_997, 3], [9_999_985, 15])).toBeCloseTo(0.0046777163807813615, 9);
  });

  it('sees nothing where nothing is null', () => {
    expect(nullsMoved([300, 0], [250, 0])).toBe(1);
  });
});
