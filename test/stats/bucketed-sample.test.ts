import { describe, expect, it } from 'vitest';
import { fittedMap, sampleRoom, stretch } from '../../src/stats/bucket-rows.ts';
import { bucketedDistances, bucketedWasserstein } from '../../src/stats/bucketed-distances.ts';
import { BucketedRange } from '../../src/stats/bucketed-range.ts';
import { BucketedSample } from '../../src/stats/bucketed-sample.ts';
import { ksStatisticSorted } from '../../src/stats/ks.ts';
import { countByLabel } from '../../src/stats/label-counts.ts';
import { countInBins, quantileSorted } from '../../src/stats/quantile-bins.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { standardDeviation, wassersteinSorted } from '../../src/stats/wasserstein.ts';

const random = seededRandom(5);
const normal = () =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
const either = <T>(a: T, b: T) => (random.below(2) === 0 ? a : b);

/** How the values of the two sides are drawn; by side, 0 or 1. */
const worlds: Record<string, (side: number) => number> = {
  'no drift': normal,
  'both signs, any size': () => (random.uniform() - 0.5) * 1e200 ** random.uniform(),
  'heavy tails': () => Math.tan(Math.PI * (random.uniform() - 0.5)),
  'a shift': (side) => normal() + side,
  'nothing shared': (side) => normal() + 1000 * side,
  'whole numbers with ties': () => random.below(50) - 25,
  'mostly zeros, of both signs': () => (random.below(10) < 9 ? either(0, -0) : normal()),
  'equal in their upper halves': () => 1e9 + random.uniform() * 1e-4,
  'the smallest there are': () => 5e-324 * random.below(100),
  'the largest there are': () => 1.7e308 * (random.uniform() - 0.5),
  'one value': () => 7,
  'nulls and infinities among them': () =>
    random.below(3) === 0 ? either(Number.NaN, either(1, -1) * Number.POSITIVE_INFINITY) : normal(),
};
/** Used by one pair after the other, as the columns of a table are; the second keeps few rows' buckets, and few sorted. */
const rooms = [
  sampleRoom(60_000),
  { ...sampleRoom(60_000), codes: new Uint16Array(stretch), enoughOpen: 500 },
] as const;
const shares = Array.from({ length: 65 }, (_, i) => i / 64);

function drawn(draw: (side: number) => number, sizes: [number, number]) {
  const raw = sizes.map((n, side) => Float64Array.from({ length: n }, () => draw(side)));
  const sorted = raw.map((values) =>
    values
      .filter(Number.isFinite)
      .map((value) => value + 0)
      .sort(),
  );
  const map = fittedMap(raw);
  const samples = raw.map((values, side) => new BucketedSample(values, map, rooms[side]));
  return { samples, sorted } as {
    samples: [BucketedSample, BucketedSample];
    sorted: [Float64Array, Float64Array];
  };
}

function meanOf(values: Float64Array): number {
  const n = values.length;
  const sum = values.reduce((total, value) => total + value, 0);
  return Number.isFinite(sum) ? sum / n : values.reduce((total, value) => total + value / n, 0);
}

function close(found: number, expected: number): void {
  if (!Number.isFinite(expected)) expect(found).toBe(expected);
  else expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
}

