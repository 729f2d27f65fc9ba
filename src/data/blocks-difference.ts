import { toShares, totalVariation } from '../stats/divergence.ts';
import { wassersteinFromCounts } from '../stats/wasserstein.ts';
import {
  addCategory,
  addNumeric,
  type Blocks,
  type CategoryColumn,
  type CategoryPart,
  type ColumnBlocks,
  coarsen,
  counted,
  type NumericColumn,
  type NumericPart,
} from './blocks.ts';
import type { SparseCounts } from './sparse-counts.ts';

/** What a column of two tables differs in, as far as their stored profiles tell. */
export interface ColumnDifference {
  name: string;
  change: 'added' | 'removed' | 'retyped' | 'kept';
  /** Types as the engine names them; null where the table has no such column. */
  type_before: string | null;
  type_after: string | null;
  /** Shares of rows without a value, 0 to 1. */
  null_rate_before: number | null;
  null_rate_after: number | null;
  /**
   * How far the distributions of the values are apart. `sd`: standard deviations of the table before, to within a
   * bin's width. `points`: percentage points of the rows that would have to change category. Null where the
   * profiles do not tell, e.g. of identifiers, times, and columns of another type.
   */
  effect: number | null;
  unit: 'sd' | 'points' | null;
}

/** Column by column in the order of the table before, then what was added. */
export function blocksDifference(before: Blocks, after: Blocks): ColumnDifference[] {
  const differences = before.columns.map((column) =>
    columnDifference(
      [column, before.rows],
      [after.columns.find(({ name }) => name === column.name) ?? null, after.rows],
    ),
  );
  const known = new Set(before.columns.map(({ name }) => name));
  for (const column of after.columns) {
    if (!known.has(column.name)) {
      differences.push(columnDifference([null, before.rows], [column, after.rows]));
    }
  }
  return differences;
}

type Side = [ColumnBlocks | null, number];

function columnDifference([before, rowsBefore]: Side, [after, rowsAfter]: Side): ColumnDifference {
  const changed = before?.type === after?.type ? 'kept' : 'retyped';
  return {
    name: (before ?? after)?.name ?? '',
    change: before === null ? 'added' : after === null ? 'removed' : changed,
    type_before: before?.physicalType ?? null,
    type_after: after?.physicalType ?? null,
    null_rate_before: before === null ? null : nullRate(before, rowsBefore),
    null_rate_after: after === null ? null : nullRate(after, rowsAfter),
    ...effectOf(before, after),
  };
}

function nullRate({ parts }: ColumnBlocks, rows: number): number | null {
  return rows === 0 ? null : parts.reduce((sum, { nulls }) => sum + nulls, 0) / rows;
}

function effectOf(
  before: ColumnBlocks | null,
  after: ColumnBlocks | null,
): Pick<ColumnDifference, 'effect' | 'unit'> {
  if (before?.kind === 'numeric' && after?.kind === 'numeric') {
    return { effect: numericEffect(before, after), unit: 'sd' };
  }
  if (before?.kind === 'category' && after?.kind === 'category') {
    return { effect: categoryEffect(before, after), unit: 'points' };
  }
  return { effect: null, unit: null };
}

/** Wasserstein distance between bin centres, in standard deviations of `before`. */
function numericEffect(before: NumericColumn, after: NumericColumn): number | null {
  const exponent = Math.max(before.exponent, after.exponent);
  const [one, other] = [before, after].map((column) =>
    coarsen(column, exponent).parts.reduce(addNumeric, nothing),
  ) as [NumericPart, NumericPart];
  const n = counted(one.bins);
  const sd = n === 0 || one.m2 === null ? 0 : Math.sqrt(one.m2 / n);
  const counts = [one, other].map(({ bins }) => mapOf(bins)) as [Map<number, number>, Map<number, number>];
  const indexes = [...new Set(counts.flatMap((map) => [...map.keys()]))].sort((a, b) => a - b);
  const [first, second] = counts.map((map) => indexes.map((index) => map.get(index) ?? 0)) as [
    number[],
    number[],
  ];
  const values = Float64Array.from(indexes, (index) => (index + 0.5) * 2 ** exponent);
  const distance = wassersteinFromCounts({ values, first, second });
  if (typeof distance !== 'number') return null;
  // a constant before has no spread to measure by
  if (sd === 0) return distance === 0 ? 0 : null;
  return distance / sd;
}

/** Total variation in percentage points; null where the categories were too many to be counted. */
function categoryEffect(before: CategoryColumn, after: CategoryColumn): number | null {
  if (!before.complete || !after.complete) return null;
  const counts = [before, after].map((column) => {
    const { counts } = column.parts.reduce(addCategory, { nulls: 0, counts: [], other: 0 } as CategoryPart);
    return new Map([...mapOf(counts)].map(([index, rows]) => [column.categories[index] ?? '', rows]));
  });
  const names = [...new Set(counts.flatMap((map) => [...map.keys()]))];
  const [first, second] = counts.map((map) => names.map((name) => map.get(name) ?? 0)) as [
    number[],
    number[],
  ];
  if (![first, second].every((side) => side.some((rows) => rows > 0))) return null;
  return 100 * totalVariation(toShares(first), toShares(second));
}

const nothing: NumericPart = {
  nulls: 0,
  nonfinite: 0,
  min: null,
  max: null,
  mean: null,
  m2: null,
  bins: [],
};

function mapOf(flat: SparseCounts): Map<number, number> {
  const map = new Map<number, number>();
  for (let at = 0; at + 1 < flat.length; at += 2) map.set(flat[at] as number, flat[at + 1] as number);
  return map;
}
