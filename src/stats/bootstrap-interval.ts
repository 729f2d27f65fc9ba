import { type BootstrapResult, type SumStatistic, totals, type UnitSums } from './bootstrap.ts';
import { normalCdf, normalQuantile } from './distributions.ts';
import { quantileSorted } from './quantile-bins.ts';

/** Percentile interval at level 1 − alpha: linear quantiles of the replicates. */
export function percentileInterval(
  { values }: BootstrapResult,
  alpha: number,
): { low: number; high: number } {
  return { low: quantileSorted(values, alpha / 2), high: quantileSorted(values, 1 - alpha / 2) };
}

/**
 * Bias-corrected and accelerated interval; acceleration from the jackknife over the units.
 * Source: B. Efron (1987), "Better Bootstrap Confidence Intervals", J. Am. Stat. Assoc. 82:171-185.
 */
export function bcaInterval(
  result: BootstrapResult,
  input: { readonly units: UnitSums; readonly statistic: SumStatistic; readonly alpha: number },
): { low: number; high: number } {
  const { values, observed } = result;
  let below = 0;
  for (const v of values) below += v < observed ? 1 : v === observed ? 0.5 : 0;
  const share = Math.min(1 - 0.5 / values.length, Math.max(0.5 / values.length, below / values.length));
  const z0 = normalQuantile(share);
  const a = acceleration(input.units, input.statistic);
  const end = (p: number) => {
    const z = z0 + normalQuantile(p);
    return quantileSorted(values, normalCdf(z0 + z / (1 - a * z)));
  };
  return { low: end(input.alpha / 2), high: end(1 - input.alpha / 2) };
}

function acceleration(units: UnitSums, statistic: SumStatistic): number {
  const all = totals(units);
  const left = new Float64Array(units.width);
  const values: number[] = [];
  for (let g = 0; g < units.count; g++) {
    for (let k = 0; k < units.width; k++)
      left[k] = (all[k] as number) - (units.sums[g * units.width + k] as number);
    const value = statistic(left);
    if (Number.isFinite(value)) values.push(value);
  }
  const mean = values.reduce((s, x) => s + x, 0) / values.length;
  let square = 0;
  let cube = 0;
  for (const v of values) {
    square += (mean - v) ** 2;
    cube += (mean - v) ** 3;
  }
  return square > 0 ? cube / (6 * square ** 1.5) : 0;
}
