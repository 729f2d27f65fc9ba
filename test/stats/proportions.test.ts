import { describe, it } from 'vitest';
import { benjaminiHochberg, holm } from '../../src/stats/multiplicity.ts';
import { type Interval, newcombe, ratioInterval, wilson } from '../../src/stats/proportion.ts';
import type { Undefined } from '../../src/stats/undefined.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import { expectClose, fixture } from './close.ts';

const data = fixture<{
  wilson: [number, number, number, number, number][];
  newcombe: [number, number, number, number, number, number][];
  ratio: [number, number, number, number, number, number][];
  adjust: { p: number[]; holm: number[]; bh: number[] }[];
}>('proportions');

function same(got: Interval | Undefined, low: number, high: number, what: string) {
  if (isUndefined(got)) throw new Error(got.detail);
  expectClose(got.low, low, `${what} low`);
  expectClose(got.high, high, `${what} high`);
}

describe('proportions and multiplicity against statsmodels', () => {
  it('Wilson', () => {
    for (const [count, n, alpha, low, high] of data.wilson)
      same(wilson({ count, n }, alpha), low, high, `${count}/${n}`);
  });
  it('Newcombe and the log ratio', () => {
    for (const [k1, n1, k2, n2, low, high] of data.newcombe)
      same(newcombe({ count: k1, n: n1 }, { count: k2, n: n2 }, 0.05), low, high, `${k1}/${n1} ${k2}/${n2}`);
    for (const [k1, n1, k2, n2, low, high] of data.ratio)
      same(
        ratioInterval({ count: k1, n: n1 }, { count: k2, n: n2 }, 0.05),
        low,
        high,
        `${k1}/${n1} ${k2}/${n2}`,
      );
  });
  it('Holm and Benjamini-Hochberg', () => {
    for (const { p, holm: h, bh } of data.adjust) {
      holm(p).forEach((x, i) => {
        expectClose(x, h[i] as number, 'holm');
      });
      benjaminiHochberg(p).forEach((x, i) => {
        expectClose(x, bh[i] as number, 'bh');
      });
    }
  });
});
