import { identifier, type SqlEngine } from '../data/engine.ts';
import { boundOf, lowerIsBetter } from '../gate/metrics.ts';
import { differenceLowerBound } from '../stats/difference-bound.ts';
import { tQuantile } from '../stats/distributions.ts';
import { EXPECTED_METRICS, type ExpectedMetric } from '../stats/expectation.ts';
import { type ExpectedValue, expectedInterval, expectedMetric } from '../stats/expected-metric.ts';
import { encodeClusters } from '../stats/influence.ts';
import { isUndefined } from '../stats/undefined.ts';
import type { LabelledPredictions } from './concept-signals.ts';
import { percent, readable } from './format.ts';
import {
  estimateMetric,
  type GateReader,
  type GateScores,
  type MetricChoice,
  watchedMetric,
} from './gate-scores.ts';
import { type MonitoringPolicy, maximumFall } from './policy.ts';
import { plainSignal, type Signal } from './signal.ts';

export interface EstimateOptions {
  policy: MonitoringPolicy;
  gateOf: GateReader;
  /** View of the served predictions. */
  view: string;
  /** What is measured already, where labels have come. */
  measured: readonly LabelledPredictions[];
}

/**
 * The metric that a classifier's probabilities promise, before labels come (src/stats/expected-metric.ts). It is
 * `logged` where even its better bound is past the floor or the tolerated fall, and never an alert: it sees what
 * inputs can tell, and takes for granted that a score still means what it meant at the gate.
 */
export async function estimatedPerformance(engine: SqlEngine, options: EstimateOptions): Promise<Signal[]> {
  const versions = await engine.rows(
    `SELECT DISTINCT version FROM ${identifier(options.view)} WHERE output IS NOT NULL ORDER BY 1`,
  );
  const signals: Signal[] = [];
  for (const row of versions) {
    const version = Number(row.version);
    const gate = await options.gateOf(version);
    if (gate === null) continue;
    const choice = watchedMetric(options.policy, gate, 'classification');
    const { metric } = choice;
    if (isExpected(metric))
      signals.push(await signalOf(engine, { ...options, version, gate, choice: { ...choice, metric } }));
  }
  return signals;
}

const isExpected = (metric: string): metric is ExpectedMetric =>
  (EXPECTED_METRICS as readonly string[]).includes(metric);

interface Question extends EstimateOptions {
  version: number;
  gate: GateScores;
  choice: MetricChoice & { metric: ExpectedMetric };
}

async function signalOf(engine: SqlEngine, question: Question): Promise<Signal> {
  const { policy, version, gate, choice, view } = question;
  const base = {
    ...plainSignal,
    signal: 'estimated_performance' as const,
    name: `${choice.metric} of version ${version}`,
    version,
  };
  const unknown = (why: string): Signal => ({
    ...base,
    verdict: 'not_enough_data',
    summary: `not enough data: ${why}`,
  });
  const [output, day] = await engine.columns(
    `SELECT output, CAST(CAST(event_time AS DATE) AS VARCHAR) AS day FROM ${identifier(view)}
     WHERE version = ${version} AND output IS NOT NULL`,
  );
  const score = (output?.values ?? new Float64Array()) as Float64Array;
  if (score.length < policy.minimum_rows)
    return unknown(`${score.length} predictions, ${policy.minimum_rows} are needed`);
  const days = encodeClusters((day?.values ?? []) as string[]);
  const expected = expectedMetric({
    ...choice,
    known: { score: gate.candidate, y: gate.label, clusters: gate.clusters },
    unknown: { score, clusters: days },
    sameClusters: gate.daily,
  });
  if (isUndefined(expected)) return unknown(expected.detail);
  const interval = expectedInterval(expected, policy.alpha);
  const past = pastLimit(question, expected);
  const outside =
    expected.outside > 0.01 ? `; ${percent(expected.outside)} of the scores lie outside of the gate's` : '';
  return {
    ...base,
    verdict: past === null ? 'ok' : 'logged',
    value: expected.value,
    interval,
    summary: `${choice.metric} of version ${version} is estimated at ${readable(expected.value)} (${readable(interval.low)} to ${readable(interval.high)}) for ${expected.n} predictions${past === null ? '' : `, ${past}`}${outside}${measuredNow(question)}`,
  };
}

/** Which limit even the better one-sided bound is past; null for none. */
function pastLimit({ policy, gate, choice }: Question, expected: ExpectedValue): string | null {
  const lower = lowerIsBetter(choice.metric);
  const sign = lower ? -1 : 1;
  const half = tQuantile(1 - policy.alpha, expected.df) * expected.se;
  const best = sign * expected.value + half;
  const floor = policy.metric?.floor;
  if (floor !== undefined && best < sign * floor)
    return `past the ${lower ? 'ceiling' : 'floor'} of ${readable(floor)}`;
  const before = estimateMetric(choice, gate);
  if (isUndefined(before)) return null;
  const low = sign * boundOf(before, lower ? 'high' : 'low', policy.alpha);
  const fall = differenceLowerBound(
    { value: sign * before.value, low },
    { value: sign * expected.value, high: best },
  );
  const tolerated = maximumFall(policy, choice.metric, before.value);
  return fall > tolerated ? `${readable(before.value)} at its gate` : null;
}

/** The measured value beside it, where labels have come. */
function measuredNow({ measured, version, choice }: Question): string {
  const group = measured.find((one) => one.version === version);
  if (group === undefined || group.label.length === 0) return '';
  const value = estimateMetric(choice, { label: group.label, candidate: group.prediction, clusters: null });
  return isUndefined(value)
    ? ''
    : `; measured on ${group.label.length} with labels: ${readable(value.value)}`;
}
