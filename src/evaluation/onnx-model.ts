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

/** What an ONNX file is made of, as far as its admission depends on it. */
export interface OnnxModel {
  irVersion: number;
  producer: string;
  /** Operator set domain → version; '' is the standard set. */
  opsets: Record<string, number>;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  /** Operator, with its domain if it is not the standard one (`ai.onnx.ml.Scaler`) → number of nodes. */
  operators: Record<string, number>;
  nodes: number;
  /** Bytes that all stored tensors say they hold. */
  tensorBytes: number;
  /** What only an unusual file has: external data, functions, training graphs, subgraphs. */
  unusual: string[];
}

/** Bounds against files made to exhaust the reader. */
const limits = { nodes: 200_000, attributes: 1_000_000, depth: 8, values: 100_000, names: 1_000 };

/**
 * Reads an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) without loading its tensors.
 * Throws `ProtobufError` when it is not one.
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const reader = new ModelReader();
  let graph: Uint8Array | undefined;
  for (const field of fields(bytes)) {
    if (field.number === 1) reader.model.irVersion = Number(integers(field)[0]);
    else if (field.number === 2) reader.model.producer = text(field).slice(0, 100);
    else if (field.number === 7) {
      if (graph !== undefined) throw new ProtobufError('it has two graphs');
      graph = message(field);
    } else if (field.number === 8) reader.opset(message(field));
    else if (field.number === 20) reader.unusual('training information');
    else if (field.number === 25) reader.unusual('functions of its own');
    else if (field.number === 14) reader.metadata(message(field));
    else if (![3, 4, 5, 6, 26].includes(field.number)) reader.unusual(`an unknown field ${field.number}`);
  }
  if (graph === undefined) throw new ProtobufError('it has no graph');
  reader.graph(graph, 0);
  if (reader.model.nodes === 0) throw new ProtobufError('its graph has no nodes');
  return reader.model;
}

class ModelReader {
  readonly model: OnnxModel = {
    irVersion: 0,
    producer: '',
    opsets: {},
    inputs: [],
    outputs: [],
    operators: Object.create(null) as Record<string, number>,
    nodes: 0,
    tensorBytes: 0,
    unusual: [],
  };
  private attributes = 0;

  unusual(what: string): void {
    if (!this.model.unusual.includes(what) && this.model.unusual.length < 20) this.model.unusual.push(what);
  }

  opset(bytes: Uint8Array): void {
    let domain = '';
    let version = 0;
    for (const field of fields(bytes)) {
      if (field.number === 1) domain = text(field, limits.names);
      else if (field.number === 2) version = Number(integers(field)[0]);
    }
    this.model.opsets[domain === 'ai.onnx' ? '' : domain] = version;
  }

  /** ONNX Runtime takes session settings from the model's own metadata: a model must not set them. */
  metadata(bytes: Uint8Array): void {
    for (const field of fields(bytes)) {
      if (field.number === 1 && /^(session\.|ep\.|ort_config)/.test(text(field)))
        this.unusual('runtime settings');
    }
  }

  graph(bytes: Uint8Array, depth: number): void {
    if (depth > limits.depth) throw new ProtobufError('its graphs are nested too deeply');
    const initial = new Set<string>();
    const inputs: OnnxValue[] = [];
    for (const field of fields(bytes)) {
      if (field.number === 1) this.node(message(field), depth);
      else if (field.number === 5) initial.add(this.tensor(message(field)));
      else if (field.number === 15) this.sparseTensor(message(field));
      else if (field.number === 11 && depth === 0) inputs.push(value(message(field)));
      else if (field.number === 12 && depth === 0) this.model.outputs.push(value(message(field)));
      else if (field.number === 14) this.unusual('quantization annotations');
      if (inputs.length + this.model.outputs.length > limits.values)
        throw new ProtobufError('too many inputs');
    }
    // Old files list stored tensors among the inputs: nobody feeds those.
    if (depth === 0) this.model.inputs = inputs.filter((input) => !initial.has(input.name));
  }

  private node(bytes: Uint8Array, depth: number): void {
    this.model.nodes++;
    if (this.model.nodes > limits.nodes) throw new ProtobufError(`it has more than ${limits.nodes} nodes`);
    let operator = '';
    let domain = '';
    for (const field of fields(bytes)) {
      if (field.number === 4) operator = text(field, limits.names);
      else if (field.number === 7) domain = text(field, limits.names);
      else if (field.number === 5) this.attribute(message(field), depth);
    }
    const name = domain === '' || domain === 'ai.onnx' ? operator : `${domain}.${operator}`;
    this.model.operators[name] = (this.model.operators[name] ?? 0) + 1;
  }

  private attribute(bytes: Uint8Array, depth: number): void {
    this.attributes++;
    if (this.attributes > limits.attributes) throw new ProtobufError('it has too many attributes');
    for (const field of fields(bytes)) {
      if (field.number === 5 || field.number === 10) this.tensor(message(field));
      else if (field.number === 22 || field.number === 23) this.sparseTensor(message(field));
      else if (field.number === 6 || field.number === 11) {
        this.unusual('graphs within nodes');
        this.graph(message(field), depth + 1);
      }
    }
  }

  private sparseTensor(bytes: Uint8Array): void {
    for (const field of fields(bytes)) {
      if (field.number === 1 || field.number === 2) this.tensor(message(field));
    }
  }

  /** Counts a stored tensor and gives its name. */
  private tensor(bytes: Uint8Array): string {
    let name = '';
    let elements = 1;
    let type = 0;
    for (const field of fields(bytes)) {
      if (field.number === 1) for (const size of integers(field)) elements *= Number(BigInt.asIntN(64, size));
      else if (field.number === 2) type = Number(integers(field)[0]);
      else if (field.number === 8) name = text(field);
      else if (field.number === 13 || (field.number === 14 && integers(field)[0] !== 0n)) {
        this.unusual('data outside of the file');
      }
    }
    const size = elements * (elementBytes[type] ?? 8);
    if (!Number.isSafeInteger(size) || size < 0) throw new ProtobufError('a tensor has an impossible size');
    this.model.tensorBytes += size;
    return name;
  }
}

/** TensorProto.DataType → bytes an element. */
const elementBytes: Record<number, number> = {
  1: 4,
  2: 1,
  3: 1,
  4: 2,
  5: 2,
  6: 4,
  7: 8,
  8: 16,
  9: 1,
  10: 2,
  11: 8,
};
const tensorTypes: Record<number, TensorType> = {
  1: 'float32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  11: 'float64',
};

/** ValueInfoProto. */
function value(bytes: Uint8Array): OnnxValue {
  const found: OnnxValue = { name: '', type: null, shape: undefined };
  for (const field of fields(bytes)) {
    if (field.number === 1) found.name = text(field, limits.names);
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
