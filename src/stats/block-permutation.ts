import { listAssignments } from './block-assignments.ts';
import { type BlockColumn, type PreparedColumn, prepareColumn } from './block-column.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** Columns over the same blocks (days, weeks) and how often to permute. */
export interface BlockPermutationInput {
  readonly columns: readonly BlockColumn[];
  readonly referenceBlocks: number;
  readonly currentBlocks: number;
  /** Random permutations, 3999 unless said; all assignments are listed instead where there are no more of them. */
  readonly permutations?: number;
  readonly seed: number;
  /** Level of the results' `critical`, and from which p is too far away to go on; 0.05 unless said. */
  readonly alpha?: number;
  /** Stratum of each block, reference first (its weekday, say), for the columns that are `stratified`. */
  readonly strata?: Int32Array;
}

/** One column's result. */
export interface BlockColumnResult {
  /** The distance observed; for `combined` the studentised maximum. */
  readonly observed: number;
  /** Share of assignments with a distance at least as large, the observed one among them. */
  readonly p: number;
  /** p adjusted over all columns by step-down max-T: the same assignments, the largest studentised distances. */
  readonly pMaxT: number;
  /** The statistic's components: observed, and mean and sd over all assignments. */
  readonly components: readonly ComponentMoments[];
  /**
   * What (observed − mean) / sd of one component must exceed so that pMaxT is at most `alpha` by that component alone,
   * in a column that moved alone.
   */
  readonly critical: number;
}

export interface ComponentMoments {
  readonly observed: number;
  readonly mean: number;
  readonly sd: number;
}

export interface BlockPermutationResult {
  readonly columns: readonly BlockColumnResult[];
  /** Assignments compared, the observed one among them; 1 / assignments is the smallest p there is. */
  readonly assignments: number;
  /** True where every assignment was listed and p is exact. */
  readonly exact: boolean;
}

/**
 * Permutation test of whole blocks: rows of one block may depend on each other in any way, blocks are
 * exchangeable if nothing drifted. p = #{T* ≥ T} / assignments, valid at any number of them. Stratified columns are
 * assigned within strata, from the same random order of blocks as the others.
 *
 * Random assignments end early where every adjusted p is far above alpha: what is significant at alpha has all of
 * them, so that the chance of a false alarm stays what it is.
 *
 * Source: Westfall & Young (1993), "Resampling-Based Multiple Testing", 2.6 and algorithm 2.8 (step-down max-T); Phipson & Smyth
 * (2010), "Permutation P-values Should Never Be Zero".
 */
export function blockPermutation(input: BlockPermutationInput): BlockPermutationResult | Undefined {
  const {
    columns,
    referenceBlocks,
    currentBlocks,
    permutations = 3999,
    seed,
    strata = null,
    alpha = 0.05,
  } = input;
  const blocks = referenceBlocks + currentBlocks;
  if (referenceBlocks < 1 || currentBlocks < 1)
    return undefinedBecause(
      'too_few_clusters',
      `${referenceBlocks} reference and ${currentBlocks} current blocks`,
    );
  for (const { bins, reference, current } of columns)
    if (reference.length !== referenceBlocks * bins || current.length !== currentBlocks * bins)
      throw new RangeError('blockPermutation: a column does not hold blocks × bins counts');
  const within = columns.map(({ stratified }) => stratified === true && strata !== null);
  const sides = { referenceBlocks, currentBlocks, permutations, seed };
  const assignments = listAssignments({ ...sides, strata: within.includes(true) ? strata : null });
  const prepared = columns.map((column, c) => prepareColumn(column, within[c] ? strata : null));
  const values = prepared.map(({ components }) => new Float64Array(components * assignments.count));
  const out = new Float64Array(Math.max(1, ...prepared.map(({ components }) => components)));
  const free = new Int32Array(blocks);
  const matched = new Int32Array(blocks);
  let done = 0;
  let told: BlockColumnResult[] = [];
  for (const until of looks(assignments)) {
    for (; done < until; done++) {
      assignments.next(done, free, matched);
      for (let c = 0; c < prepared.length; c++) {
        const { components, measure } = prepared[c] as PreparedColumn;
        measure(within[c] ? matched : free, assignments.size, out);
        const own = values[c] as Float64Array;
        for (let k = 0; k < components; k++) own[k * assignments.count + done] = out[k] as number;
      }
    }
    told = resultsOf(
      prepared.map(({ components }, c) =>
        Array.from({ length: components }, (_, k) =>
          (values[c] as Float64Array).subarray(k * assignments.count, k * assignments.count + done),
        ),
      ),
      alpha,
    );
    if (told.every(({ pMaxT }) => farAbove(pMaxT, { alpha, draws: done }))) break;
  }
  return { columns: told, assignments: done, exact: assignments.exact };
}

