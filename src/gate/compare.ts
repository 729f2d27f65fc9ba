import type { SqlEngine } from '../data/engine.ts';
import { compareMetric, countDiscordant, hits } from '../stats/compare-metric.ts';
import { mcnemar } from '../stats/mcnemar.ts';
import { conclude, type PairedEstimate } from '../stats/paired-estimate.ts';
import { isUndefined, type Undefined } from '../stats/undefined.ts';
import { flipsOf } from './checks/metrics.ts';
import { type ComparedColumns, type CompareQuestion, isBinary, readColumns } from './compare-columns.ts';
import { absoluteMargin, decideComparison, fewClusters } from './decide.ts';
import type { KnownMetric } from './policy.ts';
import { smallerIsBetter } from './policy-metrics.ts';

const thresholded = new Set<KnownMetric>([
  'accuracy',
  'f1',
  'precision',
  'recall',
  'balanced_accuracy',
  'macro_f1',
]);

/** Reads, checks and compares. Missing or non-finite values are the user's error: no row is silently left out. */
export async function compareColumns(engine: SqlEngine, question: CompareQuestion) {
  const data = await readColumns(engine, question);
  const estimate = compareMetric(question.metric, {
    ...data,
    classes: data.classCount !== null,
    threshold: question.threshold,
    places: question.k,
    seed: question.seed,
  });
  const decision = decideComparison({
    name: question.metric,
    lowerIsBetter: smallerIsBetter(question),
    estimate,
    margin: question.margin,
    require: 'non-inferior',
    alpha: question.alpha,
    power: 0.8,
    noise: null,
  });
  return {
    verdict: decision.verdict === 'neutral' ? ('inconclusive' as const) : decision.verdict,
    reason: decision.reason,
    outputs: outputsOf({ question, data, estimate }),
  };
}

function outputsOf(input: {
  question: CompareQuestion;
  data: ComparedColumns;
  estimate: PairedEstimate | Undefined;
}) {
  const { question, data, estimate } = input;
  const base = {
    metric: question.metric,
    n: data.y.length,
    confidence: 1 - question.alpha,
    alpha: question.alpha,
    ...(data.classCount !== null
      ? { classes: data.classCount }
      : thresholded.has(question.metric)
        ? { threshold: question.threshold }
        : {}),
  };
  if (isUndefined(estimate)) {
    const empty = {
      method: null,
      clusters: data.clusters?.count ?? null,
      champion: null,
      candidate: null,
      diff: null,
      se: null,
      ci_low: null,
      ci_high: null,
      bound_low: null,
      bound_high: null,
      p_two_sided: null,
      p_worse: null,
      margin: typeof question.margin === 'number' ? question.margin : null,
      mde80: null,
      rows_needed: null,
      flips: null,
    };
    return { ...base, ...empty, undefined_because: estimate.undefined };
  }
  const margin = absoluteMargin(question.margin, estimate.estimateA);
  const told = conclude(estimate, { alpha: question.alpha, margin });
  const flips = flipsBetween(data, question);
  const test = question.metric === 'accuracy' && flips !== undefined ? mcnemar(flips) : null;
  return {
    ...base,
    method: estimate.method,
    clusters: estimate.clusters,
    ...(fewClusters(estimate) === null ? {} : { few_clusters: true as const }),
    champion: estimate.estimateA,
    candidate: estimate.estimateB,
    diff: estimate.diff,
    se: estimate.se,
    ci_low: told.ciLow,
    ci_high: told.ciHigh,
    bound_low: told.boundLow,
    bound_high: told.boundHigh,
    ...(told.deciding.widened ? { bounds_widened: widenedBecause(estimate) } : {}),
    p_two_sided: told.pTwoSided,
    p_worse: told.pWorse,
    margin,
    mde80: told.mde80,
    rows_needed: told.rowsNeeded,
    flips: flips ?? null,
    ...(test === null
      ? {}
      : {
          mcnemar: {
            b: test.b,
            c: test.c,
            p_exact: test.pExact,
            p_midp: test.pMidP,
            chi2: test.chi2,
            p_chi2: test.pChi2,
          },
        }),
  };
}

function flipsBetween(data: ComparedColumns, { metric, threshold }: CompareQuestion) {
  if (!isBinary(metric)) return undefined;
  const { y, a, b } = data;
  if (data.classCount === null)
    return flipsOf({ label: y, champion: a, candidate: b, clusters: null, losses: undefined }, threshold);
  const { b: lost, c: gained } = countDiscordant(hits(y, a), hits(y, b));
  return { b: lost, c: gained };
}

/** Interval, p-values and mde80 stay the method's own; this says why the bounds, which decide, are wider. */
function widenedBecause({ unseen, clusters }: PairedEstimate): string {
  if (unseen !== undefined) return 'few rows carry the difference';
  return clusters === null ? 'few rows, uneven weights or rare large differences' : 'few or uneven clusters';
}
