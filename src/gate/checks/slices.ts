import { z } from 'zod';
import { benjaminiHochberg, holm } from '../../stats/multiplicity.ts';
import { addTrainingNoise, conclude, type PairedEstimate } from '../../stats/paired-estimate.ts';
import { isUndefined } from '../../stats/undefined.ts';
import { type Check, check } from '../check.ts';
import { absoluteMargin, fewClusters } from '../decide.ts';
import { compareRows, selectLosses, selectScores } from '../metrics.ts';
import { noiseOfSlice } from '../noise.ts';
import { formatInterval, formatP, formatValue, plural } from '../numbers.ts';
import type { GatePolicy, MetricPolicy, SlicesPolicy } from '../policy.ts';
import type { Scores } from '../scores.ts';
import { rowsByCode } from '../slice-rows.ts';
import type { NoiseByMetric } from './metrics.ts';

const number = z.number().nullable();

/** One metric on one slice. */
export const SliceResult = z.object({
  column: z.string(),
  /** Null for rows where the column is missing. */
  value: z.string().nullable(),
  metric: z.string(),
  n: z.number(),
  champion: number,
  candidate: number,
  /** Higher is better. */
  diff: number,
  low: number,
  high: number,
  margin: number,
  /** One-sided, small when the candidate is worse; as it is, by Holm over all tests, by Benjamini-Hochberg. */
  p: number,
  p_holm: number,
  q: number,
  /** The smallest true drop that this slice shows at Holm's first level with the policy's power. */
  mde: number,
  /** harmed blocks; suspect warns; blind cannot see a loss of the margin; untested has too few rows or classes. */
  state: z.enum(['harmed', 'suspect', 'clear', 'blind', 'untested']),
  detail: z.string().nullable(),
});
export type SliceResult = z.infer<typeof SliceResult>;

export interface SliceFindings {
  checks: Check[];
  slices: SliceResult[];
}

/**
 * Harm tests over all blocking metrics × slices, sharing alpha by Holm. The noise of retraining enters with the
 * slice's own sd where it was measured, else with the whole set's, which is a lower estimate.
 */
export function sliceChecks(scores: Scores, policy: GatePolicy, noise: NoiseByMetric): SliceFindings {
  const slices = policy.slices;
  if (slices === undefined || slices.by.length === 0) return { checks: [], slices: [] };
  const blocking = policy.metrics.filter((metric) => metric.role !== 'information');
  if (scores.champion === null) {
    const neutral = check({
      ...head,
      verdict: 'neutral',
      reason: 'There is no champion yet to compare the slices with.',
    });
    return { checks: [neutral], slices: [] };
  }
  const results = testAll(blocking, { scores, policy, noise, slices });
  return { checks: [summarise(results, policy)], slices: results };
}

const head = { id: 'slices', kind: 'slices' as const, title: 'slices', effect: 'blocks' as const };

interface Context {
  scores: Scores;
  policy: GatePolicy;
  slices: SlicesPolicy;
  noise: NoiseByMetric;
}

interface Tested {
  result: SliceResult;
  /** With the noise of retraining, where it is known. */
  estimate: PairedEstimate;
}

function testAll(metrics: readonly MetricPolicy[], context: Context): SliceResult[] {
  const { scores, slices, policy, noise } = context;
  const results: SliceResult[] = [];
  const tested: Tested[] = [];
  for (const column of slices.by) {
    // the rows of a slice are selected once, for all metrics
    const groups = rowsByCode(scores, column).map((group) => ({
      ...group,
      rows: group.indices.length < slices.min_rows ? null : selectScores(scores, group.indices),
    }));
    for (const metric of metrics) {
      for (const { value, indices, rows } of groups) {
        const blank = blankResult({ column, value, metric: metric.metric, n: indices.length });
        if (rows === null) {
          results.push({ ...blank, detail: `fewer than ${plural(slices.min_rows, 'row')}` });
          continue;
        }
        const losses = selectLosses(scores.losses.get(metric.metric), indices);
        const estimate = compareRows(metric, { ...rows, losses });
        if (isUndefined(estimate)) {
          results.push({ ...blank, detail: estimate.detail });
          continue;
        }
        const few = fewClusters(estimate);
        if (few !== null) {
          results.push({ ...blank, detail: few });
          continue;
        }
        const margin = absoluteMargin(metric.margin ?? null, estimate.estimateA);
        const spread = noiseOfSlice(noise, { metric: metric.metric, column, value });
        const judged = spread === undefined ? estimate : addTrainingNoise(estimate, spread);
        const told = conclude(judged, { alpha: policy.alpha, margin, power: policy.power });
        const result: SliceResult = {
          ...blank,
          champion: estimate.estimateA,
          candidate: estimate.estimateB,
          diff: estimate.diff,
          low: told.boundLow,
          high: told.boundHigh,
          margin,
          p: told.deciding.pWorse,
        };
        results.push(result);
        tested.push({ result, estimate: judged });
      }
    }
  }
  adjust(tested, context);
  return results;
}

