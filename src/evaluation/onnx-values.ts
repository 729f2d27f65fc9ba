import type { TensorType } from './predictor.ts';
import { type Field, fields, integers, message, ProtobufError, text } from './protobuf.ts';

/** One input or output of a graph. */
export interface OnnxValue {
  name: string;
  /** Null for anything but a plain tensor of a type that ModelGate feeds: sequences, maps, half floats. */
  type: TensorType | null;
  /** Sizes of the axes; null where the size is open. Undefined when the graph states no shape. */
  shape: (number | null)[] | undefined;
}

const tensorTypes: Record<number, TensorType> = {
  1: 'float32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  11: 'float64',
};

/** Reads a ValueInfoProto. */
export function readValue(bytes: Uint8Array): OnnxValue {
  const found: OnnxValue = { name: '', type: null, shape: undefined };
  for (const field of fields(bytes)) {
    if (field.number === 1) found.name = text(field, 1_000);
    else if (field.number === 2) {
      for (const kind of fields(message(field))) if (kind.number === 1) tensorKind(kind, found);
    }
  }
  return found;
}

/** TypeProto.Tensor. */
function tensorKind(kind: Field, found: OnnxValue): void {
  for (const field of fields(message(kind))) {
    if (field.number === 1) found.type = tensorTypes[Number(integers(field)[0])] ?? null;
    else if (field.number === 2) {
      found.shape = [];
      for (const axis of fields(message(field))) {
        if (axis.number !== 1) continue;
        if (found.shape.length === 16) throw new ProtobufError('a tensor has too many axes');
        let size: number | null = null;
        for (const part of fields(message(axis))) if (part.number === 1) size = Number(integers(part)[0]);
        found.shape.push(size);
      }
    }
  }
}
