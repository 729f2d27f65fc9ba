import { meanMagnitude, shapleyValues } from '../stats/shapley.ts';
import type { Importance } from './importance.ts';

/** Feature columns of equal length, as a model takes them. */
type Columns = Readonly<Record<string, ArrayLike<string | number | boolean | null>>>;

export interface Explained {
  /** The model's features, in the order of its signature. */
  names: readonly string[];
  /** Rows like those that the model was trained on. */
  columns: Columns;
  rows: number;
  predict(columns: Record<string, (string | number | boolean | null)[]>, rows: number): Promise<Float64Array>;
  seed: number;
}

/** Rows that stand for "not known"; each of the others is explained against all of them. */
const background = 20;

/**
 * Importance by mean absolute Shapley value on the model itself, as shares that add up to 1; the effect is that on
 * the prediction (a probability, or the target's unit). Null where no feature moves a prediction, or of fewer than
 * twice the background's rows.
 */
export async function shapleyImportance(model: Explained): Promise<Importance | null> {
  const { names, columns, rows, seed } = model;
  if (rows < 2 * background) return null;
  const index = Int32Array.from({ length: rows }, (_, i) => i);
  const values = await shapleyValues({
    background: index.subarray(0, background),
    explained: index.subarray(background),
    features: names.length,
    seed,
    predict: (source, made) => {
      const mixed = names.map((name, j) => {
        const from = columns[name] ?? [];
        return [name, Array.from(source[j] ?? [], (row) => from[row] ?? null)];
      });
      return model.predict(Object.fromEntries(mixed), made);
    },
  });
  const mean = meanMagnitude(values, names.length);
  const total = mean.reduce((sum, one) => sum + one, 0);
  if (!(total > 0) || !Number.isFinite(total)) return null;
  return new Map(names.map((name, j) => [name, (mean[j] as number) / total]));
}
