import { describe, expect, it } from 'vitest';
import { normalQuantile } from '../../src/stats/distributions.ts';
import { type MmdInput, type MmdResult, mmd } from '../../src/stats/mmd.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import { fixture } from './close.ts';

interface Case {
  name: string;
  x: number[][];
  y: number[][];
  sigma: number;
  mmd2: number;
}

function run(input: MmdInput): MmdResult {
  const result = mmd(input);
  if (isUndefined(result)) throw new Error(result.detail);
  return result;
}

const normal = (random: Random) => normalQuantile((random.uint32() + 0.5) / 2 ** 32);

/** Days of 40 rows of two columns that share a level of their day; `correlation` of the rows of the current days. */
function days(seed: number, { reference = 10, current = 10, correlation = 0 } = {}): MmdInput {
  const random = seededRandom(seed);
  const perDay = 40;
  const rows = (reference + current) * perDay;
  const points = new Float32Array(2 * rows);
  const block = new Int32Array(rows);
  for (let day = 0; day < reference + current; day++) {
    const level = [0.3 * normal(random), 0.3 * normal(random)] as const;
    const r = day < reference ? 0 : correlation;
    for (let i = day * perDay; i < (day + 1) * perDay; i++) {
      const [a, b] = [normal(random), normal(random)];
      points[2 * i] = a + level[0];
      points[2 * i + 1] = r * a + Math.sqrt(1 - r * r) * b + level[1];
      block[i] = day;
    }
  }
  return {
    ...{ points, dimensions: 2, block, seed, referenceBlocks: reference, currentBlocks: current },
    ...{ permutations: 99, frequencies: 32 },
  };
}

const found = (seeds: number, make: (seed: number) => MmdInput) =>
  Array.from({ length: seeds }, (_, seed) => run(make(seed + 1)).p).filter((p) => p <= 0.05).length / seeds;

describe('maximum mean discrepancy', () => {
  it.each(fixture<Case[]>('mmd'))('is the direct sum over pairs, but for the features: $name', (one) => {
    const rows = [...one.x, ...one.y];
    const frequencies = 5000;
    const { statistic, bandwidth } = run({
      points: Float32Array.from(rows.flat()),
      dimensions: rows[0]?.length ?? 0,
      // each row a block
      block: Int32Array.from(rows, (_, i) => i),
      referenceBlocks: one.x.length,
      currentBlocks: one.y.length,
      ...{ frequencies, permutations: 0, seed: 3, bandwidth: one.sigma },
    });
    expect(bandwidth).toBe(one.sigma);
    // a mean over independent frequencies of values between 0 and 4
    expect(Math.abs(statistic - one.mmd2)).toBeLessThan(4 / Math.sqrt(frequencies));
    expect(Math.abs(statistic - one.mmd2) / one.mmd2).toBeLessThan(0.15);
  });

  it('raises no more alarms than its level where days differ and nothing moved, also in uneven windows', () => {
    // at 5 %, as many alarms or fewer come in 99 of 100 such counts
    expect(found(120, (seed) => days(seed))).toBeLessThanOrEqual(12 / 120);
    expect(found(80, (seed) => days(seed, { reference: 14, current: 8 }))).toBeLessThanOrEqual(9 / 80);
  });

  it('sees a correlation that no column shows by itself', () => {
    expect(found(40, (seed) => days(seed, { correlation: 0.6 }))).toBeGreaterThanOrEqual(0.9);
  });

  it('exchanges blocks within strata alone', () => {
    // weekends lie far away, and the current days are all weekends but one
    const weekend = (day: number) => (day % 10 > 6 || (day >= 10 && day < 18) ? 1 : 0);
    const strata = Int32Array.from({ length: 20 }, (_, day) => weekend(day));
    const shifted = (seed: number) => {
      const input = days(seed);
      input.block.forEach((day, i) => {
        input.points[2 * i]! += 3 * weekend(day);
      });
      return input;
    };
    expect(found(40, shifted)).toBeGreaterThan(0.5);
    expect(found(40, (seed) => ({ ...shifted(seed), strata }))).toBeLessThan(0.2);
  });

  it('is the same for the same seed, whatever the order of the rows', () => {
    const input = days(5, { correlation: 0.5 });
    const { p, statistic } = run({ ...input, bandwidth: 1 });
    const rows = input.block.length;
    const turned = {
      ...input,
      bandwidth: 1,
      block: input.block.toReversed(),
      points: Float32Array.from(input.points, (_, i) => input.points[2 * (rows - 1 - (i >> 1)) + (i % 2)]!),
    };
    expect(run(turned).p).toBe(p);
    expect(run(turned).statistic).toBeCloseTo(statistic, 12);
    expect(run({ ...input, bandwidth: 1, seed: 6 }).statistic).not.toBe(statistic);
  });

  it('says what is undefined, and finds nothing where all rows are the same', () => {
    const empty = { points: new Float32Array(), dimensions: 2, block: new Int32Array(), seed: 1 };
    expect(mmd({ ...empty, referenceBlocks: 1, currentBlocks: 1 })).toMatchObject({ undefined: 'empty' });
    const one = { points: Float32Array.of(1, 2), dimensions: 1, seed: 1 };
    expect(mmd({ ...one, block: Int32Array.of(0, 0), referenceBlocks: 1, currentBlocks: 1 })).toMatchObject({
      undefined: 'empty',
    });
    const same = {
      points: new Float32Array(40),
      dimensions: 2,
      block: Int32Array.from({ length: 20 }, (_, i) => i),
    };
    expect(run({ ...same, referenceBlocks: 10, currentBlocks: 10, seed: 1 })).toMatchObject({
      statistic: 0,
      p: 1,
    });
  });
});
