import type { SqlEngine } from '../data/engine.ts';
import { standardDeviation } from '../stats/wasserstein.ts';
import { aspectsOf, type ColumnCounts, hasMoved, numericScale, pointsScale } from './aspects.ts';
import {
  type BlockCounts,
  endsOf,
  nullCounts,
  sumBlocks,
  unseenCounts,
  valueCounts,
} from './block-counts.ts';
import { noStatistics } from './classical.ts';
import { distance } from './effect.ts';
import { plantedDistance } from './plant.ts';
import { floorOf, type MonitoringPolicy } from './policy.ts';
import { readColumns } from './read-columns.ts';
import { significance } from './significance.ts';
import type { TablePair } from './tables.ts';

/** A column's counts by block: enough to repeat the decision on any choice of blocks without reading rows again. */
export interface ReplayColumn {
  name: string;
  kind: 'numeric' | 'categorical';
  /** Rows with a value within the column's ends, blocks × bins on each side, over bins shared by both. */
  values: BlockCounts;
  /** Rows whose value lies within the column's ends, and beyond each; null where it has none. */
  far: BlockCounts | null;
  /** Two bins: with a value, null. */
  nulls: BlockCounts;
  /** Where planted blocks are those of the reference, moved: by how much, in the terms of `plantShift`. */
  moved?: number;
}

/** Which blocks make the two sides, by index into the columns' blocks, and what they are called. */
export interface ReplaySides {
  reference: readonly number[];
  current: readonly number[];
  /** Start of every block, ISO dates. */
  blocks: readonly string[];
}

/** Counts of all columns of two tables; where only one is of interest the other may be empty. */
export async function replayColumns(
  engine: SqlEngine,
  pair: TablePair,
  policy: MonitoringPolicy,
): Promise<ReplayColumn[]> {
  const columns: ReplayColumn[] = [];
  for await (const data of readColumns(engine, pair)) {
    const { name, kind } = data;
    columns.push({
      name,
      kind,
      ...valueCounts(data, pair, endsOf(data, floorOf(policy, name))),
      nulls: nullCounts(data, pair),
    });
  }
  return columns;
}

/**
 * Names of the columns that the policy's decision finds moved between two choices of blocks. The blocks of both
 * sides come from `counts.reference`; `planted` names columns whose current blocks come from `counts.current` instead.
 * Effects are measured on bins here: they differ from the exact ones by less than a bin's width.
 */
export function replayDecision(
  columns: readonly ReplayColumn[],
  sides: ReplaySides,
  { policy, planted = [] }: { policy: MonitoringPolicy; planted?: readonly string[] },
): string[] {
  const side = (chosen: readonly number[]) => ({
    relation: '',
    blocks: chosen.map((block) => sides.blocks[block] as string),
    rowsByBlock: new Float64Array(chosen.length),
    rows: 0,
    rowsWithoutTime: 0,
  });
  const pair: TablePair = {
    columns: [],
    leftOut: [],
    schema: { missing: [], unexpected: [], changed: [] },
    reference: side(sides.reference),
    current: side(sides.current),
    block: '',
    timed: true,
  };
  const questions = columns.flatMap((column) =>
    aspectsOf(chosenCounts(column, sides, planted.includes(column.name)), { pair, policy }).map(
      (candidate) => ({
        name: column.name,
        candidate,
        statistics: noStatistics,
      }),
    ),
  );
  const { tested } = significance(questions, { pair, policy });
  const moved = questions.filter(({ candidate: { effect, threshold, verdict } }, i) => {
    const q = tested[i]?.q ?? null;
    return verdict === null && hasMoved({ q, effect, threshold, alpha: policy.alpha });
  });
  return [...new Set(moved.map(({ name }) => name))];
}

/** The column's counts on the two sides; levels that the reference side lacks are unseen. */
function chosenCounts(
  column: ReplayColumn,
  sides: ReplaySides,
  planted: boolean,
): Omit<ColumnCounts, 'parted'> {
  const values = choose(column.values, sides, planted);
  const before = sumBlocks(values.reference, values.bins);
  const unmoved = () => sumBlocks(choose(column.values, sides, false).current, values.bins);
  const scale =
    values.positions === null ? pointsScale : numericScale(standardDeviation(values.positions, before));
  return {
    ...{ name: column.name, values, nulls: choose(column.nulls, sides, planted), scale },
    far: column.far === null ? null : choose(column.far, sides, planted),
    unseen: values.positions === null ? unseenCounts(values, before) : null,
    effect:
      planted && column.moved !== undefined
        ? plantedDistance(values, { scale, size: column.moved }, [before, unmoved()])
        : distance(values, scale, [before, sumBlocks(values.current, values.bins)]),
  };
}

function choose(counts: BlockCounts, sides: ReplaySides, planted: boolean): BlockCounts {
  const { bins } = counts;
  const take = (from: Float64Array, chosen: readonly number[]) => {
    const taken = new Float64Array(chosen.length * bins);
    chosen.forEach((block, i) => {
      taken.set(from.subarray(block * bins, (block + 1) * bins), i * bins);
    });
    return taken;
  };
  return {
    ...counts,
    reference: take(counts.reference, sides.reference),
    current: take(planted ? counts.current : counts.reference, sides.current),
  };
}
