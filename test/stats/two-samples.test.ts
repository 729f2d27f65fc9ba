import { describe, expect, it } from 'vitest';
import { fittedMap } from '../../src/stats/bucket-rows.ts';
import { bucketedDistances } from '../../src/stats/bucketed-distances.ts';
import { BucketedSample } from '../../src/stats/bucketed-sample.ts';
import { chiSquareTest, gTest, twoSampleTable } from '../../src/stats/contingency.ts';
import {
  cramerVonMises,
  cramerVonMisesFromCounts,
  cramerVonMisesSorted,
} from '../../src/stats/cramer-von-mises.ts';
import {
  type BinnedDivergence,
  binnedDivergence,
  hellinger,
  jsDistance,
  lInfinity,
  psi,
  psiTerms,
  toShares,
  totalVariation,
} from '../../src/stats/divergence.ts';
import { ksFromCounts, ksPValue, ksTwoSample } from '../../src/stats/ks.ts';
import {
  countInBins,
  cumulativeCounts,
  innerEdges,
  quantileEdges,
  quantileFromCumulative,
  quantileShares,
  quantileSorted,
} from '../../src/stats/quantile-bins.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { isUndefined, type Undefined } from '../../src/stats/undefined.ts';
import {
  normedWasserstein,
  standardDeviation,
  wasserstein,
  wassersteinFromCounts,
  wassersteinOfShifted,
} from '../../src/stats/wasserstein.ts';
import { expectClose, fixture, type LongSamples, weyl } from './close.ts';

interface Sample {
  name: string;
  x: number[];
  y: number[];
  ks: [number, number];
  cvm: [number, number] | null;
  wasserstein: number;
  sd: number;
  edges: number[];
  bins?: [number[], number[]];
  divergence?: { psi: number; kl: number; js: number };
}
interface Table {
  reference: number[];
  current: number[];
  chi2: [number, number, number];
  g: [number, number, number];
  js: number;
  tv: number;
  hellinger: number;
  l_infinity: number;
  floored: { psi: number; kl: number; js: number };
}
const data = fixture<{ samples: Sample[]; long: LongSamples[]; tables: Table[] }>('two-samples');

function defined<T extends object>(value: T | Undefined): T {
  if (isUndefined(value)) throw new Error(value.detail);
  return value;
}
function number(value: number | Undefined): number {
  if (typeof value !== 'number') throw new Error(value.detail);
  return value;
}
function expectP(got: number, want: number, what: string) {
  const error = Math.abs(got - want);
  expect(error, `${what}: ${got}, expected ${want}`).toBeLessThanOrEqual(1e-12 + 1e-9 * want);
}
/** Counts of both samples on their shared distinct values. */
function shared(x: Float64Array, y: Float64Array) {
  const values = Float64Array.from(new Set([...x, ...y])).sort();
  const index = new Map([...values].map((v, i) => [v, i]));
  const count = (sample: Float64Array) => {
    const out = new Float64Array(values.length);
    for (const v of sample) out[index.get(v) as number]! += 1;
    return out;
  };
  return { values, first: count(x), second: count(y) };
}
function same(got: BinnedDivergence, want: { psi: number; kl: number; js: number }) {
  expectClose(got.psi, want.psi, 'psi');
  expectClose(got.kl, want.kl, 'kl');
  expectClose(got.jsDistance, want.js, 'js');
}

describe.each(data.samples)('two samples: $name', (one) => {
  const x = Float64Array.from(one.x);
  const y = Float64Array.from(one.y);
  const counts = shared(x, y);
  it('Kolmogorov-Smirnov, raw and from counts', () => {
    for (const result of [defined(ksTwoSample(x, y)), defined(ksFromCounts(counts))]) {
      expectClose(result.statistic, one.ks[0], 'D');
      expectP(result.pValue, one.ks[1], 'p');
    }
  });
  it('Cramér-von Mises, raw and from counts', () => {
    const results = [cramerVonMises(x, y), cramerVonMisesFromCounts(counts)];
    if (one.cvm === null) {
      for (const result of results) expect(result).toMatchObject({ undefined: 'too_few_rows' });
      return;
    }
    for (const result of results.map(defined)) {
      expectClose(result.statistic, one.cvm[0], 'T');
      expectP(result.pValue, one.cvm[1], 'p');
    }
  });
  it('what is no number is left out of samples of rows', () => {
    // first, last, and after every second value
    const withHoles = (sample: Float64Array) => {
      const holes = [Number.NaN, Infinity, -Infinity];
      return Float64Array.from([
        Number.NaN,
        ...[...sample].flatMap((value, i) => (i % 2 === 0 ? [value, holes[i % 3] as number] : [value])),
        Infinity,
      ]);
    };
    const rows = [withHoles(x), withHoles(y)];
    const map = fittedMap(rows);
    const [first, second] = rows.map((side) => new BucketedSample(side, map)) as [
      BucketedSample,
      BucketedSample,
    ];
    expect([first.n, second.n]).toEqual([x.length, y.length]);
    const { ks, wasserstein: distance } = bucketedDistances({ first, second });
    const test = ksPValue(ks, first.n, second.n);
    expectClose(test.statistic, one.ks[0], 'D');
    expectP(test.pValue, one.ks[1], 'p');
    expectClose(distance, one.wasserstein, 'W');
    expectClose(first.standardDeviation(), one.sd, 'sd');
    expect([...innerEdges(first.quantiles(quantileShares()))]).toEqual(one.edges);
    const result = cramerVonMisesSorted(first.sorted(), second.sorted());
    if (one.cvm !== null) expectP(defined(result).pValue, one.cvm[1], 'cvm p');
  });
  it('Wasserstein, raw and from counts', () => {
    expectClose(number(wasserstein(x, y)), one.wasserstein, 'W');
    expectClose(number(wassersteinFromCounts(counts)), one.wasserstein, 'W from counts');
    for (const shift of [-2.5, 0, 0.3]) {
      const moved = wasserstein(
        x,
        y.map((value) => value + shift),
      );
      expectClose(number(wassersteinOfShifted({ ...counts, shift })), number(moved), `W of ${shift}`);
    }
    expectClose(standardDeviation(x), one.sd, 'sd');
    expectClose(standardDeviation(counts.values, counts.first), one.sd, 'sd from counts');
  });
  it('deciles of the reference', () => {
    const edges = quantileEdges(x.slice().sort());
    expect([...edges]).toEqual(one.edges);
    if (!one.bins || !one.divergence) return;
    const binned = [countInBins(x, edges), countInBins(y, edges)] as const;
    expect([...binned[0]]).toEqual(one.bins[0]);
    expect([...binned[1]]).toEqual(one.bins[1]);
    same(defined(binnedDivergence(...binned)), one.divergence);
  });
});

