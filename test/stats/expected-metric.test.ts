import { describe, expect, it } from 'vitest';
import { EXPECTED_METRICS, type ExpectedMetric, expectation } from '../../src/stats/expectation.ts';
import { expectedInterval, expectedMetric } from '../../src/stats/expected-metric.ts';
import { blockOf, isotonicFit } from '../../src/stats/isotonic.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

interface Shape {
  /** How far the inputs of the rows to come have moved, in standard deviations. */
  shift: number;
  /** Spread of what the rows of a day share: in their inputs, and in their labels beyond any input. */
  days: { inputs: number; labels: number };
  /** Log odds of the label at inputs of 0. */
  base: number;
  threshold: number;
}

const simulated: Shape = { shift: 0.7, days: { inputs: 0, labels: 0 }, base: 0, threshold: 0.5 };
/** Few are late, days differ much (weather), and a day's flights are late together. */
const likeFlights: Shape = { shift: 0.5, days: { inputs: 0.5, labels: 0.8 }, base: -1.5, threshold: 0.35 };

/** Rows of `count` days with a score that orders them well and is no probability (it is bent and moved). */
function rowsOf(
  seed: number,
  { days, base }: Shape,
  { count, perDay, shift }: Record<'count' | 'perDay' | 'shift', number>,
) {
  const random = seededRandom(seed);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const n = count * perDay;
  const rows = { score: new Float64Array(n), y: new Float64Array(n), codes: new Int32Array(n), count };
  for (let i = 0, day = 0; day < count; day++) {
    const [inputs, labels] = [days.inputs * normal(), days.labels * normal()];
    for (const end = i + perDay; i < end; i++) {
      const logit = base + 1.3 * (normal() + shift + inputs);
      rows.score[i] = logistic(0.6 * logit - 0.2);
      rows.y[i] = random.uniform() < logistic(logit + labels) ? 1 : 0;
      rows.codes[i] = day;
    }
  }
  return rows;
}

/** One world: what is expected of each metric before labels come, and what they give. */
function worldOf(shape: Shape, seed: number) {
  const known = rowsOf(2 * seed, shape, { count: 30, perDay: 60, shift: 0 });
  const coming = rowsOf(2 * seed + 1, shape, { count: 28, perDay: 60, shift: shape.shift });
  const { threshold } = shape;
  return {
    expected(metric: ExpectedMetric) {
      const result = expectedMetric({
        ...{ metric, threshold, sameClusters: true },
        known: { score: known.score, y: known.y, clusters: known },
        unknown: { score: coming.score, clusters: coming },
      });
      if (isUndefined(result)) throw new Error(result.detail);
      return result;
    },
    realised: (metric: ExpectedMetric, change = (y: number) => y) =>
      expectation({ metric, threshold }, { score: coming.score, p: coming.y.map(change) }).value,
  };
}

describe('isotonic regression', () => {
  it('pools what falls, and keeps equal scores together', () => {
    const fit = isotonicFit({
      score: Float64Array.of(0.1, 0.2, 0.3, 0.3, 0.6, 0.9),
      y: Float64Array.of(0, 1, 0, 0, 1, 1),
    });
    expect([...fit.rates]).toEqual([0, 1 / 3, 1]);
    expect([...fit.sizes]).toEqual([1, 3, 2]);
    expect([0, 0.14, 0.16, 0.3, 0.44, 0.46, 2].map((score) => blockOf(fit, score))).toEqual([
      0, 0, 1, 1, 1, 2, 2,
    ]);
  });
});

it('bins rows before it pools, never across the cut', () => {
  const rows = { score: Float64Array.of(0.1, 0.2, 0.3, 0.6, 0.7, 0.8), y: Float64Array.of(0, 1, 0, 0, 1, 1) };
  expect([...isotonicFit(rows, { least: 2 }).sizes]).toEqual([4, 2]);
  expect([...isotonicFit(rows, { least: 6, cut: 0.5 }).sizes]).toEqual([3, 3]);
});

describe('the expected metric', () => {
  it.each(EXPECTED_METRICS)(
    '%s has slopes that are its derivatives, and is the metric itself of known labels',
    (metric) => {
      const { score, y } = rowsOf(5, simulated, { count: 2, perDay: 20, shift: 0 });
      const choice = { metric, threshold: 0.5 };
      const p = y.map((label, i) => (i % 3 === 0 ? label : 0.2 + (0.6 * i) / y.length));
      const { slopes } = expectation(choice, { score, p });
      for (const i of [0, 7, 20, 39]) {
        const at = (step: number) =>
          expectation(choice, { score, p: p.map((one, k) => (k === i ? one + step : one)) }).value;
        expect(slopes[i]).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 5);
      }
      if (metric !== 'auc') return;
      let won = 0;
      let pairs = 0;
      for (let i = 0; i < y.length; i++)
        for (let j = 0; j < y.length; j++)
          if (y[i] === 1 && y[j] === 0) {
            pairs++;
            won += score[i]! > score[j]! ? 1 : score[i] === score[j] ? 0.5 : 0;
          }
      expect(expectation(choice, { score, p: y }).value).toBeCloseTo(won / pairs, 12);
    },
  );

  it.each([
    ['a simulated world', simulated],
    ['a world like flights', likeFlights],
  ])(
    'covers the value of the labels in at least 90 % of 200 worlds whose inputs alone shift: %s',
    (_, shape) => {
      const covered = new Map<ExpectedMetric, number>(EXPECTED_METRICS.map((metric) => [metric, 0]));
      for (let seed = 0; seed < 200; seed++) {
        const world = worldOf(shape, seed);
        for (const metric of EXPECTED_METRICS) {
          const { low, high } = expectedInterval(world.expected(metric), 0.05);
          const realised = world.realised(metric);
          if (low <= realised && realised <= high) covered.set(metric, (covered.get(metric) ?? 0) + 1);
        }
      }
      for (const [metric, count] of covered) expect(count / 200, metric).toBeGreaterThanOrEqual(0.9);
    },
  );

  it('follows a shift of the inputs, and is blind to labels that turn', () => {
    const still = worldOf({ ...simulated, shift: 0 }, 1);
    const moved = worldOf({ ...simulated, shift: 2 }, 1);
    expect(moved.expected('accuracy').value).toBeGreaterThan(still.expected('accuracy').value + 0.1);
    expect(Math.abs(moved.expected('accuracy').value - moved.realised('accuracy'))).toBeLessThan(0.05);
    expect(still.realised('accuracy', (y) => 1 - y)).toBeLessThan(0.4);
    expect(still.expected('accuracy').value).toBeGreaterThan(0.6);
  });

  it('says why there is no estimate', () => {
    const score = Float64Array.of(0.2, 0.8);
    const ask = (known: { score: Float64Array; y: Float64Array }) =>
      expectedMetric({
        ...{ metric: 'f1', threshold: 0.5, sameClusters: false },
        known: { ...known, clusters: null },
        unknown: { score, clusters: null },
      });
    expect(ask({ score, y: Float64Array.of(1, 1) })).toMatchObject({ undefined: 'one_class' });
    expect(ask({ score: Float64Array.of(-1, 4), y: Float64Array.of(0, 1) })).toMatchObject({
      undefined: 'out_of_range',
    });
    expect(ask({ score: new Float64Array(), y: new Float64Array() })).toMatchObject({ undefined: 'empty' });
  });
});
