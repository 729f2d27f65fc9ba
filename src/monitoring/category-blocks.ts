import { type CategoryColumn, type CategoryPart, counted } from '../data/blocks.ts';
import type { BlockSide, StoredColumn } from './block-side.ts';
import { type CategoricalData, type CategoricalSide, levelsByRows } from './column-data.ts';

/** The level of rows whose values were too many to be counted one by one. */
export const uncounted = '(values too many to count)';

interface Part {
  block: number;
  column: CategoryColumn;
  part: CategoryPart;
}

/**
 * Adds up a category column of stored blocks. Values beyond what a profile counts are one level: where the reference
 * has none, they are values never seen before. A profile without the column counts as nulls.
 */
export function categoricalFromBlocks(
  { name, stored }: StoredColumn,
  { reference, current }: { reference: BlockSide; current: BlockSide },
): CategoricalData {
  const [before, after] = [partsOf(reference, stored), partsOf(current, stored)];
  const [was, is] = [levelTotals(before), levelTotals(after)];
  const levels = levelsByRows(was, is);
  return {
    kind: 'categorical',
    name,
    levels,
    reference: addUp(reference, before, levels),
    current: addUp(current, after, levels),
  };
}

function partsOf({ parts }: BlockSide, name: string): Part[] {
  return parts.flatMap(({ columns, index, block }) => {
    const column = columns.get(name);
    if (column?.kind !== 'category') return [];
    return [{ block, column, part: column.parts[index] as CategoryPart }];
  });
}

function levelTotals(parts: readonly Part[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const part of parts) {
    for (const [level, rows] of levelsOf(part)) totals.set(level, (totals.get(level) ?? 0) + rows);
  }
  return totals;
}

function* levelsOf({ column, part }: Part): Generator<[string, number]> {
  for (let at = 0; at + 1 < part.counts.length; at += 2) {
    yield [column.categories[part.counts[at] as number] as string, part.counts[at + 1] as number];
  }
  if (part.other > 0) yield [uncounted, part.other];
}

function addUp(side: BlockSide, parts: readonly Part[], levels: readonly string[]): CategoricalSide {
  const position = new Map(levels.map((level, i) => [level, i]));
  const counts = new Float64Array(levels.length);
  const byBlock = new Float64Array(side.labels.length * levels.length);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  let n = 0;
  for (const part of parts) {
    for (const [level, rows] of levelsOf(part)) {
      const i = position.get(level) as number;
      counts[i]! += rows;
      byBlock[part.block * levels.length + i]! += rows;
    }
    const filled = counted(part.part.counts) + part.part.other;
    nullsByBlock[part.block]! -= filled;
    n += filled;
  }
  return { n, counts, byBlock, nullsByBlock };
}