/** Holm and Benjamini-Hochberg over all tests, and what each slice can see at Holm's first level, alpha / m. */
function adjust(tested: readonly Tested[], { slices, policy }: Context): void {
  const p = tested.map(({ result }) => result.p as number);
  const adjusted = holm(p);
  const q = benjaminiHochberg(p);
  tested.forEach(({ result, estimate }, index) => {
    const level = { alpha: policy.alpha / tested.length, margin: null, power: policy.power };
    result.p_holm = adjusted[index] as number;
    result.q = q[index] as number;
    result.mde = conclude(estimate, level).deciding.mde80;
    const blind = result.margin !== null && result.mde > result.margin;
    result.state =
      result.p_holm <= policy.alpha
        ? 'harmed'
        : result.q <= slices.warn
          ? 'suspect'
          : blind
            ? 'blind'
            : 'clear';
  });
}

function summarise(results: readonly SliceResult[], policy: GatePolicy): Check {
  const tested = results.filter((result) => result.p !== null);
  const harmed = tested.filter((result) => result.state === 'harmed').sort((a, b) => (a.p ?? 1) - (b.p ?? 1));
  const suspect = tested.filter((result) => result.state === 'suspect').length;
  const blind = tested.filter((result) => result.state === 'blind');
  const worst = harmed[0];
  const fields = { method: 'holm', n: tested.length };
  if (worst !== undefined) {
    const others = harmed.length > 1 ? `, and ${plural(harmed.length - 1, 'other slice')}` : '';
    return check({
      ...head,
      ...fields,
      verdict: 'fail',
      reason: `${worst.metric} is worse where ${worst.column} is ${(worst.value ?? 'missing').slice(0, 80)}: by ${formatValue(Math.abs(worst.diff ?? 0))} ${formatInterval(worst.low, worst.high)} on ${plural(worst.n, 'row')} (p ${formatP(worst.p_holm)} after Holm over ${plural(tested.length, 'test')})${others}.`,
      champion: worst.champion,
      candidate: worst.candidate,
      diff: worst.diff,
      low: worst.low,
      high: worst.high,
      p: worst.p_holm,
    });
  }
  if (tested.length === 0) {
    return check({
      ...head,
      verdict: 'inconclusive',
      reason: 'No slice has enough rows or clusters to be tested.',
    });
  }
  const notes = [
    suspect > 0 ? `${plural(suspect, 'slice')} ${suspect === 1 ? 'deserves' : 'deserve'} a look` : '',
    blind.length > 0 ? `${blind.length} cannot see a loss of their margin` : '',
  ].filter((note) => note !== '');
  return check({
    ...head,
    ...fields,
    // where none could show a loss of its margin, nothing was seen that could count for the candidate
    verdict: blind.length === tested.length ? 'neutral' : 'pass',
    reason: `No slice is worse beyond chance in ${plural(tested.length, 'test')} (Holm, level ${formatValue(policy.alpha)})${notes.length > 0 ? `; ${notes.join('; ')}` : ''}.`,
  });
}

function blankResult(of: Pick<SliceResult, 'column' | 'value' | 'metric' | 'n'>): SliceResult {
  return {
    ...of,
    champion: null,
    candidate: null,
    diff: null,
    low: null,
    high: null,
    margin: null,
    p: null,
    p_holm: null,
    q: null,
    mde: null,
    state: 'untested',
    detail: null,
  };
}
