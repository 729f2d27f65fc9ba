import { type Check, check } from '../check.ts';
import { formatCount, formatPercent, formatValue } from '../numbers.ts';
import type { GatePolicy, PredictionRange } from '../policy.ts';
import type { Scores } from '../scores.ts';

interface Spread {
  min: number;
  max: number;
  mean: number;
  /** With n in the denominator. */
  sd: number;
}

/** Whether the candidate's predictions lie where the policy, and the champion's predictions, say they should. */
export function predictionRangeChecks(scores: Scores, policy: GatePolicy): Check[] {
  const range = policy.prediction_range;
  if (range === undefined) return [];
  const checks: Check[] = [];
  const fixed = fixedRange(scores, range);
  if (fixed !== null) checks.push(fixed);
  const { champion, candidate } = scores;
  if (champion === null) {
    checks.push(
      check({
        ...head('champion', "prediction range against the champion's"),
        verdict: 'neutral',
        reason: 'There is no champion yet to compare the predictions with.',
      }),
    );
    return checks;
  }
  const expected = spread(champion);
  const found = spread(candidate);
  return [
    ...checks,
    outside({ candidate, expected, found, range }),
    shifted({ expected, found, range, n: scores.rows }),
  ];
}

function fixedRange({ candidate }: Scores, { min, max }: PredictionRange): Check | null {
  if (min === undefined && max === undefined) return null;
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  const count = candidate.reduce((sum, value) => (value >= low && value <= high ? sum : sum + 1), 0);
  const limits = [
    min === undefined ? null : `at least ${formatValue(min)}`,
    max === undefined ? null : `at most ${formatValue(max)}`,
  ].filter((part) => part !== null);
  return check({
    ...head('fixed', `predictions ${limits.join(' and ')}`),
    verdict: count === 0 ? 'pass' : 'fail',
    reason: `${formatCount(count)} of ${formatCount(candidate.length)} predictions are not ${limits.join(' and ')}.`,
    candidate: count,
    margin: 0,
    n: candidate.length,
    method: 'count',
  });
}

function outside(input: {
  candidate: Float64Array;
  expected: Spread;
  found: Spread;
  range: PredictionRange;
}): Check {
  const { candidate, expected, found, range } = input;
  const slack = range.tolerance * (expected.max - expected.min);
  const low = expected.min - slack;
  const high = expected.max + slack;
  // a NaN is outside of every range
  const count = candidate.reduce((sum, value) => (value >= low && value <= high ? sum : sum + 1), 0);
  const share = candidate.length === 0 ? 1 : count / candidate.length;
  return check({
    ...head('outside', "predictions outside of the champion's range"),
    verdict: share <= range.max_outside ? 'pass' : 'fail',
    reason: `${formatPercent(share)} of the predictions lie outside of ${formatValue(low)} to ${formatValue(high)}, the champion's range widened by ${formatPercent(range.tolerance)}; ${formatPercent(range.max_outside)} may. They go from ${formatValue(found.min)} to ${formatValue(found.max)}.`,
    candidate: share,
    margin: range.max_outside,
    n: candidate.length,
    method: 'count',
  });
}

function shifted(input: { expected: Spread; found: Spread; range: PredictionRange; n: number }): Check {
  const { expected, found, range, n } = input;
  const distance = found.mean - expected.mean;
  const shift =
    expected.sd > 0 ? Math.abs(distance) / expected.sd : distance === 0 ? 0 : Number.POSITIVE_INFINITY;
  const told = Number.isFinite(shift)
    ? `${formatValue(shift)} standard deviations apart; ${formatValue(range.max_shift)} are allowed`
    : 'all champion predictions are one value, from which no shift is allowed';
  return check({
    ...head('shift', 'shift of the mean prediction'),
    // written so that NaN fails
    verdict: shift <= range.max_shift ? 'pass' : 'fail',
    reason: `The mean prediction is ${formatValue(found.mean)}, the champion's ${formatValue(expected.mean)}: ${told}.`,
    champion: expected.mean,
    candidate: found.mean,
    diff: distance,
    margin: range.max_shift,
    n,
    method: 'mean',
  });
}

const head = (part: string, title: string) => ({
  id: `prediction_range:${part}`,
  kind: 'prediction_range' as const,
  title,
  effect: 'blocks' as const,
});

function spread(values: Float64Array): Spread {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let mean = 0;
  let squares = 0;
  values.forEach((value, index) => {
    if (value < min) min = value;
    if (value > max) max = value;
    // Welford (1962): stable in one pass
    const delta = value - mean;
    mean += delta / (index + 1);
    squares += delta * (value - mean);
  });
  return { min, max, mean, sd: values.length === 0 ? 0 : Math.sqrt(squares / values.length) };
}
