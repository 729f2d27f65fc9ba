import { binnedColumn } from './binned-column.ts';
import type { BlockSide, StoredColumn } from './block-side.ts';
import { categoricalFromBlocks } from './category-blocks.ts';
import { type CompareOptions, type Dimensions, decideColumns } from './compare.ts';
import type { DriftReport } from './drift-report.ts';
import { type Measured, measure } from './measure.ts';
import { measureBinned } from './measure-binned.ts';
import type { ColumnKind, LeftOut, SchemaDifference, Side, TablePair } from './tables.ts';

/** Two sides of stored blocks, and what of them is compared. */
export interface BlockPair {
  reference: BlockSide;
  current: BlockSide;
  columns: readonly (StoredColumn & { kind: ColumnKind })[];
  leftOut: LeftOut[];
  schema: SchemaDifference;
  /** False where blocks are no days or weeks: each side is then one block, and rows count as independent. */
  timed: boolean;
}

/** Compares two sides of stored blocks and decides as `compareTables` does; no row is read. */
export async function compareBlocks(
  blocks: BlockPair,
  { dimensions, ...options }: CompareOptions & { dimensions: Dimensions },
): Promise<DriftReport> {
  const { columns, leftOut, schema, timed } = blocks;
  const pair: TablePair = {
    columns: [...columns],
    ...{ leftOut, schema, timed },
    reference: sideOf(blocks.reference),
    current: sideOf(blocks.current),
    block: '',
  };
  const measured = columns.map((column): Measured => {
    options.signal?.throwIfAborted();
    return column.kind === 'numeric'
      ? measureBinned(binnedColumn(column, blocks), pair, options.policy)
      : measure(categoricalFromBlocks(column, blocks), pair, options.policy);
  });
  return { ...(await decideColumns(measured, { pair, options, dimensions })), source: 'blocks' };
}

function sideOf({ labels, ...side }: BlockSide): Side {
  return { ...side, blocks: labels, relation: '' };
}
