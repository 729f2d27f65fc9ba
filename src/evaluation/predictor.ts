import { z } from 'zod';

export const TensorType = z.enum(['string', 'float32', 'float64', 'int64', 'bool']);
export type TensorType = z.infer<typeof TensorType>;

/** Names with this beginning are those of our own columns beside the inputs. */
const InputName = z
  .string()
  .min(1)
  .max(128)
  .refine((name) => !/^modelgate /i.test(name), 'a name that begins with "modelgate " is reserved');

/** What goes into a model and what comes out: `signature.json` of a model package. */
export const Signature = z.object({
  /** One tensor [rows, 1] a feature, named as the feature's column. */
  inputs: z
    .array(z.object({ name: InputName, type: TensorType }))
    .min(1)
    .max(10_000)
    // SQL does not tell upper case from lower case in names
    .refine(
      (inputs) => new Set(inputs.map(({ name }) => name.toLowerCase())).size === inputs.length,
      'two inputs have the same name, but for case',
    ),
  task: z.enum(['classification', 'regression']),
  /** The output tensor: probability of the positive class [rows] or [rows, 2], or the predicted value. */
  output: z.string().min(1).max(128),
});
export type Signature = z.infer<typeof Signature>;

/** Feature columns of equal length; null is a missing value (NaN for numbers, '' for strings). */
export type FeatureColumns = Record<string, (string | number | boolean | null)[] | Float64Array>;

/**
 * A loaded model, in a process of its own that can be killed: onnxruntime-node computes synchronously and
 * cannot be interrupted.
 */
export interface Predictor {
  readonly signature: Signature;
  /** One number a row: the positive class's probability, or the value. Throws `inference_failed`. */
  predict(features: FeatureColumns, rows: number): Promise<Float64Array>;
  close(): Promise<void>;
}