/** Random assignments after which it is looked whether more of them could still matter. */
const firstLook = 500;

function looks({ count, exact }: { count: number; exact: boolean }): number[] {
  if (exact) return [count];
  const found: number[] = [];
  for (let draws = firstLook; draws < count; draws *= 2) found.push(draws);
  return [...found, count];
}

/** Whether p, estimated from so many draws, is above alpha by more than four of its standard errors at alpha. */
function farAbove(p: number, { alpha, draws }: { alpha: number; draws: number }): boolean {
  return p > alpha + 4 * Math.sqrt((alpha * (1 - alpha)) / draws);
}

/** Results from the components' values under each assignment, the observed one first. */
function resultsOf(values: readonly (readonly Float64Array[])[], alpha: number): BlockColumnResult[] {
  const moments = values.map((parts) => parts.map(momentsOf));
  const single = values.map((parts, c) =>
    parts.length === 1
      ? (parts[0] as Float64Array)
      : largest(parts.map((part, k) => studentised(part, moments[c]?.[k] as ComponentMoments))),
  );
  const columnMoments = single.map(momentsOf);
  const scaled = single.map((distances, c) => studentised(distances, columnMoments[c] as ComponentMoments));
  const adjusted = stepDown(scaled);
  const limit = exceededBy(largest(scaled), alpha);
  return single.map((distances, c) => ({
    observed: distances[0] as number,
    p: shareAtLeast(distances, distances[0] as number),
    pMaxT: adjusted[c] as number,
    components: moments[c] as ComponentMoments[],
    critical: moments[c]?.length === 1 ? limit : inUnitsOf(columnMoments[c] as ComponentMoments, limit),
  }));
}

function momentsOf(values: Float64Array): ComponentMoments {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i] as number;
  const mean = sum / n;
  let square = 0;
  for (let i = 0; i < n; i++) square += ((values[i] as number) - mean) ** 2;
  const sd = Math.sqrt(square / n);
  // what varies by rounding alone does not vary
  return { observed: values[0] as number, mean, sd: sd > 1e-12 * Math.abs(mean) ? sd : 0 };
}

/** (T − mean) / sd over all assignments; zeros where T never varies. */
function studentised(values: Float64Array, { mean, sd }: ComponentMoments): Float64Array {
  const out = new Float64Array(values.length);
  if (sd > 0) for (let i = 0; i < out.length; i++) out[i] = ((values[i] as number) - mean) / sd;
  return out;
}

function inUnitsOf({ mean, sd }: ComponentMoments, z: number): number {
  return mean + sd * z;
}

/** The least value that no more than a share alpha of the values exceeds. */
function exceededBy(values: Float64Array, alpha: number): number {
  const sorted = values.slice().sort();
  return sorted[sorted.length - 1 - Math.floor(alpha * sorted.length)] as number;
}

/**
 * Adjusted p of each column: the most extreme one against the largest of all columns, the next against the largest
 * of the rest, and so on, made to ascend. The chance of any false alarm is that of the single step, also among the
 * columns that stay where others moved.
 */
function stepDown(scaled: readonly Float64Array[]): number[] {
  const observed = scaled.map((column) => column[0] as number);
  const ascending = [...scaled.keys()].sort((a, b) => (observed[a] as number) - (observed[b] as number));
  const adjusted: number[] = [];
  let rest: Float64Array = new Float64Array(scaled[0]?.length ?? 0).fill(-Infinity);
  for (const c of ascending) {
    rest = largest([rest, scaled[c] as Float64Array]);
    adjusted[c] = shareAtLeast(rest, observed[c] as number);
  }
  let most = 0;
  for (const c of ascending.toReversed()) {
    most = Math.max(most, adjusted[c] as number);
    adjusted[c] = most;
  }
  return adjusted;
}

function largest(rows: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(rows[0]?.length ?? 0).fill(-Infinity);
  for (const row of rows)
    for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i] as number, row[i] as number);
  return out;
}

/** Share of values ≥ x, equal up to rounding included. */
function shareAtLeast(values: Float64Array, x: number): number {
  const limit = x - 1e-10 * Math.max(1e-2, Math.abs(x));
  let count = 0;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) >= limit) count++;
  return count / values.length;
}
