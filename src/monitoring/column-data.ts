import type { BucketedSample } from '../stats/bucketed-sample.ts';

/** Null rows (nulls, NaN and infinities) per block; the rest of the rows has values. */
interface SideBase {
  /** Rows with a value. */
  n: number;
  nullsByBlock: Float64Array;
}

export interface NumericSide extends SideBase {
  /** All rows: what is not finite counts as null. */
  sample: BucketedSample;
  /** Index of the block of each row. */
  block: Uint8Array | Uint16Array;
}

export interface CategoricalSide extends SideBase {
  /** Rows per level; the order of `levels`. */
  counts: Float64Array;
  /** blocks × levels, row by row. */
  byBlock: Float64Array;
}

export interface NumericData {
  kind: 'numeric';
  name: string;
  reference: NumericSide;
  current: NumericSide;
}

export interface CategoricalData {
  kind: 'categorical';
  name: string;
  /** Levels of both sides, the most frequent of the reference first. */
  levels: string[];
  reference: CategoricalSide;
  current: CategoricalSide;
}

export type ColumnData = NumericData | CategoricalData;
