import { describe, expect, it } from 'vitest';
import { aspectsOf, type Candidate, countsOfRows, hasMoved } from '../../src/monitoring/aspects.ts';
import { type BlockCounts, unseenCounts } from '../../src/monitoring/block-counts.ts';
import { levelsByRows } from '../../src/monitoring/categorical-columns.ts';
import { noStatistics } from '../../src/monitoring/classical.ts';
import type { CategoricalData, CategoricalSide } from '../../src/monitoring/column-data.ts';
import { effectThreshold } from '../../src/monitoring/effect.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { significance } from '../../src/monitoring/significance.ts';
import type { Side, TablePair } from '../../src/monitoring/tables.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';

const policy = MonitoringPolicy.parse({ permutations: 199 });

interface Shape {
  /** Days and rows a day. */
  reference: [number, number];
  current: [number, number];
  /** Draws the level of a row. */
  draw: (random: Random) => number;
}

/** Rows that are all drawn alike, laid out as `readColumns` lays a text column out. */
function world(
  { reference, current, draw }: Shape,
  random: Random,
): { data: CategoricalData; pair: TablePair } {
  const sides = [reference, current].map(([days, rows]) =>
    Array.from({ length: days }, () => Array.from({ length: rows }, () => `l${draw(random)}`)),
  ) as [string[][], string[][]];
  const totals = sides.map((days) => {
    const total = new Map<string, number>();
    for (const level of days.flat()) total.set(level, (total.get(level) ?? 0) + 1);
    return total;
  }) as [Map<string, number>, Map<string, number>];
  const levels = levelsByRows(...totals);
  const position = new Map(levels.map((level, i) => [level, i]));
  const counted = (days: string[][], total: Map<string, number>): CategoricalSide => {
    const byBlock = new Float64Array(days.length * levels.length);
    days.forEach((rows, day) => {
      for (const level of rows) byBlock[day * levels.length + (position.get(level) as number)]! += 1;
    });
    const counts = Float64Array.from(levels, (level) => total.get(level) ?? 0);
    return { n: days.flat().length, nullsByBlock: new Float64Array(days.length), counts, byBlock };
  };
  const side = (days: string[][], year: number): Side => ({
    relation: '',
    blocks: days.map((_, day) => new Date(Date.UTC(year, 0, 1 + day)).toISOString().slice(0, 10)),
    rowsByBlock: Float64Array.from(days, (rows) => rows.length),
    rows: days.flat().length,
    rowsWithoutTime: 0,
  });
  return {
    data: {
      kind: 'categorical',
      name: 'level',
      levels,
      reference: counted(sides[0], totals[0]),
      current: counted(sides[1], totals[1]),
    },
    pair: {
      columns: [],
      leftOut: [],
      schema: { missing: [], unexpected: [], changed: [] },
      reference: side(sides[0], 2020),
      current: side(sides[1], 2021),
      block: '',
      timed: true,
    },
  };
}

const moved = (candidates: readonly Candidate[], pair: TablePair) => {
  const questions = candidates.map((candidate) => ({ candidate, statistics: noStatistics }));
  const { tested } = significance(questions, { pair, policy });
  return candidates.filter(({ effect, threshold, verdict }, i) => {
    const q = tested[i]?.q ?? null;
    return verdict === null && hasMoved({ q, effect, threshold, alpha: policy.alpha });
  });
};

/** Windows of 40 with any alarm. */
function alarms(shape: Shape): number {
  const random = seededRandom(11);
  let found = 0;
  for (let run = 0; run < 40; run++) {
    const { data, pair } = world(shape, random);
    const effect = 100; // whatever its size: the test alone decides
    const counts = { ...countsOfRows(data, noStatistics, { pair, policy }), effect };
    if (moved(aspectsOf(counts, { pair, policy }), pair).length > 0) found++;
  }
  return found;
}

const few = (random: Random) => random.below(4);

describe('[MON-1] where nothing moved there is no alarm', () => {
  // of 40 windows at a level of 5 %, 6 or more come in one of 70 runs of such a test
  it.each<[string, Shape]>([
    ['of a tenth of the rows a day', { reference: [31, 300], current: [28, 30], draw: few }],
    ['of ten times the rows a day', { reference: [28, 30], current: [20, 300], draw: few }],
    [
      'in more levels than are told apart',
      { reference: [20, 400], current: [10, 400], draw: (random) => random.below(400) },
    ],
    [
      'with levels so rare that any day brings new ones',
      {
        reference: [30, 10],
        current: [30, 10],
        draw: (random) => Math.floor(Math.exp(Math.log(90) * random.uniform())),
      },
    ],
  ])('%s', (_, shape) => {
    expect(alarms(shape)).toBeLessThan(6);
  });
});

describe('unseen levels', () => {
  /** Blocks × levels: the second level is in the first block alone, the third in none. */
  const reference = Float64Array.of(8, 2, 0, 10, 0, 0);
  const before = Float64Array.of(18, 2, 0);

  it('are held against those that each block of the reference brings', () => {
    const counts = { bins: 3, reference, current: Float64Array.of(5, 0, 5) };
    expect(unseenCounts(counts, before)).toEqual({
      bins: 2,
      positions: null,
      reference: Float64Array.of(8, 2, 10, 0),
      current: Float64Array.of(5, 5),
    });
  });

  it('without blocks are held against the levels of a single row', () => {
    const counts = { bins: 3, reference: Float64Array.of(18, 1, 0), current: Float64Array.of(5, 0, 5) };
    expect(unseenCounts(counts, Float64Array.of(18, 1, 0))?.reference).toEqual(Float64Array.of(18, 1));
  });

  it('a new one that many rows have is found', () => {
    const random = seededRandom(5);
    const { data, pair } = world({ reference: [12, 40], current: [12, 40], draw: few }, random);
    const { byBlock } = data.current;
    const levels = [...data.levels, 'new'];
    const wider = (counts: Float64Array, share: number) =>
      Float64Array.from({ length: (counts.length / 4) * 5 }, (_, i) => {
        const row = Math.floor(i / 5) * 4;
        return i % 5 < 4 ? (counts[row + (i % 5)] as number) * (1 - share) : 40 * share;
      });
    const counts: BlockCounts = {
      ...{ bins: levels.length, positions: null },
      reference: wider(data.reference.byBlock, 0),
      current: wider(byBlock, 0.1),
    };
    const unseen = unseenCounts(counts, Float64Array.from([...data.reference.counts, 0]));
    const candidates = aspectsOf(
      { ...countsOfRows(data, noStatistics, { pair, policy }), unseen, effect: 0 },
      { pair, policy },
    );
    expect(moved(candidates, pair)).toMatchObject([{ aspect: 'unseen', threshold: { value: 1 } }]);
    expect(moved(candidates, pair)[0]?.effect).toBeCloseTo(10, 9);
  });
});

it('a text that is null everywhere has a threshold', () => {
  const none: BlockCounts = {
    bins: 0,
    positions: null,
    reference: new Float64Array(),
    current: new Float64Array(),
  };
  expect(effectThreshold(none, { unit: 'points', sd: 1 }, { floor: { points: 1 }, weekdays: null })).toEqual({
    value: 1,
    from: 'configured',
  });
});
