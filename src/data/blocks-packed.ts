/** Profiles as machines keep them: JSON without the counts, which stand packed beside it. Read by hand, as parts are. */
import { type Block, type Blocks, type ColumnBlocks, columnTypes, fits } from './blocks.ts';
import {
  isCount,
  isRecord,
  readCategoryPart,
  readNumericPart,
  readParts,
  readPlainPart,
} from './blocks-parts.ts';
import type { CountsReader, CountsWriter } from './packed-counts.ts';

/** The profile with what stands for its counts. */
export function packBlocks(blocks: Blocks, counts: CountsWriter): unknown {
  const columns = blocks.columns.map((column) => {
    switch (column.kind) {
      case 'numeric':
        return {
          ...column,
          parts: column.parts.map((part) => ({ ...part, bins: counts.write(part.bins) })),
        };
      case 'category':
        return {
          ...column,
          parts: column.parts.map((part) => ({ ...part, counts: counts.write(part.counts) })),
        };
      default:
        return column;
    }
  });
  return { ...blocks, columns };
}

/** Reads in the order of `packBlocks`; null where it is no profile. */
export function readPackedBlocks(value: unknown, counts: CountsReader): Blocks | null {
  if (!isRecord(value)) return null;
  const { schema, time, rows } = value;
  if (schema !== 'modelgate.blocks/1' || (time !== null && typeof time !== 'string') || !isCount(rows))
    return null;
  if (!Array.isArray(value.blocks) || !Array.isArray(value.columns)) return null;
  const blocks: Block[] = [];
  for (const one of value.blocks) {
    const block = readBlock(one);
    if (block === null) return null;
    blocks.push(block);
  }
  const columns: ColumnBlocks[] = [];
  for (const one of value.columns) {
    const column = readColumn(one, counts);
    if (column === null || !fits(column, blocks.length)) return null;
    columns.push(column);
  }
  return { schema, time, rows, blocks, columns };
}

function readBlock(value: unknown): Block | null {
  if (!isRecord(value)) return null;
  const { day, rows } = value;
  return isCount(rows) && (day === null || isDay(day)) ? { day, rows } : null;
}

/** Whether it is a date of the calendar, YYYY-MM-DD. */
export function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== 10) return false;
  const moment = Date.parse(value);
  return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(value);
}

function readColumn(value: unknown, counts: CountsReader): ColumnBlocks | null {
  if (!isRecord(value)) return null;
  const { name, physicalType, distinct, exponent, categories, complete } = value;
  const type = columnTypes.find((known) => known === value.type);
  if (
    typeof name !== 'string' ||
    type === undefined ||
    typeof physicalType !== 'string' ||
    !isCount(distinct)
  )
    return null;
  const column = { name, type, physicalType, distinct };
  if (value.kind === 'numeric') {
    const parts = readParts(value.parts, readNumericPart, counts.read);
    if (parts === null || !isExponent(exponent)) return null;
    return { ...column, kind: 'numeric', exponent, parts };
  }
  if (value.kind === 'category') {
    const parts = readParts(value.parts, readCategoryPart, counts.read);
    if (parts === null || !areTexts(categories) || typeof complete !== 'boolean') return null;
    return { ...column, kind: 'category', categories, complete, parts };
  }
  const parts = value.kind === 'plain' ? readParts(value.parts, readPlainPart, counts.read) : null;
  return parts === null ? null : { ...column, kind: 'plain', parts };
}

function isExponent(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -1074 && (value as number) <= 1023;
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
