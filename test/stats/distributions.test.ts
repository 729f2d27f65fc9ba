import { describe, expect, it } from 'vitest';
import {
  binomialCdf,
  binomialPmf,
  binomialSf,
  fisherExact,
  hypergeometricPmf,
} from '../../src/stats/discrete.ts';
import {
  chiSquareCdf,
  chiSquareSf,
  fSf,
  normalCdf,
  normalQuantile,
  normalSf,
  tCdf,
  tQuantile,
  tSf,
} from '../../src/stats/distributions.ts';
import { kolmogorovLimitSf, kolmogorovSf } from '../../src/stats/kolmogorov.ts';
import { betaTails } from '../../src/stats/special.ts';
import { expectRelative, fixture } from './close.ts';

const rows = fixture<Record<string, number[][]>>('distributions');
const of = (name: string) => rows[name] as number[][];
type Row = [number, number, number, number, number, number, number];

describe('distributions against SciPy', () => {
  it('t, chi-square, F and normal to 1e-11 relative', () => {
    for (const [x, df, cdf, sf] of of('t') as Row[]) {
      expectRelative(tCdf(x, df), cdf, `t cdf ${x} ${df}`, 1e-11);
      expectRelative(tSf(x, df), sf, `t sf ${x} ${df}`, 1e-11);
    }
    for (const [x, k, sf, cdf] of of('chi2') as Row[]) {
      expectRelative(chiSquareSf(x, k), sf, `chi2 sf ${x} ${k}`, 1e-11);
      expectRelative(chiSquareCdf(x, k), cdf, `chi2 cdf ${x} ${k}`, 1e-11);
    }
    for (const [x, d1, d2, sf] of of('f') as Row[])
      expectRelative(fSf(x, d1, d2), sf, `F ${x} ${d1} ${d2}`, 1e-11);
    for (const [z, cdf, sf] of of('normal') as Row[]) {
      expectRelative(normalCdf(z), cdf, `normal cdf ${z}`, 1e-11);
      expectRelative(normalSf(z), sf, `normal sf ${z}`, 1e-11);
    }
  });

  it('quantiles to 1e-11 relative, and infinite at the ends', () => {
    for (const [p, df, t] of of('t_quantile') as Row[])
      expectRelative(tQuantile(p, df), t, `t quantile ${p} ${df}`, 1e-11);
    for (const [p, z] of of('normal_quantile') as Row[])
      expectRelative(normalQuantile(p), z, `z ${p}`, 1e-11);
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(tQuantile(1, 7)).toBe(Infinity);
    expect(normalQuantile(-0.1)).toBeNaN();
  });

  it('incomplete beta with both tails to 1e-11 relative', () => {
    for (const [a, b, x, lower, upper] of of('beta') as Row[]) {
      expectRelative(betaTails(a, b, x).lower, lower, `I ${a} ${b} ${x}`, 1e-11);
      expectRelative(betaTails(a, b, x).upper, upper, `1 - I ${a} ${b} ${x}`, 1e-11);
    }
  });

  it('binomial and hypergeometric', () => {
    for (const [k, n, p, pmf, cdf, sf] of of('binomial') as Row[]) {
      expectRelative(binomialPmf(k, { n, p }), pmf, `binomial pmf ${k} ${n} ${p}`, 1e-10);
      expectRelative(binomialCdf(k, { n, p }), cdf, `binomial cdf ${k} ${n} ${p}`, 1e-10);
      expectRelative(binomialSf(k, { n, p }), sf, `binomial sf ${k} ${n} ${p}`, 1e-10);
    }
    for (const [k, good, bad, draws, pmf] of of('hypergeometric') as Row[])
      expectRelative(hypergeometricPmf(k, { good, bad, draws }), pmf, `hypergeometric ${k} ${good}`, 1e-10);
    for (const [a, b, c, d, two, less, greater] of of('fisher') as Row[]) {
      const result = fisherExact(a, b, c, d);
      expectRelative(result.pTwoSided, two, `fisher ${a} ${b} ${c} ${d}`, 1e-10);
      expectRelative(result.pLess, less, `fisher less ${a} ${b} ${c} ${d}`, 1e-10);
      expectRelative(result.pGreater, greater, `fisher greater ${a} ${b} ${c} ${d}`, 1e-10);
    }
  });

  it('Kolmogorov by all of its methods', () => {
    for (const [d, n, sf] of of('kolmogorov') as Row[]) {
      const error = Math.abs(kolmogorovSf(d, n) - sf);
      expect(error, `kstwo ${d} ${n}: ${kolmogorovSf(d, n)}, expected ${sf}`).toBeLessThanOrEqual(
        1e-13 + 1e-9 * sf,
      );
    }
    expectRelative(kolmogorovLimitSf(1.36), 0.04948587675537788, 'limit', 1e-9);
    expectRelative(kolmogorovLimitSf(0.7), 0.711235195029785, 'limit', 1e-9);
  });
});