describe.each(Object.entries(worlds))('a sample in buckets, %s', (_, draw) => {
  it.each([
    [1, 1],
    [2, 33],
    [3000, 3000],
    [60_000, 45_000],
  ])('has the distances of the sorted values, %i and %i of them', (n, m) => {
    const { samples, sorted } = drawn(draw, [n, m]);
    if (sorted.some((values) => values.length === 0)) return;
    const { ks, wasserstein } = bucketedDistances({ first: samples[0], second: samples[1] });
    expect(ks).toBe(ksStatisticSorted(...sorted));
    close(wasserstein, wassersteinSorted(...sorted) as number);
  });

  it.each([
    [3, 2],
    [3000, 2000],
    [60_000, 45_000],
  ])('has the distance and the moments of the values in a range, of %i and %i', (n, m) => {
    const { samples, sorted } = drawn(draw, [n, m]);
    const at = (p: number) => quantileSorted(sorted[0], p);
    const ranges = [
      [at(0.01), at(0.99)],
      // between values, and all of them
      [(at(0.2) + at(0.21)) / 2, (at(0.8) + at(0.81)) / 2],
      [-Number.MAX_VALUE, Number.MAX_VALUE],
      // one value at most, and none
      [at(0.5), at(0.5) + Number.MIN_VALUE],
      [at(0.5), at(0.5)],
    ].filter((range) => range.every(Number.isFinite)) as [number, number][];
    for (const [low, high] of ranges) {
      const within = sorted.map((values) => values.filter((value) => value >= low && value < high));
      const [first, second] = samples.map((sample) => new BucketedRange(sample, { low, high })) as [
        BucketedRange,
        BucketedRange,
      ];
      for (const [i, range] of [first, second].entries()) {
        const own = within[i] as Float64Array;
        const all = sorted[i] as Float64Array;
        expect(range.n).toBe(own.length);
        expect(range.beyond.below).toBe(all.filter((value) => value < low).length);
        expect(range.beyond.above).toBe(all.filter((value) => value >= high).length);
        if (own.length === 0) {
          expect(range.mean()).toBeNull();
          expect(range.standardDeviation()).toBe(0);
          continue;
        }
        const size = meanOf(own.map(Math.abs));
        expect(Math.abs((range.mean() as number) - meanOf(own))).toBeLessThanOrEqual(1e-12 * size);
        const sd = standardDeviation(own.map((value) => value - (own[0] as number)));
        if (Number.isFinite(sd))
          expect(Math.abs(range.standardDeviation() - sd)).toBeLessThanOrEqual(1e-8 * sd);
      }
      if (first.n === 0 || second.n === 0) continue;
      const [a, b] = within as [Float64Array, Float64Array];
      const { ks, wasserstein } = bucketedDistances({ first, second });
      expect(ks).toBe(ksStatisticSorted(a, b));
      close(wasserstein, wassersteinSorted(a, b) as number);
      close(bucketedWasserstein({ first, second }), wasserstein);
    }
  });

  it('has their quantiles, counts and moments', () => {
    const { samples, sorted } = drawn(draw, [5000, 4000]);
    samples.forEach((sample, side) => {
      const values = sorted[side] as Float64Array;
      expect(sample.n).toBe(values.length);
      const quantiles = sample.quantiles(shares);
      expect(quantiles).toEqual(shares.map((p) => quantileSorted(values, p)));
      const edges = Float64Array.from(new Set(quantiles)).sort();
      const expected = countInBins(values, edges);
      expect(sample.countInBins(edges)).toEqual(expected);
      // of values that lie close together far from 0, the mean is better known from their differences
      const sd = standardDeviation(values.map((value) => value - (values[0] as number)));
      if (Number.isFinite(sd))
        expect(Math.abs(sample.standardDeviation() - sd)).toBeLessThanOrEqual(1e-8 * sd);
      expect(Number.isFinite(sample.mean() as number)).toBe(true);

      const labels = Uint16Array.from(sample.values, (_, i) => i % 7);
      const found = countByLabel(sample, edges, { labels, size: 7 });
      expect(found.rows).toEqual(expected);
      for (let label = 0; label < 7; label++) {
        const own = sample.values.filter((value, i) => i % 7 === label && Number.isFinite(value));
        const bins = found.counts.slice(label * expected.length, (label + 1) * expected.length);
        expect(bins).toEqual(countInBins(own, edges));
      }
    });
  });
});

it('is exact where the map was fitted to other values', () => {
  const { samples, sorted } = drawn(normal, [3000, 2000]);
  const map = fittedMap([Float64Array.of(1e6, 1e6 + 1)]);
  const [first, second] = samples.map(({ values }) => new BucketedSample(values, map)) as [
    BucketedSample,
    BucketedSample,
  ];
  const { ks, wasserstein } = bucketedDistances({ first, second });
  expect(ks).toBe(ksStatisticSorted(...sorted));
  close(wasserstein, wassersteinSorted(...sorted) as number);
});
