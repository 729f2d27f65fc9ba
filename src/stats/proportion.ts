import { binomialCdf, binomialSf } from './discrete.ts';
import { normalQuantile } from './distributions.ts';
import { type Undefined, undefinedBecause } from './undefined.ts';

/** `count` successes of `n` rows. */
export interface Proportion {
  readonly count: number;
  readonly n: number;
}

/** A point with a two-sided interval at level 1 − alpha. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval of one proportion.
 * Source: E. B. Wilson (1927), J. Am. Stat. Assoc. 22:209-212.
 */
export function wilson({ count, n }: Proportion, alpha: number): Interval | Undefined {
  if (n < 1) return undefinedBecause('empty', 'a proportion of no rows');
  if (count < 0 || count > n) return undefinedBecause('out_of_range', `${count} of ${n}`);
  const z2 = normalQuantile(1 - alpha / 2) ** 2;
  const p = count / n;
  const centre = p + z2 / (2 * n);
  const half = Math.sqrt(z2) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  const scale = 1 + z2 / n;
  return {
    estimate: p,
    low: count === 0 ? 0 : (centre - half) / scale,
    high: count === n ? 1 : (centre + half) / scale,
  };
}

/**
 * The exact interval of one proportion: each end is the share at which so many successes, or so few, have
 * probability alpha / 2. No side is missed more often than that, however few the rows.
 * Source: Clopper & Pearson (1934), Biometrika 26:404-413.
 */
export function clopperPearson({ count, n }: Proportion, alpha: number): Interval | Undefined {
  if (n < 1) return undefinedBecause('empty', 'a proportion of no rows');
  if (count < 0 || count > n) return undefinedBecause('out_of_range', `${count} of ${n}`);
  const tail = alpha / 2;
  return {
    estimate: count / n,
    low: count === 0 ? 0 : crossing((p) => binomialSf(count - 1, { n, p }) > tail),
    high: count === n ? 1 : crossing((p) => binomialCdf(count, { n, p }) <= tail),
  };
}

/** Where a condition on [0, 1] becomes true, by bisection to the last bit. */
function crossing(holds: (p: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 1100; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Newcombe's hybrid score interval of the difference second − first of two independent proportions.
 * Source: R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions",
 * method 10, Statistics in Medicine 17:873-890.
 */
export function newcombe(first: Proportion, second: Proportion, alpha: number): Interval | Undefined {
  const a = wilson(first, alpha);
  if ('undefined' in a) return a;
  const b = wilson(second, alpha);
  if ('undefined' in b) return b;
  const estimate = b.estimate - a.estimate;
  return {
    estimate,
    low: estimate - Math.hypot(b.estimate - b.low, a.high - a.estimate),
    high: estimate + Math.hypot(b.high - b.estimate, a.estimate - a.low),
  };
}

/**
 * Interval of the ratio second / first of two independent proportions on the log scale:
 * ln ratio ± z √(1/x₂ − 1/n₂ + 1/x₁ − 1/n₁). Undefined when a count is 0.
 * Source: Katz, Baptista, Azen, Pike (1978), Biometrics 34:469-474.
 */
export function ratioInterval(first: Proportion, second: Proportion, alpha: number): Interval | Undefined {
  if (first.n < 1 || second.n < 1) return undefinedBecause('empty', 'a proportion of no rows');
  if (first.count === 0 || second.count === 0)
    return undefinedBecause('zero_denominator', 'a ratio of proportions needs a success on both sides');
  const estimate = second.count / second.n / (first.count / first.n);
  const se = Math.sqrt(1 / second.count - 1 / second.n + 1 / first.count - 1 / first.n);
  const factor = Math.exp(normalQuantile(1 - alpha / 2) * se);
  return { estimate, low: estimate / factor, high: estimate * factor };
}
