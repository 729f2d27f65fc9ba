import { expect, it } from 'vitest';
import { withCommas } from '../../src/report/commas.ts';
import { seededRandom } from '../../src/stats/random.ts';

it('numbers have their thousands apart as Intl writes them in en-US', () => {
  const intl = new Intl.NumberFormat('en-US', { maximumFractionDigits: 20 });
  const random = seededRandom(1);
  const drawn = Array.from({ length: 2000 }, (_, i) => {
    const value = (random.uniform() - 0.5) * 10 ** (i % 24);
    return i % 2 === 0 ? Math.round(value) + 0 : value;
  });
  for (const value of [0, 7, 999, 1000, -1000, 12_345.6789, 2 ** 53, 1e21, 1e-7, ...drawn])
    expect(withCommas(value)).toBe(intl.format(value));
});
