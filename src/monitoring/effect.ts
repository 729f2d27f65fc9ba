import { toShares, totalVariation } from '../stats/divergence.ts';
import { expectedTotalVariation, expectedWasserstein } from '../stats/expected-distance.ts';
import { quantileSorted } from '../stats/quantile-bins.ts';
import { wassersteinFromCounts } from '../stats/wasserstein.ts';
import { type BlockCounts, sumBlocks } from './block-counts.ts';
import type { Floor } from './policy.ts';
import { periodStarts } from './weekdays.ts';

/** `sd`: standard deviations of the reference. `value`: the column's own unit. `points`: of share, 0 to 100. */
export type EffectUnit = 'sd' | 'value' | 'points';

/** How the distance of two distributions of one column is measured. */
export interface EffectScale {
  unit: EffectUnit;
  /** Divides a distance in the column's unit; 1 unless the unit is sd. */
  sd: number;
}

export interface Threshold {
  value: number;
  from: 'configured' | 'past_periods' | 'sampling_noise';
}

/** Distance of two count vectors over the same bins, in the scale's unit; 0 where a side has no rows. */
export function distance(
  counts: BlockCounts,
  scale: EffectScale,
  sides: [Float64Array, Float64Array],
): number {
  const [first, second] = sides;
  if (scale.unit === 'points') return 100 * totalVariation(toShares(first), toShares(second));
  const raw = wassersteinFromCounts({ values: counts.positions as Float64Array, first, second });
  return typeof raw === 'number' ? raw / scale.sd : 0;
}

/**
 * The effect that a column must reach: the largest of
 * - the configured floor;
 * - what the past shows: the 95th percentile of the distance between each period of the reference as long as the
 *   current window, with its weekday mix, and the rest of the reference, where the reference is three times as long;
 * - the distance that sampling alone is expected to give for these numbers of rows: the window can have fewer than
 *   those periods had.
 */
export function effectThreshold(
  counts: BlockCounts,
  scale: EffectScale,
  { floor, weekdays }: { floor: Floor; weekdays: Int32Array | null },
): Threshold {
  const configured: Threshold = { value: configuredFloor(scale, floor), from: 'configured' };
  const learned = [pastPeriods(counts, scale, weekdays), samplingNoise(counts, scale)];
  return learned.reduce<Threshold>(
    (most, one) => (one !== null && one.value > most.value ? one : most),
    configured,
  );
}

function configuredFloor({ unit, sd }: EffectScale, floor: Floor): number {
  if (unit === 'points') return floor.points ?? 0;
  if (unit === 'value') return floor.shift ?? 0;
  return floor.shift === undefined ? (floor.sd ?? 0) : floor.shift / sd;
}

/** Lengths of the window that the reference must have. */
const periodsNeeded = 3;
const periodsTried = 60;

function pastPeriods(counts: BlockCounts, scale: EffectScale, weekdays: Int32Array | null): Threshold | null {
  const { bins } = counts;
  // a text that is null everywhere has no level
  if (bins === 0) return null;
  const blocks = counts.reference.length / bins;
  const length = counts.current.length / bins;
  if (blocks < 2 || length === 0 || blocks < periodsNeeded * length) return null;
  const whole = sumBlocks(counts.reference, bins);
  const starts = periodStarts({ blocks, length, weekdays });
  const tried = Math.min(periodsTried, starts.length);
  const effects = Float64Array.from({ length: tried }, (_, i) => {
    const from = starts[tried === 1 ? 0 : Math.round((i * (starts.length - 1)) / (tried - 1))] as number;
    const period = sumBlocks(counts.reference, bins, from, from + length);
    return distance(counts, scale, [whole.map((n, bin) => n - (period[bin] as number)), period]);
  }).sort();
  return { value: quantileSorted(effects, 0.95), from: 'past_periods' };
}

function samplingNoise(counts: BlockCounts, scale: EffectScale): Threshold {
  const first = sumBlocks(counts.reference, counts.bins);
  const second = sumBlocks(counts.current, counts.bins);
  const n = first.reduce((sum, rows) => sum + rows, 0);
  const m = second.reduce((sum, rows) => sum + rows, 0);
  if (n === 0 || m === 0) return { value: 0, from: 'sampling_noise' };
  const pooled = { counts: first.map((rows, bin) => rows + (second[bin] as number)), n, m };
  const value =
    scale.unit === 'points'
      ? 100 * expectedTotalVariation(pooled)
      : expectedWasserstein({ ...pooled, positions: counts.positions as Float64Array }) / scale.sd;
  return { value, from: 'sampling_noise' };
}
