import { rowTotal } from '../stats/block-rows.ts';
import { bucketedWasserstein } from '../stats/bucketed-distances.ts';
import { BucketedRange } from '../stats/bucketed-range.ts';
import type { Undefined } from '../stats/undefined.ts';
import {
  type BlockCounts,
  endsOf,
  nullCounts,
  sumBlocks,
  unseenCounts,
  valueCounts,
} from './block-counts.ts';
import type { ClassicalStatistics } from './classical.ts';
import type { ColumnData, NumericData } from './column-data.ts';
import type { Aspect, ColumnVerdict, FarValues } from './drift-report.ts';
import { distance, type EffectScale, effectThreshold, type Threshold } from './effect.ts';
import type { Ends } from './far-values.ts';
import { type Floor, floorOf, type MonitoringPolicy } from './policy.ts';
import type { TablePair } from './tables.ts';
import { weekdayStrata } from './weekdays.ts';

/** An aspect of a column before significance: how far it moved, and the counts to permute. */
export interface Candidate {
  aspect: Aspect['aspect'];
  counts: BlockCounts;
  /** Values far outside of the rest are left out of the counts. */
  parted?: boolean;
  scale: EffectScale;
  effect: number | null;
  threshold: Threshold;
  /** Settled without a test: too few rows, or none. */
  verdict: ColumnVerdict | null;
}

/** A column's counts by block, and how far its values moved. */
export interface ColumnCounts {
  name: string;
  /** Without those far outside of the rest. */
  values: BlockCounts;
  /** Bins within the ends and beyond each; null where no value lies beyond, and for categories. */
  far: BlockCounts | null;
  /** Two bins: with a value, null. */
  nulls: BlockCounts;
  /** Two bins: a level that the reference holds, one that it lacks; null where all are known, and for numbers. */
  unseen: BlockCounts | null;
  /** Of the values. */
  scale: EffectScale;
  /** Distance of the values in the scale's unit; null where there is nothing to measure. */
  effect: number | null;
  /** Where values lie far outside of the rest; null where none does. */
  parted: Parted | null;
}

/** Values within the ends of a column, and what is told of them and of those beyond. */
export interface Parted {
  ends: Ends;
  far: FarValues;
}

export const pointsScale: EffectScale = { unit: 'points', sd: 1 };

/**
 * What can have moved in a column: its distribution, its null rate, levels never seen before (texts), and the shares of
 * values far outside of the rest (numbers).
 */
export function aspectsOf(
  column: Omit<ColumnCounts, 'parted'>,
  { pair, policy }: { pair: TablePair; policy: MonitoringPolicy },
): Candidate[] {
  const { name, values, far, nulls, unseen, scale, effect } = column;
  const floor = floorOf(policy, name);
  const past = { floor, weekdays: weekdayStrata(pair, policy) };
  const filled = rowVerdict(values, policy);
  const found: Candidate[] = [
    {
      ...{ aspect: 'distribution', counts: values, parted: far !== null, scale, effect },
      threshold: effectThreshold(values, scale, past),
      verdict: filled,
    },
  ];
  const counts = ({ bins, reference, current }: BlockCounts): [Float64Array, Float64Array] => [
    sumBlocks(reference, bins),
    sumBlocks(current, bins),
  ];
  const [before, after] = counts(nulls);
  if ((before[1] as number) + (after[1] as number) > 0) {
    found.push({
      ...{ aspect: 'nulls', counts: nulls, scale: pointsScale },
      effect: distance(nulls, pointsScale, [before, after]),
      threshold: effectThreshold(nulls, pointsScale, past),
      verdict: rowVerdict(nulls, policy),
    });
  }
  if (far !== null) {
    found.push({
      ...{ aspect: 'far_values', counts: far, scale: pointsScale },
      effect: distance(far, pointsScale, counts(far)),
      threshold: effectThreshold(far, pointsScale, past),
      verdict: rowVerdict(far, policy),
    });
  }
  if (unseen !== null) {
    const [expected, share] = counts(unseen).map(lacking) as [number, number];
    found.push({
      ...{ aspect: 'unseen', counts: unseen, scale: pointsScale },
      effect: share,
      threshold: unseenThreshold(expected, unseen, floor),
      verdict: filled,
    });
  }
  return found;
}

