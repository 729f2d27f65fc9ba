import { sampleMultinomial } from './binomial-sample.ts';
import { type Random, seededRandom } from './random.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** A statistic of column sums or cell counts; may return NaN where a resample leaves it undefined. */
export type SumStatistic = (sums: Float64Array) => number;

/** Replicates of a bootstrap and how many were undefined (left out of `values`). */
export interface BootstrapResult {
  readonly observed: number;
  /** Sorted ascending. */
  readonly values: Float64Array;
  readonly undefinedReplicates: number;
  readonly se: number;
}

interface Common {
  readonly statistic: SumStatistic;
  readonly replicates: number;
  readonly seed: number;
}

/**
 * Bootstrap of a statistic of joint cell counts (truth × A × B): one multinomial draw a stratum and replicate,
 * exact and free of n: by this the influence errors of count metrics are checked. `strata[i]` names cell i's stratum (its label, say); null draws over all cells together.
 */
export function bootstrapCells(
  input: Common & { readonly counts: Float64Array; readonly strata: Int32Array | null },
): BootstrapResult | Undefined {
  const { counts, strata, statistic, replicates } = input;
  const random = seededRandom(input.seed);
  const groups = strata === null ? [[...counts.keys()]] : cellsByStratum(strata);
  const parts = groups.map((cells) => {
    const weights = Float64Array.from(cells, (i) => counts[i] as number);
    return { cells, weights, total: weights.reduce((s, x) => s + x, 0), out: new Float64Array(cells.length) };
  });
  const drawn = new Float64Array(counts.length);
  return collect(statistic(counts), replicates, () => {
    for (const part of parts) {
      sampleMultinomial(random, part);
      part.cells.forEach((cell, k) => {
        drawn[cell] = part.out[k] as number;
      });
    }
    return statistic(drawn);
  });
}

/** Sums of `width` columns in each of `count` units (clusters or buckets), unit-major. */
export interface UnitSums {
  readonly count: number;
  readonly width: number;
  readonly sums: Float64Array;
}

/** Sums row columns by unit code in [0, count). */
export function sumByUnit(columns: readonly Float64Array[], codes: Int32Array, count: number): UnitSums {
  const width = columns.length;
  const sums = new Float64Array(count * width);
  columns.forEach((column, k) => {
    for (let i = 0; i < column.length; i++) {
      const at = (codes[i] as number) * width + k;
      sums[at] = (sums[at] as number) + (column[i] as number);
    }
  });
  return { count, width, sums };
}

/** Deals n rows at random into buckets (2,000 unless said), so that a bootstrap costs the same at any n. */
export function randomBuckets(n: number, seed: number, buckets = 2000): { codes: Int32Array; count: number } {
  const random = seededRandom(seed);
  const count = Math.min(buckets, n);
  const codes = new Int32Array(n);
  for (let i = 0; i < n; i++) codes[i] = i % count;
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = codes[i] as number;
    codes[i] = codes[j] as number;
    codes[j] = kept;
  }
  return { codes, count };
}

/** Bootstrap of a statistic of column sums by resampling whole units with replacement. */
export function bootstrapUnits(input: Common & { readonly units: UnitSums }): BootstrapResult | Undefined {
  const { units, statistic, replicates } = input;
  if (units.count < 2) return undefinedBecause('too_few_clusters', `${units.count} units to resample`);
  const random = seededRandom(input.seed);
  const { width, sums, count } = units;
  const total = new Float64Array(width);
  const drawn = new Int32Array(count);
  // column by column: one accumulator in a register is faster than a row of them in memory
  const columns = Array.from({ length: width }, (_, k) =>
    Float64Array.from({ length: count }, (_, g) => sums[g * width + k] as number),
  );
  return collect(statistic(totals(units)), replicates, () => {
    drawUnits(random, drawn);
    columns.forEach((column, k) => {
      total[k] = sumAt(column, drawn);
    });
    return statistic(total);
  });
}

function sumAt(column: Float64Array, at: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < at.length; i++) sum += column[at[i] as number] as number;
  return sum;
}

/**
 * Fills `out` with draws from [0, out.length). Up to 65,536 units two 16-bit draws come from one random number, each
 * made uniform by Lemire's multiplication with rejection (2019, ACM Trans. Model. Comput. Simul. 29).
 */
function drawUnits(random: Random, out: Int32Array): void {
  const count = out.length;
  if (count > 65536) {
    for (let i = 0; i < count; i++) out[i] = random.below(count);
    return;
  }
  const reject = 65536 % count;
  for (let i = 0; i < count; ) {
    const x = random.uint32();
    const first = (x & 0xffff) * count;
    if ((first & 0xffff) >= reject) out[i++] = first >>> 16;
    const second = (x >>> 16) * count;
    if (i < count && (second & 0xffff) >= reject) out[i++] = second >>> 16;
  }
}

/** Column sums over all units. */
export function totals({ count, width, sums }: UnitSums): Float64Array {
  const out = new Float64Array(width);
  for (let g = 0; g < count; g++)
    for (let k = 0; k < width; k++) out[k] = (out[k] as number) + (sums[g * width + k] as number);
  return out;
}

function collect(observed: number, replicates: number, draw: () => number): BootstrapResult | Undefined {
  if (!Number.isFinite(observed))
    return undefinedBecause('not_finite', 'the statistic is undefined on the data');
  const kept: number[] = [];
  for (let r = 0; r < replicates; r++) {
    const value = draw();
    if (Number.isFinite(value)) kept.push(value);
  }
  if (kept.length < 2) return undefinedBecause('not_finite', 'the statistic is undefined on every resample');
  const values = Float64Array.from(kept).sort();
  const mean = values.reduce((s, x) => s + x, 0) / values.length;
  const variance = values.reduce((s, x) => s + (x - mean) ** 2, 0) / (values.length - 1);
  return { observed, values, undefinedReplicates: replicates - kept.length, se: Math.sqrt(variance) };
}

function cellsByStratum(strata: Int32Array): number[][] {
  const groups = new Map<number, number[]>();
  strata.forEach((s, i) => {
    const group = groups.get(s);
    if (group) group.push(i);
    else groups.set(s, [i]);
  });
  return [...groups.values()];
}
