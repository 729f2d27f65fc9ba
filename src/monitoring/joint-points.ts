/** The rows' values of one column, both sides together; numbers are NaN where null, texts null. */
export type JointColumn =
  | { kind: 'numeric'; values: Float64Array }
  | { kind: 'categorical'; values: readonly (string | null)[] };

/** Levels with fewer of the rows than this, and those beyond `mostLevels`, are one. */
const commonShare = 0.01;
const mostLevels = 12;

/**
 * Rows as points of a space where distances compare over columns: numbers by their middle rank over both sides,
 * scaled to a standard deviation of about 1, with a dimension of its own for nulls; categories as one dimension a
 * common level, null being one of them. Rows × dimensions, row by row.
 */
export function jointPoints(
  columns: readonly JointColumn[],
  rows: number,
): { points: Float32Array; dimensions: number } {
  const dimensions = columns.flatMap((column) =>
    column.kind === 'numeric' ? numericDimensions(column.values) : levelDimensions(column.values),
  );
  const points = new Float32Array(rows * dimensions.length);
  dimensions.forEach((values, d) => {
    for (let row = 0; row < rows; row++) points[row * dimensions.length + d] = values[row] as number;
  });
  return { points, dimensions: dimensions.length };
}

function numericDimensions(values: Float64Array): Float32Array[] {
  const order = Array.from(values.keys()).filter((row) => !Number.isNaN(values[row]));
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float32Array(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && values[order[end] as number] === values[order[i] as number]) end++;
    const middle = (i + end) / 2 / order.length - 0.5;
    for (; i < end; i++) ranks[order[i] as number] = Math.sqrt(12) * middle;
  }
  if (order.length === values.length) return [ranks];
  return [ranks, Float32Array.from(values, (value) => (Number.isNaN(value) ? 1 : 0))];
}

function levelDimensions(values: readonly (string | null)[]): Float32Array[] {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const common = [...counts]
    .filter(([, n]) => n >= commonShare * values.length)
    .sort(([a, n], [b, m]) => m - n || (String(a) < String(b) ? -1 : 1))
    .slice(0, mostLevels);
  const place = new Map(common.map(([level], i) => [level, i]));
  const dimensions = Array.from(
    { length: common.length + (common.length < counts.size ? 1 : 0) },
    () => new Float32Array(values.length),
  );
  values.forEach((value, row) => {
    (dimensions[place.get(value) ?? common.length] as Float32Array)[row] = 1;
  });
  return dimensions;
}
