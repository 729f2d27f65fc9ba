import type { CategoryPart } from '../data/blocks.ts';
import type { SparseCounts } from '../data/sparse-counts.ts';
import { sumOfRows } from '../stats/block-rows.ts';
import type { BlockSide, StoredColumn } from './block-side.ts';
import { levelsByRows } from './categorical-columns.ts';
import type { CategoricalData, CategoricalSide } from './column-data.ts';

/** The level of rows whose values were too many to be counted one by one. */
export const uncounted = '(values too many to count)';

interface Part {
  block: number;
  part: CategoryPart;
}

/** Parts whose counts are of the same categories. */
interface Alike {
  categories: readonly string[];
  parts: Part[];
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

/** Most days have the categories of the day before: levels are then looked up once for all. */
function partsOf({ parts }: BlockSide, name: string): Alike[] {
  const found: Alike[] = [];
  for (const { columns, index, block } of parts) {
    const column = columns.get(name);
    if (column?.kind !== 'category') continue;
    const part = { block, part: column.parts[index] as CategoryPart };
    const last = found.at(-1);
    if (last !== undefined && sameTexts(last.categories, column.categories)) last.parts.push(part);
    else found.push({ categories: column.categories, parts: [part] });
  }
  return found;
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((text, i) => text === b[i]));
}

/** Rows by level; levels of other profiles than a part's own are found by name. */
function levelTotals(parts: readonly Alike[]): Map<string, number> {
  const totals = new Map<string, number>();
  const add = (level: string, rows: number) => totals.set(level, (totals.get(level) ?? 0) + rows);
  for (const { categories, parts: own } of parts) {
    const rows = new Float64Array(categories.length).fill(Number.NaN);
    for (const { part } of own) addKnown(rows, part.counts);
    categories.forEach((level, i) => {
      if (!Number.isNaN(rows[i])) add(level, rows[i] as number);
    });
    for (const { part } of own) if (part.other > 0) add(uncounted, part.other);
  }
  return totals;
}

/** Adds to NaN as to 0: what stays NaN is no level of these rows. */
function addKnown(rows: Float64Array, counts: SparseCounts): void {
  for (let at = 0; at + 1 < counts.length; at += 2) {
    const level = counts[at] as number;
    const before = rows[level] as number;
    rows[level] = (Number.isNaN(before) ? 0 : before) + (counts[at + 1] as number);
  }
}

function addUp(side: BlockSide, parts: readonly Alike[], levels: readonly string[]): CategoricalSide {
  const position = new Map(levels.map((level, i) => [level, i]));
  const byBlock = new Float64Array(side.labels.length * levels.length);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  let n = 0;
  for (const { categories, parts: own } of parts) {
    const levelOf = Int32Array.from(categories, (level) => position.get(level) ?? -1);
    for (const { block, part } of own) {
      const from = block * levels.length;
      const filled = addLevels(byBlock, from, part.counts, levelOf) + part.other;
      if (part.other > 0) byBlock[from + (position.get(uncounted) as number)]! += part.other;
      nullsByBlock[block]! -= filled;
      n += filled;
    }
  }
  return { n, counts: sumOfRows(byBlock, levels.length), byBlock, nullsByBlock };
}

/** Adds a part's rows to those of their levels, which begin at `from`; gives their number. */
function addLevels(byBlock: Float64Array, from: number, counts: SparseCounts, levelOf: Int32Array): number {
  let n = 0;
  for (let at = 0; at + 1 < counts.length; at += 2) {
    const rows = counts[at + 1] as number;
    byBlock[from + (levelOf[counts[at] as number] as number)]! += rows;
    n += rows;
  }
  return n;
}