describe.each(data.long)('long samples n=$n m=$m digits=$digits', (one) => {
  it('equal SciPy', () => {
    const x = weyl(one.n, { digits: one.digits });
    const y = weyl(one.m, { ...one, step: 0.7548776662466927 });
    const ks = defined(ksTwoSample(x, y));
    expectClose(ks.statistic, one.ks[0], 'D');
    expectP(ks.pValue, one.ks[1], 'p');
    const cvm = defined(cramerVonMises(x, y));
    expectClose(cvm.statistic, one.cvm[0], 'T');
    expectP(cvm.pValue, one.cvm[1], 'cvm p');
    expectClose(number(wasserstein(x, y)), one.wasserstein, 'W');
  });
});

describe.each(data.tables)('count tables', (one) => {
  it('chi-square, G and distances', () => {
    const table = twoSampleTable(one.reference, one.current);
    for (const [result, want] of [
      [defined(chiSquareTest(table)), one.chi2],
      [defined(gTest(table)), one.g],
    ] as const) {
      expectClose(result.statistic, want[0], 'statistic');
      expect(result.dof).toBe(want[1]);
      expectP(result.pValue, want[2], 'p');
    }
    const [p, q] = [toShares(one.reference), toShares(one.current)];
    expectClose(jsDistance(p, q), one.js, 'js');
    expectClose(totalVariation(p, q), one.tv, 'tv');
    expectClose(hellinger(p, q), one.hellinger, 'hellinger');
    expectClose(lInfinity(p, q), one.l_infinity, 'l_infinity');
    same(defined(binnedDivergence(one.reference, one.current)), one.floored);
    expectClose(
      psiTerms(p, p).reduce((s, v) => s + v, 0),
      psi(p, p),
      'terms',
    );
  });
});

describe('Cramér-von Mises with ties', () => {
  it.each([
    ['two values', (u: number) => (u < 0.3 ? 1 : 0)],
    ['whole numbers', (u: number) => Math.floor(-3 * Math.log(u))],
    ['mostly one value', (u: number) => Math.max(0, u - 0.8)],
  ])('alarms on no more than chance where sides of unlike size are alike: %s', (_, draw) => {
    const random = seededRandom(5);
    const worlds = 400;
    let alarms = 0;
    for (let world = 0; world < worlds; world++) {
      const sample = (rows: number) => Float64Array.from({ length: rows }, () => draw(random.uniform()));
      if (defined(cramerVonMises(sample(400), sample(100))).pValue < 0.05) alarms++;
    }
    expect(alarms / worlds).toBeLessThan(0.08);
  });
});

describe('edges of the domain', () => {
  const empty = new Float64Array();
  const some = Float64Array.of(1, 2);
  it('says what is undefined', () => {
    expect(ksTwoSample(empty, some)).toMatchObject({ undefined: 'empty' });
    expect(ksTwoSample(some, Float64Array.of(Number.NaN))).toMatchObject({ undefined: 'not_finite' });
    expect(wasserstein(some, empty)).toMatchObject({ undefined: 'empty' });
    expect(wasserstein(some, Float64Array.of(Infinity))).toMatchObject({ undefined: 'not_finite' });
    expect(cramerVonMises(some, Float64Array.of(1))).toMatchObject({ undefined: 'too_few_rows' });
    expect(chiSquareTest(twoSampleTable([0, 0], [1, 2]))).toMatchObject({ undefined: 'empty' });
    expect(binnedDivergence([0, 0], [1, 2])).toMatchObject({ undefined: 'empty' });
    expect(normedWasserstein(1, 0)).toBeNull();
    expect(normedWasserstein(0, 0)).toBe(0);
  });
  it('quantiles from counts are those of the rows', () => {
    const sorted = Float64Array.of(1, 1, 1, 2, 5, 5, 9);
    for (const p of [0, 0.1, 0.35, 0.5, 0.77, 1])
      expect(quantileFromCumulative(Float64Array.of(1, 2, 5, 9), cumulativeCounts([3, 1, 2, 1]), p)).toBe(
        quantileSorted(sorted, p),
      );
  });
  it('a distance so large that no p is left costs nothing', () => {
    const [x, y] = [weyl(9999, {}), weyl(10000, { shift: 0.6 })];
    const start = performance.now();
    expect(ksTwoSample(x, y)).toMatchObject({ pValue: 0, method: 'exact' });
    expect(performance.now() - start).toBeLessThan(200);
  });
  it('leaves NaN out of bins', () => {
    expect([...countInBins([1, Number.NaN, 2, 3], Float64Array.of(2))]).toEqual([1, 2]);
  });
});
