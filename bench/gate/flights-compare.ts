/** The gate on pairs of real trainings: twins that are equal by construction, and recipes with a real harm. */
import { decideComparison } from '../../src/gate/decide.ts';
import { compareRows, estimateCandidate, type MetricRows } from '../../src/gate/metrics.ts';
import { normalCdf } from '../../src/stats/distributions.ts';
import type { TrainingNoise } from '../../src/stats/paired-estimate.ts';
import { higherIsBetter } from '../../src/stats/paired-metrics.ts';
import { seededRandom, shuffle } from '../../src/stats/random.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import type { Fit, Fits } from './flights-fits.ts';

export const metrics = ['auc', 'log_loss'] as const;
export type Metric = (typeof metrics)[number];

const alpha = 0.05;
const power = 0.8;
/** Retrainings from which the example's gate takes its noise. */
const retrainings = 5;

/** Shares of pairs (champion, candidate) on one number of rows. */
export interface Pairs {
  pairs: number;
  /** Blocked by the gate with the noise of five other trainings, of all other trainings, and without any. */
  five: number;
  all: number;
  fixed: number;
  naive: number;
  onePercent: number;
  /** Share of blocks that the printed standard errors promise for the true loss; of `five`. */
  promised: number;
  mde: number;
  /** Standard error of `five` over fits: a jackknife that leaves out one fit at a time. */
  error: number;
}

/**
 * Every champion with every candidate, on rows drawn anew for each pair. `loss` is what the candidates truly
 * lose: 0 for twins, else the difference of the recipes' means on all rows.
 */
export function comparePairs(
  fits: Fits,
  request: {
    champions: readonly Fit[];
    candidates: readonly Fit[];
    metric: Metric;
    rows: number;
    seed: number;
  },
): Pairs {
  const { champions, candidates, metric } = request;
  const value = (fit: Fit) => metricOf(fits, fit, metric);
  const values = new Map([...new Set([...champions, ...candidates])].map((fit) => [fit, value(fit)]));
  const mean = (list: readonly Fit[]) => list.reduce((sum, fit) => sum + values.get(fit)!, 0) / list.length;
  const sign = higherIsBetter(metric) ? 1 : -1;
  const loss = champions === candidates ? 0 : sign * (mean(champions) - mean(candidates));
  const random = seededRandom(request.seed);
  const order = Int32Array.from(fits.label, (_, i) => i);
  const seen: { champion: Fit; candidate: Fit; blocked: boolean }[] = [];
  const sum = { all: 0, fixed: 0, naive: 0, onePercent: 0, promised: 0, mde: 0 };
  for (const champion of champions) {
    for (const candidate of candidates) {
      if (champion === candidate) continue;
      shuffle(order, random, request.rows);
      const rows = rowsOf(fits, { champion, candidate }, order.slice(0, request.rows).sort());
      const estimate = compareRows({ metric, threshold: 0.5 }, rows);
      if (isUndefined(estimate)) throw new Error(estimate.detail);
      // neither fit of the pair tells of the noise that it is judged by
      const others = champions.filter((fit) => fit !== champion && fit !== candidate);
      const decide = (noise: TrainingNoise | null) =>
        decideComparison({
          name: metric,
          lowerIsBetter: !higherIsBetter(metric),
          estimate,
          margin: null,
          require: 'non-inferior',
          alpha,
          power,
          noise,
        });
      const start = random.below(others.length);
      const few = Array.from({ length: retrainings }, (_, i) => others[(start + i) % others.length] as Fit);
      const five = decide(spread(few, values));
      seen.push({ champion, candidate, blocked: five.verdict === 'fail' });
      if (decide(spread(others, values)).verdict === 'fail') sum.all++;
      if (decide(null).verdict === 'fail') sum.fixed++;
      if (estimate.diff < 0) sum.naive++;
      if (estimate.diff < -0.01 * Math.abs(estimate.estimateA)) sum.onePercent++;
      sum.mde += five.mde ?? Number.NaN;
      sum.promised += promised(loss, five);
    }
  }
  const pairs = seen.length;
  const share = (list: typeof seen) => list.filter(({ blocked }) => blocked).length / list.length;
  return {
    pairs,
    five: share(seen),
    all: sum.all / pairs,
    fixed: sum.fixed / pairs,
    naive: sum.naive / pairs,
    onePercent: sum.onePercent / pairs,
    promised: sum.promised / pairs,
    mde: sum.mde / pairs,
    error: jackknife([...values.keys()], (fit) =>
      share(seen.filter((pair) => pair.champion !== fit && pair.candidate !== fit)),
    ),
  };
}

/** Φ(loss / se − q): the printed MDE is the loss at which this is the power; q from the gate's own bound. */
function promised(loss: number, decision: ReturnType<typeof decideComparison>): number {
  const { se, high, diff } = decision;
  if (se == null || high == null || diff == null) return Number.NaN;
  return normalCdf((loss - (high - diff)) / se);
}

function rowsOf(
  { label, clusters }: Fits,
  { champion, candidate }: { champion: Fit; candidate: Fit },
  chosen: Int32Array,
): MetricRows {
  const pick = (values: Float64Array) => Float64Array.from(chosen, (i) => values[i] as number);
  return {
    label: pick(label),
    champion: pick(champion.predictions),
    candidate: pick(candidate.predictions),
    clusters: { codes: Int32Array.from(chosen, (i) => clusters.codes[i] as number), count: clusters.count },
    losses: undefined,
  };
}

/** A fit's metric on all rows. */
function metricOf({ label }: Fits, fit: Fit, metric: Metric): number {
  const rows = { label, candidate: fit.predictions, champion: null, clusters: null, losses: undefined };
  const estimate = estimateCandidate({ metric, threshold: 0.5 }, rows);
  if (isUndefined(estimate)) throw new Error(estimate.detail);
  return estimate.value;
}

export function spread(list: readonly Fit[], values: ReadonlyMap<Fit, number>): TrainingNoise {
  const numbers = list.map((fit) => values.get(fit) as number);
  const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const squares = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { sd: Math.sqrt(squares / (numbers.length - 1)), df: numbers.length - 1 };
}

function jackknife(fits: readonly Fit[], without: (fit: Fit) => number): number {
  const values = fits.map(without);
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return Math.sqrt(((values.length - 1) / values.length) * squares);
}
