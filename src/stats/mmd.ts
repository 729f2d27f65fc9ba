import { normalQuantile } from './distributions.ts';
import { type Random, seededRandom, shuffle } from './random.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';
import { whitenBlocks } from './whiten.ts';

/** Rows as points, in blocks (days, weeks) that are alike inside. */
export interface MmdInput {
  /** Rows × dimensions, row by row, finite; the dimensions on scales that compare. */
  readonly points: Float32Array;
  readonly dimensions: number;
  /** Block of each row, from 0, the reference's blocks first. */
  readonly block: Int32Array;
  readonly referenceBlocks: number;
  readonly currentBlocks: number;
  /** Random frequencies, 128 unless said: the kernel is approximated to about 1 / √frequencies. */
  readonly frequencies?: number;
  /** Random assignments of blocks to sides, beside the one observed; 1999 unless said. */
  readonly permutations?: number;
  readonly seed: number;
  /** Stratum of each block (its weekday, say): blocks are then exchanged within strata alone. */
  readonly strata?: Int32Array;
  /** σ of the kernel; left out: the median distance of two rows. */
  readonly bandwidth?: number;
}

export interface MmdResult {
  /** Squared distance of the two sides' mean embeddings: 0 where they are alike, at most 2. */
  readonly statistic: number;
  /** Share of assignments with a whitened distance at least as large, the observed one among them. */
  readonly p: number;
  readonly assignments: number;
  readonly bandwidth: number;
}

/**
 * Maximum mean discrepancy of two samples of rows, all dimensions together: MMD² = ‖mean φ(x) − mean φ(y)‖² for the
 * Gaussian kernel exp(−‖x − y‖² / 2σ²), with φ from random Fourier features (cos and sin of ω·x, ω normal with sd 1/σ),
 * so that each block is one vector of sums. p by exchanging whole blocks, right at any number of assignments. What is
 * permuted is the same distance after whitening by how blocks differ among themselves: with MMD² itself, days that
 * differ in their columns' levels would hide a change of correlation.
 *
 * Source: Gretton et al. (2012), J. Mach. Learn. Res. 13:723-773 (the biased statistic); Rahimi & Recht (2007),
 * "Random Features for Large-Scale Kernel Machines"; whiten.ts; Phipson & Smyth (2010), as in block-permutation.ts.
 */
export function mmd(input: MmdInput): MmdResult | Undefined {
  const { block, referenceBlocks, currentBlocks, permutations = 1999, seed } = input;
  const random = seededRandom(seed);
  const blocks = referenceBlocks + currentBlocks;
  if (block.length === 0) return undefinedBecause('empty', 'no rows');
  const rows = new Float64Array(blocks);
  for (const one of block) rows[one]! += 1;
  const before = rows.subarray(0, referenceBlocks).reduce((sum, n) => sum + n, 0);
  if (before === 0 || before === block.length) return undefinedBecause('empty', 'a sample has no rows');
  const bandwidth = input.bandwidth ?? medianDistance(input, random);
  if (!(bandwidth > 0)) return { statistic: 0, p: 1, assignments: 1, bandwidth: 0 };
  const sums = embed(input, bandwidth, random);
  const { observed, next } = exchange(input, random);
  const statistic = distance(sidesOf(sums, rows), observed);
  const sides = permutations === 0 ? null : sidesOf(whitenBlocks({ sums, rows }, ridge), rows);
  const reached = sides === null ? 0 : distance(sides, observed) * (1 - 1e-12);
  let atLeast = 1;
  for (let t = 0; sides !== null && t < permutations; t++) if (distance(sides, next()) >= reached) atLeast++;
  return { statistic, p: atLeast / (permutations + 1), assignments: permutations + 1, bandwidth };
}

/** Of the mean eigenvalue; from 0.01 to 3 the power hardly depends on it. */
const ridge = 0.3;

/** Pairs of rows that the bandwidth is taken from. */
const pairs = 1000;

