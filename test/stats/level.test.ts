import { describe, expect, it } from 'vitest';
import { compareMetric } from '../../src/stats/compare-metric.ts';
import type { Clusters } from '../../src/stats/influence.ts';
import { conclude } from '../../src/stats/paired-estimate.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';

interface World {
  readonly n: number;
  /** Rows a cluster; 1 for independent rows. */
  readonly clusterSize: number;
}

/** Two models of one true quality, scores correlated; rows of a cluster share part of their noise. */
function twins(random: Random, { n, clusterSize }: World) {
  // Box & Muller
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const y = new Float64Array(n);
  const a = new Float64Array(n);
  const b = new Float64Array(n);
  const codes = new Int32Array(n);
  let [own, other] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (clusterSize > 1 && i % clusterSize === 0) [own, other] = [normal() * 0.6, normal() * 0.6];
    codes[i] = Math.floor(i / clusterSize);
    y[i] = random.uniform() < 0.3 ? 1 : 0;
    const signal = 1.2 * (y[i] as number) - 0.9 + 0.8 * normal();
    a[i] = 1 / (1 + Math.exp(-(signal + 0.5 * normal() + own)));
    b[i] = 1 / (1 + Math.exp(-(signal + 0.5 * normal() + other)));
  }
  const clusters: Clusters | null = clusterSize > 1 ? { codes, count: n / clusterSize } : null;
  return { y, a, b, clusters };
}

const METRICS = ['accuracy', 'auc', 'f1', 'log_loss', 'rmse', 'precision'] as const;
const RUNS = 1000;

/** Per metric: share of equal pairs called worse at one-sided .05, and of 95% intervals that hold 0. */
function rates(world: World, robust: boolean) {
  const random = seededRandom(2024);
  const worse = new Float64Array(METRICS.length);
  const covered = new Float64Array(METRICS.length);
  for (let run = 0; run < RUNS; run++) {
    const rows = twins(random, world);
    METRICS.forEach((metric, k) => {
      const result = compareMetric(metric, robust ? rows : { ...rows, clusters: null });
      if (isUndefined(result)) throw new Error(result.detail);
      const { boundHigh, ciLow, ciHigh } = conclude(result, { alpha: 0.05, margin: null });
      if (boundHigh < 0) worse[k]! += 1 / RUNS;
      if (ciLow <= 0 && ciHigh >= 0) covered[k]! += 1 / RUNS;
    });
  }
  return METRICS.map((metric, k) => ({ metric, worse: worse[k] as number, covered: covered[k] as number }));
}

// one standard error of a rate of .05 in 1,000 runs is .007, and each bound below lies 3 of them out
describe('equal models are blocked about as often as alpha says', () => {
  it('300 independent rows', () => {
    for (const { metric, worse, covered } of rates({ n: 300, clusterSize: 1 }, true)) {
      expect(worse, metric).toBeGreaterThan(0.029);
      expect(worse, metric).toBeLessThan(0.071);
      expect(covered, metric).toBeGreaterThan(0.929);
    }
  });
  it('30 clusters of 20 rows', () => {
    for (const { metric, worse, covered } of rates({ n: 600, clusterSize: 20 }, true)) {
      expect(worse, metric).toBeLessThan(0.071);
      expect(covered, metric).toBeGreaterThan(0.929);
    }
  });
  it('and far more often where clustered rows are taken as independent', () => {
    const naive = rates({ n: 600, clusterSize: 20 }, false);
    expect(naive.find((r) => r.metric === 'log_loss')?.worse).toBeGreaterThan(0.08);
  });
});
