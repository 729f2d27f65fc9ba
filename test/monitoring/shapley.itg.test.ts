import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPredictor } from '../../src/evaluation/onnxruntime.ts';
import { shapleyImportance } from '../../src/monitoring/shapley-importance.ts';
import { expectClose, fixture } from '../stats/close.ts';

const { model } = fixture<{
  model: { table: [number, number, number][]; carriers: string[]; values: number[][] };
}>('shapley');

describe('importance of a model that gives none', () => {
  it("[MON-4] is the mean absolute value by Python's shap on the same ONNX file", async () => {
    const predictor = await loadPredictor({
      file: path.join(import.meta.dirname, '../fixtures/serving/version-1.onnx'),
      signature: {
        inputs: [
          { name: 'distance', type: 'float32' },
          { name: 'hour', type: 'float32' },
          { name: 'carrier', type: 'string' },
        ],
        task: 'classification',
        output: 'probabilities',
      },
    });
    try {
      const { table, carriers } = model;
      const importance = await shapleyImportance({
        names: ['distance', 'hour', 'carrier'],
        columns: {
          distance: table.map(([distance]) => distance),
          hour: table.map(([, hour]) => hour),
          carrier: table.map(([, , carrier]) => carriers[carrier] ?? null),
        },
        rows: table.length,
        predict: (columns, rows) => predictor.predict(columns, rows),
        seed: 1,
      });
      const expected = [0, 1, 2].map((j) =>
        model.values.reduce((sum, row) => sum + Math.abs(row[j] ?? 0), 0),
      );
      const total = expected.reduce((sum, one) => sum + one, 0);
      // a sigmoid joins all three features: exact for pairs, near for three
      ['distance', 'hour', 'carrier'].forEach((name, j) => {
        expectClose(importance?.get(name) ?? 0, (expected[j] ?? 0) / total, name, 0.01);
      });
    } finally {
      await predictor.close();
    }
  });

  it('is not known where nothing moves a prediction, or of few rows', async () => {
    const still = {
      names: ['a'],
      seed: 1,
      predict: async (_: object, rows: number) => new Float64Array(rows),
    };
    const a = Array.from({ length: 60 }, (_, i) => i);
    expect(await shapleyImportance({ ...still, columns: { a }, rows: 60 })).toBeNull();
    expect(await shapleyImportance({ ...still, columns: { a: a.slice(0, 20) }, rows: 20 })).toBeNull();
  });
});
