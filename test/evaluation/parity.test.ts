import { describe, expect, it } from 'vitest';
import { compareAlone, compareParity, requireParity } from '../../src/evaluation/parity.ts';
import type { Predictor } from '../../src/evaluation/predictor.ts';

const kinds = [
  { kind: 'plain' as const, rows: 3 },
  { kind: 'unseen' as const, rows: 1 },
  { kind: 'null' as const, rows: 2 },
];
const trained = Float64Array.of(0.1, 0.4, 0.9, 0.2, 0.3, 0.7);
const compare = (change: Record<number, number>, more: Partial<Parameters<typeof compareParity>[0]> = {}) => {
  const exported = Float64Array.from(trained, (value, row) => change[row] ?? value);
  return compareParity({
    trained,
    exported,
    kinds,
    task: 'classification',
    tolerance: 1e-5,
    nullRefused: null,
    alone: { rows: 0, max_difference: 0 },
    ...more,
  });
};

describe('parity of the trained and the exported model', () => {
  it('passes within the tolerance', () => {
    const report = compare({ 1: 0.400009 });
    expect(report).toMatchObject({ rows: 6, flips: 0 });
    expect(report.max_difference).toBeCloseTo(9e-6, 8);
    expect(() => requireParity(report)).not.toThrow();
  });

  it('names rows, size and kind of what differs', () => {
    const report = compare({ 3: 0.3, 5: 0.699 });
    expect(report.kinds.map(({ beyond }) => beyond)).toEqual([0, 1, 1]);
    expect(() => requireParity(report)).toThrow(
      expect.objectContaining({
        code: 'model_parity',
        message: expect.stringMatching(
          /1 of 1 rows with unseen categories.*row 3: 0.200 against 0.300.*rows with nulls/,
        ),
      }),
    );
  });

  it('refuses a flip of the class that is more than float32 rounding, and NaN', () => {
    const flip = compare({ 1: 0.50001 }, { tolerance: 0.2 });
    const rounded = {
      trained: Float64Array.of(0.5),
      exported: Float64Array.of(0.5000002),
      kinds: [{ ...kinds[0]!, rows: 1 }],
    };
    expect(compare({}, rounded)).toMatchObject({ flips: 0 });
    expect(flip).toMatchObject({ flips: 1 });
    expect(() => requireParity(flip)).toThrow('1 predicted otherwise');
    expect(() => requireParity(compare({ 0: Number.NaN }))).toThrow('NaN');
  });

  it('takes the difference relative to large values in regression', () => {
    const values = {
      trained: Float64Array.of(20_000),
      exported: Float64Array.of(20_000.1),
      kinds: [kinds[1]!],
    };
    expect(() => requireParity(compare({}, { ...values, task: 'regression' }))).not.toThrow();
    expect(() =>
      requireParity(compare({}, { ...values, exported: Float64Array.of(20_001), task: 'regression' })),
    ).toThrow();
  });

  it('leaves rows with nulls out where the framework refuses them, and says so', () => {
    const report = compare({ 4: Number.NaN, 5: Number.NaN }, { nullRefused: 'Input contains NaN.' });
    expect(report.kinds[2]).toMatchObject({ max_difference: null, beyond: 0 });
    expect(report.null_refused).toBe('Input contains NaN.');
    expect(() => requireParity(report)).not.toThrow();
  });

  it('[FEA-3] refuses a model that answers otherwise for a row alone', async () => {
    const centred: Predictor = {
      signature: { inputs: [{ name: 'x', type: 'float32' }], task: 'regression', output: 'y' },
      async predict({ x }, rows) {
        const values = Float64Array.from(x as Float64Array);
        const mean = values.reduce((sum, value) => sum + value, 0) / rows;
        return values.map((value) => value - mean);
      },
      async close() {},
    };
    const features = { x: Float64Array.of(1, 2, 6) };
    const batch = await centred.predict(features, 3);
    const alone = await compareAlone({ predictor: centred, features, batch, rows: 3, sample: 10 });
    expect(alone).toEqual({ rows: 3, max_difference: 3 });
    expect(() => requireParity(compare({}, { alone }))).toThrow('predicted alone differs');
  });
});
