/** Row groups of more rows are cut: the sections of one decode it from its beginning, each again. */
const largestRowGroup = 2 ** 21;

/**
 * Queries for a Parquet file's rows, in their order: whole row groups, as many together as have at most so many rows.
 * `reader` is SQL for the file, `groups` the rows of its row groups.
 */
export function parquetSections(reader: string, groups: readonly number[], rows: number): string[] {
  const sizes = groups.flatMap((size) => (size > largestRowGroup ? cut(size) : [size]));
  const ends: number[] = [];
  let from = 0;
  let until = 0;
  for (const size of sizes) {
    if (until > from && until - from + size > rows) {
      ends.push(until);
      from = until;
    }
    until += size;
  }
  ends.push(until);
  if (ends.length === 1) return [`SELECT * FROM ${reader}`];
  return ends.map((end, i) => {
    const first = i === 0 ? 0 : (ends[i - 1] as number);
    return `SELECT * FROM ${reader} WHERE ${rowNumber} BETWEEN ${first} AND ${end - 1}`;
  });
}

/** DuckDB's own column of a Parquet file, which a column of the file of the same name would hide. */
export const rowNumber = 'file_row_number';

function cut(size: number): number[] {
  const half = largestRowGroup / 2;
  return Array.from({ length: Math.ceil(size / half) }, (_, i) => Math.min(half, size - i * half));
}
