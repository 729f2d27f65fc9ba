/** Metrics that have an expectation from probabilities; labels of 0 and 1. */
export const EXPECTED_METRICS = ['accuracy', 'auc', 'f1', 'log_loss', 'brier'] as const;
export type ExpectedMetric = (typeof EXPECTED_METRICS)[number];

export interface Expectation {
  /** NaN where the metric does not exist. */
  readonly value: number;
  /** What a row's label, or its probability, changes the value by: one a row. */
  readonly slopes: Float64Array;
}

/**
 * A metric in expectation over labels that are 1 with probability p, to first order, and its slopes.
 *
 * @param score one a row; a row counts as positive from `threshold` on
 * @param p of the label, one a row
 */
export function expectation(
  { metric, threshold }: { metric: ExpectedMetric; threshold: number },
  { score, p }: { score: Float64Array; p: Float64Array },
): Expectation {
  const n = score.length;
  if (metric === 'auc') return expectedAuc(score, p);
  const positive = (i: number) => (score[i] as number) >= threshold;
  if (metric === 'f1') {
    let hits = 0;
    let total = 0;
    for (let i = 0; i < n; i++) {
      hits += positive(i) ? (p[i] as number) : 0;
      total += (positive(i) ? 1 : 0) + (p[i] as number);
    }
    const value = (2 * hits) / total;
    return { value, slopes: Float64Array.from(score, (_, i) => ((positive(i) ? 2 : 0) - value) / total) };
  }
  // means of a loss that is linear in the label
  let sum = 0;
  const slopes = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [ifOne, ifZero] = lossesOf(metric, { score: score[i] as number, positive: positive(i) });
    sum += (p[i] as number) * ifOne + (1 - (p[i] as number)) * ifZero;
    slopes[i] = (ifOne - ifZero) / n;
  }
  return { value: sum / n, slopes };
}

const least = 2 ** -52;

/** What a row adds to a mean metric where its label is 1, and where it is 0. */
function lossesOf(
  metric: Exclude<ExpectedMetric, 'f1' | 'auc'>,
  { score, positive }: { score: number; positive: boolean },
): [number, number] {
  switch (metric) {
    case 'accuracy':
      return positive ? [1, 0] : [0, 1];
    case 'brier':
      return [(1 - score) ** 2, score ** 2];
    case 'log_loss':
      return [-Math.log(Math.max(least, score)), -Math.log(Math.max(least, 1 - score))];
  }
}

/**
 * Σ p_i (1 − p_j) [s_i > s_j] over Σ p_i (1 − p_j), both over pairs of two rows; a tie counts half. O(n log n).
 */
function expectedAuc(score: Float64Array, p: Float64Array): Expectation {
  const n = score.length;
  const order = Int32Array.from(score.keys()).sort((a, b) => (score[a] as number) - (score[b] as number));
  const at = (k: number) => score[order[k] as number] as number;
  const chance = (k: number) => p[order[k] as number] as number;
  const positives = p.reduce((sum, one) => sum + one, 0);
  let above = positives;
  let below = 0;
  let won = 0;
  const gain = new Float64Array(n);
  for (let first = 0, end = 0; first < n; first = end) {
    let tied = 0;
    for (end = first; end < n && at(end) === at(first); end++) tied += chance(end);
    above -= tied;
    for (let k = first; k < end; k++) {
      const own = chance(k);
      const negatives = below + (end - first - 1 - (tied - own)) / 2;
      gain[order[k] as number] = negatives - (above + (tied - own) / 2);
      won += own * negatives;
    }
    below += end - first - tied;
  }
  const pairs = positives * (n - positives) - p.reduce((sum, one) => sum + one * (1 - one), 0);
  const value = won / pairs;
  const slopes = gain.map((own, i) => (own - value * (n - 2 * positives - 1 + 2 * (p[i] as number))) / pairs);
  return { value, slopes };
}
