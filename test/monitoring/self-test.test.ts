import { describe, expect, it } from 'vitest';
import { plantShift } from '../../src/monitoring/plant.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { type ReplayColumn, replayDecision } from '../../src/monitoring/replay.ts';
import { selfTest } from '../../src/monitoring/self-test.ts';
import { normalQuantile } from '../../src/stats/distributions.ts';
import { seededRandom } from '../../src/stats/random.ts';

const days = 40;
const rows = 60;
const edges = Array.from({ length: 60 }, (_, i) => (i - 30) / 5);
const positions = Float64Array.from({ length: 61 }, (_, i) => (i - 30.5) / 5);
const starts = Float64Array.from({ length: 61 }, (_, i) => (i - 31) / 5);

/** 40 days of 60 rows whose day moves all of them by a normal number of sd 0.3; and two levels of alike days. */
function world(seed: number, shift = 0): ReplayColumn[] {
  const random = seededRandom(seed);
  const normal = () => normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, random.uniform())));
  const numbers = new Float64Array(days * 61);
  const levels = new Float64Array(days * 2);
  for (let day = 0; day < days; day++) {
    const own = 0.3 * normal() + (day >= days / 2 ? shift : 0);
    for (let row = 0; row < rows; row++) {
      const x = own + normal();
      numbers[day * 61 + edges.filter((edge) => edge <= x).length]!++;
      levels[day * 2 + (random.uniform() < 0.6 ? 0 : 1)]!++;
    }
  }
  const nulls = Float64Array.from({ length: days * 2 }, (_, i) => (i % 2 === 0 ? rows : 0));
  const both = (counts: Float64Array) => ({ reference: counts, current: counts });
  return [
    {
      name: 'x',
      kind: 'numeric',
      values: { bins: 61, positions, starts, ...both(numbers) },
      far: null,
      nulls: { bins: 2, positions: null, ...both(nulls) },
    },
    {
      name: 'level',
      kind: 'categorical',
      values: { bins: 2, positions: null, ...both(levels) },
      far: null,
      nulls: { bins: 2, positions: null, ...both(nulls) },
    },
  ];
}

const blocks = Array.from({ length: days }, (_, i) =>
  new Date(Date.UTC(2026, 0, 5 + i)).toISOString().slice(0, 10),
);
const policy = MonitoringPolicy.parse({ permutations: 199 });

describe('a planted shift', () => {
  const [x, level] = world(1) as [ReplayColumn, ReplayColumn];

  it('moves the mean by its size, and a share by its points, and keeps the rows', () => {
    const mean = (counts: Float64Array) =>
      counts.reduce((sum, n, i) => sum + n * (positions[i % 61] as number), 0) / (days * rows);
    const moved = plantShift(x.values, 0.5);
    expect(moved.reduce((sum, n) => sum + n, 0)).toBeCloseTo(days * rows, 6);
    expect(mean(moved) - mean(x.values.reference)).toBeCloseTo(0.5, 2);
    const first = (counts: Float64Array) =>
      counts.reduce((sum, n, i) => sum + (i % 2 === 0 ? n : 0), 0) / (days * rows);
    expect(first(plantShift(level.values, 0.1)) - first(level.values.reference)).toBeCloseTo(0.1, 9);
  });
});

describe('the self-test', () => {
  const told = selfTest({ columns: world(1), blocks, length: days / 2, policy, deals: 60, powerDeals: 20 });

  it('raises no more false alarms than alpha, within chance', () => {
    expect(told.dealt.windows).toBe(60);
    expect(told.dealt.low).toBeLessThanOrEqual(policy.alpha);
    expect(told.past).toMatchObject({ windows: 2 });
  });

  it('names a shift that is found in about 80 of 100 new windows, and half of it in far fewer', () => {
    const smallest = told.smallest.find(({ name }) => name === 'x');
    expect(smallest).toMatchObject({ unit: 'sd' });
    const sides = {
      blocks,
      reference: blocks.flatMap((_, i) => (i < days / 2 ? [i] : [])),
      current: blocks.flatMap((_, i) => (i < days / 2 ? [] : [i])),
    };
    const found = (shift: number) => {
      let count = 0;
      for (let seed = 100; seed < 160; seed++)
        if (replayDecision(world(seed, shift), sides, { policy }).includes('x')) count++;
      return count / 60;
    };
    // 20 deals and 60 worlds: the share's standard error is about .1
    const share = found(smallest!.shift!);
    expect(share).toBeGreaterThan(0.6);
    expect(share).toBeLessThan(0.98);
    expect(found(smallest!.shift! / 2)).toBeLessThan(share - 0.2);
  });
});
