import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanMagnitude, shapleyValues } from '../../src/stats/shapley.ts';
import { expectClose, fixture } from './close.ts';

interface Made {
  background: number;
  table: number[][];
  values: number[][];
}
const { pairs, triple } = fixture<{ pairs: Made; triple: Made }>('shapley');

type Row = (j: number) => number;
const functions: Record<string, (x: Row) => number> = {
  pairs: (x) => 2 * x(0) - x(1) * x(2) + (x(3) > 0 ? x(0) : -0.5),
  triple: (x) => x(0) * x(1) * x(2) + 0.5 * x(3),
};

function explain({ table, background }: Omit<Made, 'values'>, f: (x: Row) => number, orders = 1) {
  const index = Int32Array.from(table, (_, i) => i);
  return shapleyValues({
    background: index.subarray(0, background),
    explained: index.subarray(background),
    features: table[0]?.length ?? 0,
    orders,
    seed: 3,
    predict: async (source, rows) =>
      Float64Array.from({ length: rows }, (_, r) => f((j) => table[source[j]?.[r] ?? 0]?.[j] ?? Number.NaN)),
  });
}

describe('Shapley values', () => {
  it('are those of shap to 1e-9 for features that act alone or in pairs, from one order', async () => {
    const values = await explain(pairs, functions.pairs!);
    pairs.values.flat().forEach((expected, i) => {
      expectClose(values[i] as number, expected, `value ${i}`);
    });
  });

  it('come near those of shap where three features act together', async () => {
    const values = await explain(triple, functions.triple!, 400);
    triple.values.flat().forEach((expected, i) => {
      expectClose(values[i] as number, expected, `value ${i}`, 0.05);
    });
  });

  it('add up to the prediction less the mean of the background, whatever the function', async () => {
    const number = fc.double({ min: -10, max: 10, noNaN: true });
    const rows = fc.array(fc.array(number, { minLength: 3, maxLength: 3 }), { minLength: 4, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, fc.func(number), async (table, f) => {
        const own = (x: Row) => f(x(0), x(1), x(2));
        const values = await explain({ table, background: 2 }, own);
        const at = (i: number) => own((j) => table[i]?.[j] ?? 0);
        for (let row = 2; row < table.length; row++) {
          const sum = values.subarray((row - 2) * 3, (row - 1) * 3).reduce((s, v) => s + v, 0);
          expect(sum).toBeCloseTo(at(row) - (at(0) + at(1)) / 2, 9);
        }
      }),
      { seed: 5, numRuns: 50 },
    );
  });

  it('mean magnitude is by feature', () => {
    expect([...meanMagnitude(Float64Array.of(1, -2, 3, 0), 2)]).toEqual([2, 1]);
  });
});
