/** Rows on which a standard error says least: few positives, few predicted ones, uneven clusters, uneven weights. */
import { decideComparison } from '../../src/gate/decide.ts';
import { compareMetric, type PairedPredictions } from '../../src/stats/compare-metric.ts';
import { normalCdf } from '../../src/stats/distributions.ts';
import type { Clusters } from '../../src/stats/influence.ts';
import type { PairedEstimate } from '../../src/stats/paired-estimate.ts';
import { higherIsBetter } from '../../src/stats/paired-metrics.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';
import type { Undefined } from '../../src/stats/undefined.ts';
import { normals } from './worlds.ts';

export interface EdgeWorld {
  name: string;
  metric: 'auc' | 'recall' | 'precision' | 'f1' | 'mae';
  /** What the candidate truly loses in the second of the two draws; also the margin. */
  loss: number;
  /** One draw: a candidate as good as the champion, or one that loses `loss`. */
  compare: (seed: number, harmed: boolean) => PairedEstimate | Undefined;
}

/** Calls a draw's columns and compares them. */
function world(
  name: string,
  metric: EdgeWorld['metric'],
  loss: number,
  rows: (random: Random, harmed: boolean) => PairedPredictions,
): EdgeWorld {
  return {
    name,
    metric,
    loss,
    compare: (seed, harmed) => compareMetric(metric, rows(seededRandom(seed), harmed)),
  };
}

/** Scores of two models, correlated .9 within a class, whose classes lie `first` and `second` deviations apart. */
function fewPositives(positives: number, first: number, second: number): EdgeWorld {
  const n = 600;
  const auc = (distance: number) => normalCdf(distance / Math.SQRT2);
  const name = `${positives} positives of ${n}, AUC ${auc(first).toFixed(2)}`;
  return world(name, 'auc', auc(first) - auc(second), (random, harmed) => {
    const y = Float64Array.from({ length: n }, (_, i) => (i < positives ? 1 : 0));
    const common = normals(random, n);
    const own = normals(random, n);
    const a = common.map((z, i) => z + first * (y[i] as number));
    const b = common.map(
      (z, i) => 0.9 * z + Math.sqrt(0.19) * (own[i] as number) + (harmed ? second : first) * (y[i] as number),
    );
    return { y, a, b };
  });
}

/** Each model finds a positive row with a chance of its own. */
function recallOf(positives: number): EdgeWorld {
  const n = 1000;
  return world(`${positives} positives of 1,000`, 'recall', 0.15, (random, harmed) => {
    const y = Float64Array.from({ length: n }, (_, i) => (i < positives ? 1 : 0));
    const model = (chance: number) => y.map((one) => (one === 1 && random.uniform() < chance ? 0.9 : 0.1));
    return { y, a: model(0.9), b: model(harmed ? 0.75 : 0.9) };
  });
}

/** A champion of precision .79; a candidate that flags only a few rows, each with a chance to be right. */
function precisionOf(flagged: number): EdgeWorld {
  const n = 4000;
  const [prevalence, hit, alarm] = [0.3, 0.7, 0.08];
  const precision = (prevalence * hit) / (prevalence * hit + (1 - prevalence) * alarm);
  return world(`${flagged} predicted positives`, 'precision', 0.1, (random, harmed) => {
    const y = Float64Array.from({ length: n }, () => (random.uniform() < prevalence ? 1 : 0));
    const a = y.map((one) => (random.uniform() < (one === 1 ? hit : alarm) ? 0.9 : 0.1));
    const b = new Float64Array(n).fill(0.1);
    for (let left = flagged; left > 0; ) {
      const wanted = random.uniform() < precision - (harmed ? 0.1 : 0) ? 1 : 0;
      let row = Math.floor(random.uniform() * n);
      while (y[row] !== wanted || b[row] === 0.9) row = Math.floor(random.uniform() * n);
      b[row] = 0.9;
      left--;
    }
    return { y, a, b };
  });
}

/** Rows of one cluster share an error that dwarfs their own. */
function clustersOf(name: string, sizes: readonly number[]): EdgeWorld {
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const codes = new Int32Array(n);
  let at = 0;
  sizes.forEach((size, g) => {
    codes.fill(g, at, at + size);
    at += size;
  });
  const clusters: Clusters = { codes, count: sizes.length };
  return world(name, 'mae', 0.1, (random, harmed) => {
    const shared = normals(random, sizes.length);
    const [first, second] = [normals(random, n), normals(random, n)];
    const a = first.map((z) => 3 + 0.1 * z);
    const b = second.map((z, i) => 3 + 0.1 * (shared[codes[i] as number] as number) + 0.1 * z);
    return { y: new Float64Array(n), a, b: harmed ? b.map((x) => x + 0.1) : b, clusters };
  });
}

/** Pareto weights: the smaller the exponent, the more of the weight lies on single rows. */
function weightsOf(exponent: number): EdgeWorld {
  const n = 2000;
  return world(`weights of Pareto ${exponent}`, 'mae', 0.1, (random, harmed) => {
    const weights = Float64Array.from({ length: n }, () => (1 - random.uniform()) ** (-1 / exponent));
    const model = (more: number) => normals(random, n).map((z) => 3 + more + z / 2);
    return { y: new Float64Array(n), a: model(0), b: model(harmed ? 0.1 : 0), weights };
  });
}

const equal = (count: number, size: number) => Array<number>(count).fill(size);

export const edgeWorlds: readonly EdgeWorld[] = [
  ...[2, 3, 5, 10, 20, 50].map((positives) => fewPositives(positives, 1.2, 1.0)),
  ...[3, 5, 10, 20, 50].map((positives) => fewPositives(positives, 2.6, 2.2)),
  ...[3, 5, 10, 20, 50].map(recallOf),
  ...[3, 5, 8, 10, 20, 50].map(precisionOf),
  clustersOf('10 clusters of 100', equal(10, 100)),
  clustersOf('1 cluster of 5,000, 9 of 10', [5000, ...equal(9, 10)]),
  clustersOf('1 cluster of 2,000, 49 of 50', [2000, ...equal(49, 50)]),
  clustersOf('1 cluster of 500, 49 of 50', [500, ...equal(49, 50)]),
  clustersOf(
    '50 clusters of 2,000 to 40 (Zipf)',
    Array.from({ length: 50 }, (_, i) => Math.ceil(2000 / (i + 1))),
  ),
  ...[3, 1.1, 0.7].map(weightsOf),
];

/** The most that either rate may be. */
export const goal = 0.06;

/** Shares of runs in which an equal model is blocked, and a loss of the margin passes. */
export function edgeRates(world: EdgeWorld, count: number): { blocked: number; passed: number } {
  const judge = (seed: number, harmed: boolean) =>
    decideComparison({
      name: world.metric,
      lowerIsBetter: !higherIsBetter(world.metric),
      estimate: world.compare(seed, harmed),
      // an equal model is judged without a margin: what fails then is what the gate calls harm
      margin: harmed ? world.loss : null,
      require: 'non-inferior',
      alpha: 0.05,
      power: 0.8,
      noise: null,
    }).verdict;
  let [blocked, passed] = [0, 0];
  for (let run = 0; run < count; run++) {
    if (judge(run, false) === 'fail') blocked++;
    if (judge(run + 2 ** 32, true) === 'pass') passed++;
  }
  return { blocked: blocked / count, passed: passed / count };
}
