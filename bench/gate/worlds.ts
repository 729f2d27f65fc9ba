/** Worlds in which the truth is known: two models' predictions of the same rows, and what the candidate truly loses. */
import type { MetricRows } from '../../src/gate/metrics.ts';
import { normalCdf, normalQuantile } from '../../src/stats/distributions.ts';
import type { Clusters } from '../../src/stats/influence.ts';
import { type Random, seededRandom } from '../../src/stats/random.ts';

export const binaryMetrics = ['accuracy', 'auc', 'log_loss', 'brier', 'f1', 'precision', 'recall'] as const;
export const regressionMetrics = ['rmse', 'mae'] as const;
export type Metric = (typeof binaryMetrics)[number] | (typeof regressionMetrics)[number];
export type Family = 'binary' | 'regression';

export const familyOf = (metric: Metric): Family =>
  (binaryMetrics as readonly string[]).includes(metric) ? 'binary' : 'regression';

/** Share of positive rows. */
export const prevalence = 0.3;
/** Correlation of the two models' scores among rows of one class; of their errors in a regression. */
export const correlation = 0.8;
/** Distance of the classes in standard deviations of the score: an AUC of .80. */
const distance = Math.SQRT2 * normalQuantile(0.8);
/** Share of a model's own noise that the rows of one cluster have in common. */
const clusterShare = 0.3;

export interface World {
  family: Family;
  rows: number;
  /**
   * 0: as good as the champion. Binary: the share of its signal that the candidate lost. Regression: how much
   * larger its errors are.
   */
  harm: number;
  /** Clusters of equal size; null: independent rows. */
  clusters: number | null;
}

/** One draw of a world; the same seed gives the same rows. */
export function draw(world: World, seed: number): MetricRows {
  const { family, rows, harm } = world;
  const random = seededRandom(seed);
  const clusters = world.clusters === null ? null : equalClusters(rows, world.clusters);
  const shared = normals(random, rows);
  const own = () => ownNoise(random, rows, clusters);
  const champion = own();
  const candidate = own();
  const label = new Float64Array(rows);
  const common = Math.sqrt(correlation);
  const rest = Math.sqrt(1 - correlation);
  for (let i = 0; i < rows; i++) {
    const a = common * (shared[i] as number) + rest * (champion[i] as number);
    const b = common * (shared[i] as number) + rest * (candidate[i] as number);
    if (family === 'binary') {
      const y = random.uniform() < prevalence ? 1 : 0;
      label[i] = y;
      champion[i] = probability(a + distance * y);
      candidate[i] = probability(b + distance * (1 - harm) * y);
    } else {
      // only the errors matter: the target is 0
      champion[i] = a;
      candidate[i] = b * (1 + harm);
    }
  }
  return { label, champion, candidate, clusters, losses: undefined };
}

/** The chance of a positive row at a score of the champion: its probabilities are calibrated. */
const probability = (score: number): number =>
  1 / (1 + Math.exp(-(Math.log(prevalence / (1 - prevalence)) + distance * score - distance ** 2 / 2)));

/** The score at which the probability is one half. */
const threshold = distance / 2 - Math.log(prevalence / (1 - prevalence)) / distance;

/** A metric's true value for a candidate with a harm. */
export function truth(metric: Metric, harm: number): number {
  const signal = distance * (1 - harm);
  const hit = normalCdf(signal - threshold);
  const alarm = normalCdf(-threshold);
  const found = prevalence * hit;
  const flagged = found + (1 - prevalence) * alarm;
  const expected = (loss: (y: number, p: number) => number) =>
    prevalence * overNormal((z) => loss(1, probability(z + signal))) +
    (1 - prevalence) * overNormal((z) => loss(0, probability(z)));
  switch (metric) {
    case 'accuracy':
      return found + (1 - prevalence) * (1 - alarm);
    case 'auc':
      return normalCdf(signal / Math.SQRT2);
    case 'f1':
      return (2 * found) / (prevalence + flagged);
    case 'precision':
      return found / flagged;
    case 'recall':
      return hit;
    case 'log_loss':
      return expected((y, p) => -Math.log(y === 1 ? p : 1 - p));
    case 'brier':
      return expected((y, p) => (p - y) ** 2);
    case 'rmse':
      return 1 + harm;
    case 'mae':
      return (1 + harm) * Math.sqrt(2 / Math.PI);
  }
}

/** How much a candidate with a harm truly loses, > 0. */
export const trueLoss = (metric: Metric, harm: number): number =>
  Math.abs(truth(metric, harm) - truth(metric, 0));

/** The harm at which a metric truly loses so much. */
export function harmFor(metric: Metric, loss: number): number {
  let low = 0;
  let high = 1;
  if (trueLoss(metric, high) < loss) throw new RangeError(`no harm makes ${metric} lose ${loss}`);
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (trueLoss(metric, middle) < loss) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** E f(Z), Z standard normal, by the trapezoidal rule, exact to rounding for smooth f. */
function overNormal(f: (z: number) => number): number {
  const step = 0.01;
  let sum = 0;
  for (let i = -900; i <= 900; i++) sum += f(i * step) * Math.exp(-((i * step) ** 2) / 2);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}

function ownNoise(random: Random, rows: number, clusters: Clusters | null): Float64Array {
  const noise = normals(random, rows);
  if (clusters === null) return noise;
  const ofCluster = normals(random, clusters.count);
  for (let i = 0; i < rows; i++) {
    const g = ofCluster[clusters.codes[i] as number] as number;
    noise[i] = Math.sqrt(1 - clusterShare) * (noise[i] as number) + Math.sqrt(clusterShare) * g;
  }
  return noise;
}

function equalClusters(rows: number, count: number): Clusters {
  return { codes: Int32Array.from({ length: rows }, (_, i) => i % count), count };
}

/** Standard normal numbers by Box and Muller (1958). */
export function normals(random: Random, count: number): Float64Array {
  const out = new Float64Array(count + (count % 2));
  for (let i = 0; i < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
  return out.subarray(0, count);
}
