import { z } from 'zod';
import type { Verdict } from '../../outcome.ts';
import { holm } from '../../stats/multiplicity.ts';
import { isUndefined } from '../../stats/undefined.ts';
import { type Check, check } from '../check.ts';
import { type Band, beyond, gapBand, rateOf, ratioBand } from '../fairness-rates.ts';
import { type MetricRows, metricRows, selectRows } from '../metrics.ts';
import { formatExact, formatP, formatValue, plural } from '../numbers.ts';
import type { FairnessPolicy, GatePolicy } from '../policy.ts';
import type { Scores } from '../scores.ts';
import { rowsByCode, rowsWhere } from '../slice-rows.ts';

const number = z.number().nullable();
const measures = ['selection_ratio', 'tpr_gap', 'fpr_gap'] as const;
type Measure = (typeof measures)[number];

/** One measure of one group against the reference. */
export const FairnessResult = z.object({
  column: z.string(),
  /** Null for rows where the column is missing. */
  value: z.string().nullable(),
  reference: z.string().nullable(),
  measure: z.enum(measures),
  /** Rows of the group that count for the measure: all, true positives' or true negatives'. */
  n: z.number(),
  rate: number,
  reference_rate: number,
  /** The ratio of the rates, or their difference; bounds are one-sided, each at level 1 − alpha. */
  estimate: number,
  low: number,
  high: number,
  /** One-sided p of lying beyond the limit, and by Holm over all groups. */
  p: number,
  p_holm: number,
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'untested']),
  detail: z.string().nullable(),
});
export type FairnessResult = z.infer<typeof FairnessResult>;

interface Judged {
  result: FairnessResult;
  band: Band;
}

/**
 * The candidate's rates by group against a reference group. Each passes when its interval at level 1 − 2 alpha
 * keeps the limit, fails when it lies beyond it by Holm over all groups, columns and measures, and else is
 * inconclusive. The champion is not asked: a bias that was there before is one all the same.
 */
export function fairnessChecks(
  scores: Scores,
  policy: GatePolicy,
): { checks: Check[]; fairness: FairnessResult[] } {
  const { fairness } = policy;
  if (fairness === undefined) return { checks: [], fairness: [] };
  const rows = metricRows(scores, 'fairness');
  const binary = rows.label.every((y) => y === 0 || y === 1);
  if (!binary || !rows.candidate.every((p) => p >= 0 && p <= 1)) {
    const reason = 'Rates by group need labels of 0 and 1 and predictions that are probabilities.';
    const head = headOf('rates', 'fairness');
    return { checks: [check({ ...head, verdict: 'inconclusive', reason })], fairness: [] };
  }
  const results: FairnessResult[] = [];
  const judged: Judged[] = [];
  for (const column of fairness.group)
    judgeColumn(column, { scores, rows, alpha: policy.alpha, fairness, results, judged });
  decide(judged, policy.alpha);
  const checks = fairness.group.flatMap((column) =>
    measures
      .filter((measure) => fairness[measure] !== undefined)
      .map((measure) =>
        summarise(
          results.filter((one) => one.column === column && one.measure === measure),
          { column, measure, fairness },
        ),
      ),
  );
  return { checks, fairness: results };
}

function judgeColumn(
  column: string,
  context: {
    scores: Scores;
    rows: MetricRows;
    alpha: number;
    fairness: FairnessPolicy;
    results: FairnessResult[];
    judged: Judged[];
  },
): void {
  const { scores, rows, alpha, fairness, results, judged } = context;
  const groups = rowsByCode(scores, column).filter(({ indices }) => indices.length > 0);
  const reference = referenceOf(column, groups, { scores, fairness });
  if (reference === null) return;
  const base = hitsOf(selectRows(rows, reference.indices), { threshold: fairness.threshold, alpha });
  for (const { value, indices } of groups) {
    if (value === reference.value) continue;
    const own = hitsOf(selectRows(rows, indices), { threshold: fairness.threshold, alpha });
    for (const measure of measures) {
      const limit = fairness[measure];
      if (limit === undefined) continue;
      const [group, against] = [own[measure], base[measure]];
      const result: FairnessResult = {
        ...{ column, value, reference: reference.value, measure },
        n: group.rows,
        rate: group.rows === 0 ? null : group.rate.count / group.rate.n,
        reference_rate: against.rows === 0 ? null : against.rate.count / against.rate.n,
        ...{ estimate: null, low: null, high: null, p: null, p_holm: null },
        verdict: 'inconclusive',
        detail: null,
      };
      results.push(result);
      if (indices.length < fairness.min_rows) {
        result.verdict = 'untested';
        result.detail = `fewer than ${plural(fairness.min_rows, 'row')}`;
      } else if (group.rows === 0 || against.rows === 0) {
        result.detail = `no rows with label ${measure === 'tpr_gap' ? 1 : 0}`;
      } else if (group.rate.few !== null || against.rate.few !== null) {
        result.detail = group.rate.few ?? `of the reference, ${against.rate.few}`;
      } else {
        const make = measure === 'selection_ratio' ? ratioBand : gapBand;
        judged.push({ result, band: make(against.rate, group.rate, limit) });
      }
    }
  }
}

