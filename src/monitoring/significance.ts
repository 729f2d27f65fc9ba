import type { BlockColumn } from '../stats/block-column.ts';
import { type BlockColumnResult, blockPermutation } from '../stats/block-permutation.ts';
import { worthStratifying } from '../stats/block-strata.ts';
import { thinToSameVolume } from '../stats/block-thinning.ts';
import { chiSquareTest, twoSampleTable } from '../stats/contingency.ts';
import { fisherExact } from '../stats/discrete.ts';
import { ksFromCounts } from '../stats/ks.ts';
import { benjaminiHochberg } from '../stats/multiplicity.ts';
import { isUndefined } from '../stats/undefined.ts';
import type { Candidate } from './aspects.ts';
import { type BlockCounts, sumBlocks } from './block-counts.ts';
import type { ClassicalStatistics } from './classical.ts';
import type { MonitoringPolicy } from './policy.ts';
import type { TablePair } from './tables.ts';
import { weekdayStrata } from './weekdays.ts';

export interface Tested {
  p: number | null;
  q: number | null;
  /** What was permuted and what came of it; null where nothing was. */
  permuted: Permuted | null;
}

export interface Permuted {
  column: BlockColumn;
  strata: Int32Array | null;
  result: BlockColumnResult;
}

export interface Significance {
  /** In the order of the candidates. */
  tested: Tested[];
  multiplicity: 'max_t' | 'benjamini_hochberg';
  assignments: number;
  weekdayMatched: boolean;
}

export interface Question {
  candidate: Candidate;
  statistics: ClassicalStatistics;
}

/** Whether there are enough blocks on both sides to tell drift from one day's difference to the next. */
export function decidable(pair: TablePair, policy: MonitoringPolicy): boolean {
  if (!pair.timed) return true;
  return Math.min(pair.reference.blocks.length, pair.current.blocks.length) >= policy.minimum_blocks;
}

/**
 * Significance of all candidates together: by permuting whole blocks with max-T over the candidates; without
 * times by row-level tests (KS, chi-square, Fisher) with Benjamini-Hochberg, which is right only for independent rows.
 */
export function significance(
  questions: readonly Question[],
  { pair, policy }: { pair: TablePair; policy: MonitoringPolicy },
): Significance {
  const open = questions.filter(({ candidate }) => candidate.verdict === null);
  const untested: Tested = { p: null, q: null, permuted: null };
  const results = new Map<Question, Tested>();
  let assignments = 0;
  let weekdayMatched = false;
  if (!pair.timed) {
    const p = open.map(rowLevel);
    const q = benjaminiHochberg(p);
    open.forEach(
      (question, i) => void results.set(question, { p: p[i] as number, q: q[i] as number, permuted: null }),
    );
  } else if (open.length > 0 && decidable(pair, policy)) {
    const strata = weekdayStrata(pair, policy);
    const thinned = open.map(({ candidate }, i) => thinToSameVolume(candidate.counts, policy.seed + i));
    const columns = thinned.map((counts) => ({
      bins: counts.bins,
      reference: counts.reference,
      current: counts.current,
      stratified: strata !== null && followsWeekdays(counts, strata),
      ...(counts.positions === null
        ? { statistic: 'shares' as const }
        : { statistic: 'combined' as const, positions: midRanks(counts) }),
    }));
    weekdayMatched = columns.some(({ stratified }) => stratified);
    const permuted = blockPermutation({
      columns,
      referenceBlocks: pair.reference.blocks.length,
      currentBlocks: pair.current.blocks.length,
      permutations: policy.permutations,
      alpha: policy.alpha,
      seed: policy.seed,
      ...(strata === null ? {} : { strata }),
    });
    if (!isUndefined(permuted)) {
      assignments = permuted.assignments;
      open.forEach((question, i) => {
        const [column, result] = [columns[i], permuted.columns[i]];
        if (column === undefined || result === undefined) return;
        const permutedColumn = { column, strata: column.stratified ? strata : null, result };
        results.set(question, { p: result.p, q: result.pMaxT, permuted: permutedColumn });
      });
    }
  }
  return {
    tested: questions.map((question) => results.get(question) ?? untested),
    multiplicity: pair.timed ? 'max_t' : 'benjamini_hochberg',
    assignments,
    weekdayMatched,
  };
}

/**
 * Bins by the middle rank of their rows, both sides together, in [0, 1]: location and spread of ranks see a shift
 * of a heavy-tailed column (delays) that its mean hides in noise. Assignments leave the pooled ranks as they are.
 */
function midRanks({ bins, reference, current }: BlockCounts): Float64Array {
  const pooled = sumBlocks(reference, bins);
  sumBlocks(current, bins).forEach((n, bin) => {
    pooled[bin] = (pooled[bin] as number) + n;
  });
  const rows = pooled.reduce((sum, n) => sum + n, 0);
  let below = 0;
  return pooled.map((n) => {
    const rank = (below + n / 2) / rows;
    below += n;
    return rank;
  });
}

/** With a smaller expected count than this the p of chi-square is rough. */
const smallExpected = 5;

/**
 * KS for numbers; chi-square for categories, nulls, unseen levels and far values, and where that is rough for the shares
 * of these three Fisher's exact test.
 */
function rowLevel({ candidate: { aspect, counts, parted }, statistics }: Question): number {
  const [before, after] = [sumBlocks(counts.reference, counts.bins), sumBlocks(counts.current, counts.bins)];
  if (aspect === 'distribution' && statistics.ks !== null) {
    // in bins, which is at most that of the values
    const test = parted === true ? ksFromCounts({ first: before, second: after }) : null;
    return test === null || isUndefined(test) ? statistics.ks.p_value : test.pValue;
  }
  if (aspect === 'distribution' && counts.bins !== 2) return statistics.chi_square?.p_value ?? 1;
  const test = chiSquareTest(twoSampleTable(before, after));
  if (isUndefined(test)) return 1;
  if (test.smallestExpected >= smallExpected) return test.pValue;
  const two = ([first = 0, ...others]: Float64Array): [number, number] => [
    first,
    others.reduce((sum, n) => sum + n, 0),
  ];
  return fisherExact(...two(before), ...two(after)).pTwoSided;
}

/**
 * Whether a column differs so much from weekday to weekday that its days are compared within weekdays alone: a window
 * with more Sundays is then no drift, and what Sundays differ in hides none.
 */
function followsWeekdays({ bins, reference, current, positions }: BlockCounts, strata: Int32Array): boolean {
  const counts = new Float64Array(reference.length + current.length);
  counts.set(reference);
  counts.set(current, reference.length);
  const referenceBlocks = reference.length / bins;
  return worthStratifying({ bins, counts, strata, referenceBlocks, ordered: positions !== null });
}