function medianDistance({ points, dimensions, block }: MmdInput, random: Random): number {
  const distances = Float64Array.from({ length: pairs }, () => {
    const [i, j] = [random.below(block.length) * dimensions, random.below(block.length) * dimensions];
    let square = 0;
    for (let d = 0; d < dimensions; d++)
      square += ((points[i + d] as number) - (points[j + d] as number)) ** 2;
    return Math.sqrt(square);
  }).sort();
  // rows that are mostly the same still differ somewhere
  return (distances[pairs / 2] as number) || (distances.find((distance) => distance > 0) ?? 0);
}

/** Per block the sums of the features of its rows, scaled so that φ(x)·φ(x) = 1. */
function embed(input: MmdInput, bandwidth: number, random: Random): Float64Array[] {
  const { points, dimensions, block, frequencies = 128 } = input;
  const omega = Float64Array.from(
    { length: frequencies * dimensions },
    // half a step away from 0, where the normal quantile ends
    () => normalQuantile((random.uint32() + 0.5) / 2 ** 32) / bandwidth,
  );
  const sums = Array.from(
    { length: input.referenceBlocks + input.currentBlocks },
    () => new Float64Array(2 * frequencies),
  );
  const scale = 1 / Math.sqrt(frequencies);
  block.forEach((one, row) => {
    const sum = sums[one] as Float64Array;
    for (let f = 0; f < frequencies; f++) {
      let angle = 0;
      for (let d = 0; d < dimensions; d++)
        angle += (omega[f * dimensions + d] as number) * (points[row * dimensions + d] as number);
      sum[2 * f]! += scale * Math.cos(angle);
      sum[2 * f + 1]! += scale * Math.sin(angle);
    }
  });
  return sums;
}

interface Sides {
  /** Sums of the features per block, and of all. */
  sums: readonly Float64Array[];
  all: Float64Array;
  /** Rows per block, and of all. */
  rows: Float64Array;
  whole: number;
}

function sidesOf(sums: readonly Float64Array[], rows: Float64Array): Sides {
  const all = (sums[0] as Float64Array).map((_, i) => sums.reduce((sum, one) => sum + (one[i] as number), 0));
  return { sums, all, rows, whole: rows.reduce((sum, n) => sum + n, 0) };
}

/** ‖mean over the group's rows − mean over the others‖²; 0 where one of them has no rows. */
function distance({ sums, all, rows, whole }: Sides, group: Int32Array): number {
  const length = sums[0]?.length ?? 0;
  const own = new Float64Array(length);
  let n = 0;
  for (const block of group) {
    const sum = sums[block] as Float64Array;
    for (let i = 0; i < length; i++) own[i]! += sum[i] as number;
    n += rows[block] as number;
  }
  if (n === 0 || n === whole) return 0;
  let square = 0;
  for (let i = 0; i < length; i++) {
    const mean = (own[i] as number) / n;
    square += (mean - ((all[i] as number) - (own[i] as number)) / (whole - n)) ** 2;
  }
  return square;
}

/** The blocks of the smaller side as observed, and as random assignments give them: as many of each stratum. */
function exchange(
  { referenceBlocks, currentBlocks, strata }: MmdInput,
  random: Random,
): { observed: Int32Array; next: () => Int32Array } {
  const blocks = referenceBlocks + currentBlocks;
  const size = Math.min(referenceBlocks, currentBlocks);
  const first = referenceBlocks <= currentBlocks ? 0 : referenceBlocks;
  const observed = Int32Array.from({ length: size }, (_, i) => first + i);
  const stratumOf = (block: number) => strata?.[block] ?? 0;
  const members = Map.groupBy(
    Array.from({ length: blocks }, (_, block) => block),
    stratumOf,
  );
  const quotas = Map.groupBy(observed, stratumOf);
  const parts = [...members].map(([stratum, own]) => ({
    own: Int32Array.from(own),
    quota: quotas.get(stratum)?.length ?? 0,
  }));
  const group = new Int32Array(size);
  return {
    observed,
    next: () => {
      let at = 0;
      for (const { own, quota } of parts) {
        shuffle(own, random, quota);
        group.set(own.subarray(0, quota), at);
        at += quota;
      }
      return group;
    },
  };
}