function referenceOf(
  column: string,
  groups: ReturnType<typeof rowsByCode>,
  { scores, fairness }: { scores: Scores; fairness: FairnessPolicy },
) {
  const named = fairness.reference[column];
  if (named !== undefined) {
    const first = rowsWhere(scores, { [column]: named })[0];
    return groups.find(({ indices }) => first !== undefined && indices.includes(first)) ?? null;
  }
  return groups.reduce<(typeof groups)[number] | null>(
    (largest, group) => (largest === null || group.indices.length > largest.indices.length ? group : largest),
    null,
  );
}

/** Selected rows among all, among true positives and among true negatives. */
function hitsOf(rows: MetricRows, { threshold, alpha }: { threshold: number; alpha: number }) {
  const select = (keep: (label: number) => boolean) => {
    const indices = Int32Array.from(rows.label.keys()).filter((i) => keep(rows.label[i] as number));
    const part = selectRows(rows, indices);
    const hits = part.candidate.map((p) => (p >= threshold ? 1 : 0));
    return { rows: hits.length, rate: rateOf(hits, part.clusters, alpha) };
  };
  return {
    selection_ratio: select(() => true),
    tpr_gap: select((label) => label === 1),
    fpr_gap: select((label) => label === 0),
  };
}

function decide(judged: readonly Judged[], alpha: number): void {
  const p = judged.map(({ band }) => beyond(band));
  const adjusted = holm(p);
  judged.forEach(({ result, band }, index) => {
    const interval = band.interval(2 * alpha);
    if (isUndefined(interval)) {
      result.detail = interval.detail;
      return;
    }
    const finite = (value: number) => (Number.isFinite(value) ? value : null);
    result.estimate = finite(interval.estimate);
    result.low = interval.low;
    result.high = finite(interval.high);
    result.p = p[index] as number;
    result.p_holm = adjusted[index] as number;
    const keeps = interval.low >= band.least && interval.high <= band.most;
    const verdict: Verdict = keeps ? 'pass' : result.p_holm <= alpha ? 'fail' : 'inconclusive';
    result.verdict = verdict;
  });
}

const words: Record<Measure, string> = {
  selection_ratio: 'is selected',
  tpr_gap: 'is found when positive',
  fpr_gap: 'is wrongly selected',
};

const headOf = (id: string, title: string) => ({
  id: `fairness:${id}`,
  kind: 'fairness' as const,
  title,
  effect: 'blocks' as const,
  method: 'interval',
});

function summarise(
  results: readonly FairnessResult[],
  { column, measure, fairness }: { column: string; measure: Measure; fairness: FairnessPolicy },
): Check {
  const limit = fairness[measure] as number;
  const head = { ...headOf(`${column}:${measure}`, `fairness: ${measure} by ${column}`), margin: limit };
  const tested = results.filter(({ verdict }) => verdict !== 'untested');
  const small = results.length - tested.length;
  const left =
    small === 0 ? '' : ` ${plural(small, 'group')} below ${plural(fairness.min_rows, 'row')} not judged.`;
  if (tested.length === 0) {
    const reason =
      results.length === 0
        ? `${column} has no reference group and another one to hold against it.`
        : `No group of ${column} is large enough to be judged.`;
    return check({ ...head, verdict: 'inconclusive', reason });
  }
  const order = { fail: 0, inconclusive: 1, pass: 2, untested: 3 };
  const distance = ({ estimate }: FairnessResult) =>
    estimate === null ? 0 : measure === 'selection_ratio' ? Math.abs(Math.log(estimate)) : Math.abs(estimate);
  const worst = [...tested].sort(
    (a, b) => order[a.verdict] - order[b.verdict] || distance(b) - distance(a),
  )[0] as FairnessResult;
  const verdict = worst.verdict as Verdict;
  return check({
    ...head,
    verdict,
    reason: `${told(worst, limit)}${left}`,
    candidate: worst.rate,
    diff: worst.estimate,
    low: worst.low,
    high: worst.high,
    n: worst.n,
    p: worst.p_holm,
  });
}

function told(worst: FairnessResult, limit: number): string {
  const { column, value, reference, measure, rate, reference_rate, estimate, low, high } = worst;
  const name = (text: string | null) => (text ?? 'missing').slice(0, 80);
  const who = `${column} ${name(value)}`;
  if (worst.detail !== null || low === null)
    return `${who} cannot be held against ${name(reference)}: ${worst.detail ?? 'its rate has no interval'}.`;
  const rates = `${who} ${words[measure]} at ${formatValue(rate)}, ${name(reference)} at ${formatValue(reference_rate)}`;
  const ratio = measure === 'selection_ratio';
  const effect = `${ratio ? 'ratio' : 'gap'} ${formatExact(estimate)} [${formatExact(low)}, ${high === null ? '∞' : formatExact(high)}]`;
  const allowed = ratio
    ? `${formatExact(limit)} to ${formatExact(1 / limit)}`
    : `up to ${formatExact(limit)}`;
  const tail =
    worst.verdict === 'fail'
      ? ` (p ${formatP(worst.p_holm)} after Holm)`
      : worst.verdict === 'inconclusive'
        ? '; the rows cannot tell on which side it lies'
        : '';
  return `${rates}: ${effect}; ${allowed} is allowed${tail}.`;
}
