import type { Measured, MeasuredColumn } from '../../src/adoption/measure.ts';

/** A column of text with 50 values in 1,000 rows, but for what is said. */
export function column(name: string, changes: Partial<MeasuredColumn> = {}): MeasuredColumn {
  return {
    name,
    type: 'string',
    physicalType: 'VARCHAR',
    nulls: 0,
    null_rate: 0,
    nonfinite: 0,
    mean: null,
    sd: null,
    distinct: 50,
    min: null,
    max: null,
    values: null,
    time: null,
    personal: false,
    ...changes,
  };
}

export const number = (name: string, changes: Partial<MeasuredColumn> = {}): MeasuredColumn =>
  column(name, {
    type: 'number',
    physicalType: 'DOUBLE',
    distinct: 900,
    min: -3,
    max: 12,
    mean: 4,
    sd: 2,
    ...changes,
  });

export const flag = (name: string): MeasuredColumn =>
  column(name, { type: 'boolean', physicalType: 'BOOLEAN', distinct: 2 });

export const timestamp = (name: string): MeasuredColumn =>
  column(name, {
    type: 'timestamp',
    physicalType: 'TIMESTAMP',
    distinct: 1000,
    time: {
      first: '2025-01-01',
      last: '2025-04-10',
      days: 100,
      cut: '2025-03-22',
      before: 800,
      daysAfter: 20,
    },
  });

export const table = (...columns: MeasuredColumn[]): Measured => ({ rows: 1000, columns });
export const noWishes = { label: null, key: null, time: null, task: null };