/** Points of share of levels that the reference lacks. */
function lacking([known = 0, unknown = 0]: ArrayLike<number> & Iterable<number>): number {
  return known + unknown === 0 ? 0 : (100 * unknown) / (known + unknown);
}

/** The configured floor, or the share that a further block has by chance, of a column with many rare levels. */
function unseenThreshold(expected: number, { bins, reference }: BlockCounts, floor: Floor): Threshold {
  const configured = floor.points ?? 0;
  return expected <= configured
    ? { value: configured, from: 'configured' }
    : { value: expected, from: reference.length === bins ? 'sampling_noise' : 'past_periods' };
}

/** The counts of a column whose rows were read; its effect is exact. */
export function countsOfRows(
  data: ColumnData,
  statistics: ClassicalStatistics,
  { pair, policy }: { pair: TablePair; policy: MonitoringPolicy },
): ColumnCounts {
  const { name } = data;
  const ends = data.current.n === 0 ? null : endsOf(data, floorOf(policy, name));
  const common = { name, ...valueCounts(data, pair, ends), nulls: nullCounts(data, pair) };
  if (data.kind === 'numeric') {
    const scaled =
      ends === null
        ? {
            ...scaledEffect(data.reference.sample.standardDeviation(), statistics.wasserstein),
            parted: null,
          }
        : withinEnds(data, ends);
    return { ...common, unseen: null, ...scaled };
  }
  const moved = statistics.total_variation;
  return {
    ...common,
    unseen: unseenOf(data),
    scale: pointsScale,
    effect: moved === null ? null : 100 * moved,
    parted: null,
  };
}

export type Scaled = Pick<ColumnCounts, 'scale' | 'effect'>;

/** A distance in the unit that the reference's standard deviation makes; where there is none, no effect. */
export function scaledEffect(sd: number, raw: number | Undefined | null): Scaled {
  const scale = numericScale(sd);
  return { scale, effect: typeof raw === 'number' ? raw / scale.sd : null };
}

/** Of the values within the ends. */
function withinEnds({ reference, current }: NumericData, ends: Ends): Scaled & Pick<ColumnCounts, 'parted'> {
  const first = new BucketedRange(reference.sample, ends);
  const second = new BucketedRange(current.sample, ends);
  const told = (range: BucketedRange) => {
    const { below, above } = range.beyond;
    const all = below + range.n + above;
    return { below: below / all, above: above / all, mean_within: range.mean() };
  };
  const raw = first.n === 0 || second.n === 0 ? null : bucketedWasserstein({ first, second });
  return {
    ...scaledEffect(first.standardDeviation(), raw),
    parted: { ends, far: { reference: told(first), current: told(second) } },
  };
}

/** The decision: more than chance explains, and large enough to matter. */
export function hasMoved(measured: {
  q: number | null;
  effect: number | null;
  threshold: Threshold;
  alpha: number;
}): boolean {
  const { q, effect, threshold, alpha } = measured;
  return q !== null && q <= alpha && effect !== null && effect > 0 && effect >= threshold.value;
}

function rowVerdict({ reference, current }: BlockCounts, policy: MonitoringPolicy): ColumnVerdict | null {
  const fewest = Math.min(rowTotal(reference, 0, reference.length), rowTotal(current, 0, current.length));
  if (fewest === 0) return 'empty';
  return fewest < policy.minimum_rows ? 'too_few_rows' : null;
}

/** Standard deviations of the reference (ddof 0), or the column's own unit where it has none that a double holds. */
export function numericScale(sd: number): EffectScale {
  return sd > 0 && Number.isFinite(sd) ? { unit: 'sd', sd } : { unit: 'value', sd: 1 };
}

function unseenOf(data: ColumnData): BlockCounts | null {
  if (data.kind !== 'categorical' || data.reference.n === 0) return null;
  const { levels, reference, current } = data;
  const counts = { bins: levels.length, reference: reference.byBlock, current: current.byBlock };
  return unseenCounts(counts, reference.counts);
}
