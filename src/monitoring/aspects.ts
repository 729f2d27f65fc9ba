import { standardDeviation } from '../stats/wasserstein.ts';
import { type BlockCounts, nullCounts, sumBlocks, unseenCounts, valueCounts } from './block-counts.ts';
import type { ClassicalStatistics } from './classical.ts';
import type { ColumnData } from './column-data.ts';
import type { Aspect, ColumnVerdict } from './drift-report.ts';
import { distance, type EffectScale, effectThreshold, type Threshold } from './effect.ts';
import type { Floor, MonitoringPolicy } from './policy.ts';
import type { TablePair } from './tables.ts';

/** An aspect of a column before significance: how far it moved, and the counts to permute. */
export interface Candidate {
  aspect: Aspect['aspect'];
  counts: BlockCounts;
  scale: EffectScale;
  effect: number | null;
  threshold: Threshold;
  /** Settled without a test: too few rows, or none. */
  verdict: ColumnVerdict | null;
}

/** What can have moved in a column: its distribution, its null rate, and (texts) levels never seen before. */
export function aspectsOf(
  data: ColumnData,
  statistics: ClassicalStatistics,
  { pair, policy }: { pair: TablePair; policy: MonitoringPolicy },
): Candidate[] {
  const floor: Floor = { ...policy.floor, ...policy.floors[data.name] };
  const points: EffectScale = { unit: 'points', sd: 1 };
  const values = valueCounts(data, pair);
  const scale = data.kind === 'categorical' ? points : numericScale(data.reference.sorted);
  const exact =
    data.kind === 'numeric' && statistics.wasserstein !== null ? statistics.wasserstein / scale.sd : null;
  const found: Candidate[] = [
    {
      aspect: 'distribution',
      counts: values,
      scale,
      effect:
        data.kind === 'numeric'
          ? exact
          : statistics.total_variation === null
            ? null
            : 100 * statistics.total_variation,
      threshold: effectThreshold(values, scale, floor),
      verdict: rowVerdict(data.reference.n, data.current.n, policy),
    },
  ];
  const nulls = nullCounts(data, pair);
  const [before, after] = [sumBlocks(nulls.reference, 2), sumBlocks(nulls.current, 2)];
  if ((before[1] as number) + (after[1] as number) > 0) {
    found.push({
      aspect: 'nulls',
      counts: nulls,
      scale: points,
      effect: distance(nulls, points, [before, after]),
      threshold: effectThreshold(nulls, points, floor),
      verdict: rowVerdict(pair.reference.rows, pair.current.rows, policy),
    });
  }
  const unseen = unseenOf(data);
  if (unseen !== null) {
    const effect = distance(unseen, points, [sumBlocks(unseen.reference, 2), sumBlocks(unseen.current, 2)]);
    found.push({
      aspect: 'unseen',
      counts: unseen,
      scale: points,
      effect,
      threshold: { value: floor.points ?? 0, from: 'configured' },
      verdict: rowVerdict(data.reference.n, data.current.n, policy),
    });
  }
  return found;
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

function rowVerdict(reference: number, current: number, policy: MonitoringPolicy): ColumnVerdict | null {
  if (reference === 0 || current === 0) return 'empty';
  return reference < policy.minimum_rows || current < policy.minimum_rows ? 'too_few_rows' : null;
}

function numericScale(sorted: Float64Array): EffectScale {
  const sd = sorted.length === 0 ? 0 : standardDeviation(sorted);
  return sd > 0 ? { unit: 'sd', sd } : { unit: 'value', sd: 1 };
}

function unseenOf(data: ColumnData): BlockCounts | null {
  if (data.kind !== 'categorical' || data.reference.n === 0) return null;
  const { levels, reference, current } = data;
  const counts = { bins: levels.length, reference: reference.byBlock, current: current.byBlock };
  return unseenCounts(counts, reference.counts);
}
