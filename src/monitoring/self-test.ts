import { type Interval, wilson } from '../stats/proportion.ts';
import { seededRandom, shuffle } from '../stats/random.ts';
import { isUndefined } from '../stats/undefined.ts';
import { standardDeviation } from '../stats/wasserstein.ts';
import { sumBlocks } from './block-counts.ts';
import { power, searched } from './detectable.ts';
import { plantShift } from './plant.ts';
import type { MonitoringPolicy } from './policy.ts';
import { type ReplayColumn, type ReplaySides, replayDecision } from './replay.ts';

export interface FalseAlarms {
  windows: number;
  alarms: number;
  rate: number;
  /** Wilson's 95 % interval. */
  low: number;
  high: number;
}

/** The smallest planted shift that was found in at least `power` of the deals; null where none up to 4 sd was. */
export interface SmallestShift {
  name: string;
  kind: 'numeric' | 'categorical';
  value: number | null;
  /** Standard deviations, or points of share moved to the most frequent level. */
  unit: 'sd' | 'points';
  /** The same in the column's own unit; null for categories. */
  shift: number | null;
}

export interface SelfTest {
  /** Blocks chosen at random as the window, against the rest: nothing drifted. */
  dealt: FalseAlarms;
  /** Consecutive blocks against the rest, without overlap: what seasons add. */
  past: FalseAlarms;
  smallest: SmallestShift[];
  power: number;
}

export interface SelfTestOptions {
  columns: readonly ReplayColumn[];
  /** Start of each block, ISO dates. */
  blocks: readonly string[];
  /** Blocks of one window. */
  length: number;
  policy: MonitoringPolicy;
  /** Windows dealt at random, for the false alarms and (as many as `powerDeals`) for the shifts. */
  deals?: number;
  powerDeals?: number;
  signal?: AbortSignal | undefined;
}

/** A whole decision is repeated some hundred times: with fewer permutations than one that counts. */
const permutationsAtMost = 499;
const halvings = 6;

/** Repeats the policy's decision on windows in which nothing drifted, then on windows with planted shifts. */
export function selfTest(options: SelfTestOptions): SelfTest {
  const { columns, blocks, length, deals = 100 } = options;
  const policy = {
    ...options.policy,
    permutations: Math.min(permutationsAtMost, options.policy.permutations),
  };
  const dealt = dealSides(options, deals);
  const past = Array.from({ length: Math.floor(blocks.length / length) }, (_, i) =>
    sidesOf(blocks, (block) => block >= i * length && block < (i + 1) * length),
  );
  const alarms = (windows: readonly ReplaySides[]) => {
    let count = 0;
    for (const sides of windows) {
      options.signal?.throwIfAborted();
      if (replayDecision(columns, sides, { policy }).length > 0) count++;
    }
    return falseAlarms(count, windows.length);
  };
  return {
    dealt: alarms(dealt),
    past: alarms(past),
    smallest: smallestShifts({ ...options, policy }),
    power,
  };
}

/**
 * Halves, on a logarithmic scale, the range in which each column's smallest shift must lie. All columns are planted
 * at once, each beside itself as it was: so a column is judged with the others unmoved, as strictly as it will be.
 */
function smallestShifts(options: SelfTestOptions): SmallestShift[] {
  const { columns, policy, powerDeals = 20, signal } = options;
  const dealt = dealSides(options, powerDeals);
  const scales = columns.map(({ values }) => scaleOf(values));
  const ranges = scales.map(({ unit }) => ({
    low: searched[unit][0] as number,
    high: searched[unit][1] as number,
  }));
  const shares = (sizes: readonly number[]) => {
    const planted = columns.map((column, i) => {
      const moved = (sizes[i] as number) * (scales[i]?.sd ?? 1);
      return {
        ...{ ...column, name: `${i}`, moved },
        values: { ...column.values, current: plantShift(column.values, moved) },
        nulls: { ...column.nulls, current: column.nulls.reference },
        far: column.far === null ? null : { ...column.far, current: column.far.reference },
      };
    });
    const still = columns.map((column, i) => ({ ...column, name: `still ${i}` }));
    const found = columns.map(() => 0);
    for (const sides of dealt) {
      signal?.throwIfAborted();
      const names = replayDecision([...planted, ...still], sides, {
        // a floor of its own is looked up by name
        policy: {
          ...policy,
          floors: Object.fromEntries(columns.map(({ name }, i) => [`${i}`, policy.floors[name] ?? {}])),
        },
        planted: planted.map(({ name }) => name),
      });
      for (const name of names) if (/^\d+$/.test(name)) found[Number(name)]!++;
    }
    return found.map((count) => count / dealt.length);
  };
  const widest = shares(ranges.map(({ high }) => high));
  for (let i = 0; i < halvings; i++) {
    const middle = ranges.map(({ low, high }) => Math.sqrt(low * high));
    shares(middle).forEach((share, c) => {
      const range = ranges[c] as (typeof ranges)[number];
      if (share >= power) range.high = middle[c] as number;
      else range.low = middle[c] as number;
    });
  }
  return columns.map(({ name, kind }, i) => {
    const { unit, sd } = scales[i] as Scale;
    const value = (widest[i] as number) >= power ? (ranges[i]?.high ?? null) : null;
    return { name, kind, value, unit, shift: value === null || unit === 'points' ? null : value * sd };
  });
}

interface Scale {
  unit: 'sd' | 'points';
  /** What one unit is in the terms of `plantShift`. */
  sd: number;
}

function scaleOf({ bins, positions, reference }: ReplayColumn['values']): Scale {
  if (positions === null) return { unit: 'points', sd: 0.01 };
  return { unit: 'sd', sd: standardDeviation(positions, sumBlocks(reference, bins)) };
}

/** `count` random choices of `length` blocks as the window. */
function dealSides({ blocks, length, policy }: SelfTestOptions, count: number): ReplaySides[] {
  const random = seededRandom(policy.seed);
  return Array.from({ length: count }, () => {
    const order = Int32Array.from({ length: blocks.length }, (_, i) => i);
    shuffle(order, random, length);
    const chosen = new Set(order.subarray(0, length));
    return sidesOf(blocks, (block) => chosen.has(block));
  });
}

function sidesOf(blocks: readonly string[], inWindow: (block: number) => boolean): ReplaySides {
  const all = blocks.map((_, i) => i);
  return { blocks, current: all.filter(inWindow), reference: all.filter((block) => !inWindow(block)) };
}

function falseAlarms(alarms: number, windows: number): FalseAlarms {
  const interval = wilson({ count: alarms, n: windows }, 0.05);
  const { low, high }: Pick<Interval, 'low' | 'high'> = isUndefined(interval)
    ? { low: 0, high: 1 }
    : interval;
  return { windows, alarms, rate: windows === 0 ? 0 : alarms / windows, low, high };
}
