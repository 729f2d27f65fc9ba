import type { Blocks, ColumnBlocks } from '../data/blocks.ts';
import type { MonitoringPolicy } from './policy.ts';

/** One block of a stored profile, and the block of the comparison that it belongs to. */
export interface SidePart {
  columns: ReadonlyMap<string, ColumnBlocks>;
  /** Position in the profile's own blocks. */
  index: number;
  block: number;
}

/** A column by the name that it is told by, and by its name in stored profiles. */
export interface StoredColumn {
  name: string;
  stored: string;
}

/** One side of a comparison as a sum of stored blocks. */
export interface BlockSide {
  /** First day of each block, ascending; one block named 'all' where there are no days. */
  labels: string[];
  rowsByBlock: Float64Array;
  rows: number;
  /** Rows of a timed profile whose time is null. */
  rowsWithoutTime: number;
  parts: SidePart[];
}

/** A stored profile with the day of its blocks, where they do not say it themselves. */
export interface Profiled {
  blocks: Blocks;
  /** Every block's day; undefined: each says its own. */
  day?: string;
}

/** Lays profiles out as blocks of days or weeks (their Mondays); as one block where `unit` is null. */
export function blockSide(profiles: readonly Profiled[], unit: MonitoringPolicy['block'] | null): BlockSide {
  const found: { label: string; rows: number; columns: SidePart['columns']; index: number }[] = [];
  let rowsWithoutTime = 0;
  for (const { blocks, day } of profiles) {
    const columns = new Map(blocks.columns.map((column) => [column.name, column]));
    blocks.blocks.forEach((block, index) => {
      const label = unit === null ? 'all' : labelOf(day ?? block.day, unit);
      if (label === null) rowsWithoutTime += block.rows;
      else found.push({ label, rows: block.rows, columns, index });
    });
  }
  const labels = [...new Set(found.map(({ label }) => label))].sort();
  const position = new Map(labels.map((label, block) => [label, block]));
  const rowsByBlock = new Float64Array(labels.length);
  const parts = found.map(({ label, rows, columns, index }) => {
    const block = position.get(label) as number;
    rowsByBlock[block]! += rows;
    return { columns, index, block };
  });
  return { labels, rowsByBlock, rows: rowsByBlock.reduce((sum, n) => sum + n, 0), rowsWithoutTime, parts };
}

function labelOf(day: string | null, unit: MonitoringPolicy['block']): string | null {
  return day === null || unit === 'day' ? day : mondayOf(day);
}

/** The Monday of a day's week, with which a week begins as in SQL's date_trunc; both YYYY-MM-DD. */
export function mondayOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}
