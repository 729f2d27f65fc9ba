import { UserError } from '../errors.ts';
import type { InputValues } from './onnxruntime-protocol.ts';
import type { FeatureColumns, Signature, TensorType } from './predictor.ts';

/**
 * The rows [from, until) of the features as the model's input tensors, in the signature's order: a null text
 * becomes '', a null number NaN. Throws `model_signature` for a feature that is missing or of another type.
 */
export function inputTensors(
  signature: Signature,
  features: FeatureColumns,
  from: number,
  until: number,
): { name: string; type: TensorType; values: InputValues }[] {
  return signature.inputs.map(({ name, type }) => {
    const column = Object.hasOwn(features, name) ? features[name] : undefined;
    if (column === undefined) throw mismatch(name, 'is missing');
    if (column.length < until) throw mismatch(name, `has ${column.length} values, not ${until}`);
    return { name, type, values: tensor(name, type, column, from, until) };
  });
}

function tensor(
  name: string,
  type: TensorType,
  column: FeatureColumns[string],
  from: number,
  until: number,
): InputValues {
  const rows = until - from;
  if (type === 'string') {
    if (column instanceof Float64Array) throw mismatch(name, 'is a number, not a text');
    return Array.from({ length: rows }, (_, row) => {
      const value = column[from + row] ?? '';
      if (typeof value !== 'string') throw mismatch(name, `is a ${typeof value}, not a text`);
      return value;
    });
  }
  const at = (row: number): number => {
    const value = column[from + row];
    if (value === null || value === undefined) return Number.NaN;
    if (typeof value === 'string') throw mismatch(name, 'is a text, not a number');
    return Number(value);
  };
  if (type === 'float32' || type === 'float64') {
    const values = type === 'float32' ? new Float32Array(rows) : new Float64Array(rows);
    if (column instanceof Float64Array) values.set(column.subarray(from, until));
    else for (let row = 0; row < rows; row++) values[row] = at(row);
    return values;
  }
  const whole = (row: number): number => {
    const value = at(row);
    if (!Number.isSafeInteger(value))
      throw mismatch(name, `is ${value} in row ${from + row + 1}: the model takes whole numbers`);
    return value;
  };
  if (type === 'bool') return Uint8Array.from({ length: rows }, (_, row) => (whole(row) === 0 ? 0 : 1));
  return BigInt64Array.from({ length: rows }, (_, row) => BigInt(whole(row)));
}

function mismatch(name: string, what: string): UserError {
  return new UserError({
    code: 'model_signature',
    message: `The feature ${JSON.stringify(name.slice(0, 80))} ${what}.`,
    where: 'signature.json',
    fix: 'Give every feature that the model was trained with, of the same type; see the signature of the model.',
  });
}
