import { longestDescription, longestText, readTensor } from './onnx-tensor.ts';
import { type OnnxValue, readValue } from './onnx-values.ts';
import { type Field, fields, integers, message, ProtobufError, text } from './protobuf.ts';

export type { OnnxValue } from './onnx-values.ts';

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
  /** Operators of nodes that hold graphs of their own. */
  graphsIn: string[];
  /** Nodes of all graphs and functions. */
  nodes: number;
  /** Bytes of all stored tensors. */
  tensorBytes: number;
  /** What only an unusual file has: external data, functions, training graphs, unknown parts. */
  unusual: string[];
}

/** Bounds against files made to exhaust the reader. */
const limits = {
  nodes: 200_000,
  attributes: 1_000_000,
  tensors: 500_000,
  depth: 8,
  values: 20_000,
  names: 1_000,
  operators: 1_000,
  opsets: 100,
};

/** Texts of a graph, a node and an attribute by field: the longest that each may be, in bytes. */
const graphTexts: Record<number, number> = { 2: longestText, 10: longestDescription, 16: longestDescription };
const nodeTexts: Record<number, number> = {
  1: limits.names,
  2: limits.names,
  3: limits.names,
  6: longestDescription,
  8: limits.names,
  9: longestDescription,
};
const attributeTexts: Record<number, number> = {
  1: limits.names,
  4: longestText,
  9: longestText,
  13: longestDescription,
};

/**
 * Reads an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) without loading its tensors; all
 * graphs and functions in it are walked. What the format does not know is told as unusual, so that nothing goes
 * unseen. Throws `ProtobufError` when it is not one.
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const reader = new ModelReader();
  let graph: Uint8Array | undefined;
  for (const field of fields(bytes)) {
    if (field.number === 1) reader.model.irVersion = Number(integers(field)[0]);
    else if (field.number === 2) reader.model.producer = text(field).slice(0, 100);
    else if (field.number === 6) message(field, longestDescription);
    else if (field.number === 7) {
      if (graph !== undefined) throw new ProtobufError('it has two graphs');
      graph = message(field);
    } else if (field.number === 8) reader.opset(message(field));
    else if (field.number === 20) reader.unusual('training information');
    else if (field.number === 25) reader.function(message(field));
    else if (field.number === 14) reader.metadata(message(field));
    else if (![3, 4, 5, 26].includes(field.number)) reader.unusual(`an unknown field ${field.number}`);
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
    opsets: Object.create(null) as Record<string, number>,
    inputs: [],
    outputs: [],
    operators: Object.create(null) as Record<string, number>,
    graphsIn: [],
    nodes: 0,
    tensorBytes: 0,
    unusual: [],
  };
  private readonly counts = { attributes: 0, tensors: 0, operators: 0, opsets: 0 };

  unusual(what: string): void {
    if (!this.model.unusual.includes(what) && this.model.unusual.length < 20) this.model.unusual.push(what);
  }

  opset(bytes: Uint8Array): void {
    this.count('opsets');
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
      if (field.number === 2) message(field, longestDescription);
      else if (field.number === 1 && /^(session\.|ep\.|ort_config)/.test(text(field)))
        this.unusual('runtime settings');
    }
  }

  /** A function could give a standard operator's name another meaning; it is refused, and walked to say why. */
  function(bytes: Uint8Array): void {
    this.unusual('functions of its own');
    for (const field of fields(bytes)) {
      if (field.number === 7) this.node(message(field), 1);
      else if (field.number === 11) this.attribute(message(field), { depth: 1, operator: 'a function' });
      else if (field.number === 9) this.opset(message(field));
    }
  }

  graph(bytes: Uint8Array, depth: number): void {
    if (depth > limits.depth) throw new ProtobufError('its graphs are nested too deeply');
    const initial = new Set<string>();
    const inputs: OnnxValue[] = [];
    for (const field of fields(bytes)) {
      const { number } = field;
      if (number === 1) this.node(message(field), depth);
      else if (number === 5) initial.add(this.tensor(message(field)));
      else if (number === 15) this.sparseTensor(message(field));
      else if (number === 11 && depth === 0) inputs.push(readValue(message(field)));
      else if (number === 12 && depth === 0) this.model.outputs.push(readValue(message(field)));
      else if (number === 14) this.unusual('quantization annotations');
      else if (number in graphTexts) message(field, graphTexts[number]);
      else if (![11, 12, 13].includes(number)) this.unusual(`an unknown part ${number} of a graph`);
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
    const attributes: Field[] = [];
    for (const field of fields(bytes)) {
      const { number } = field;
      if (number === 4) {
        if (operator !== '') throw new ProtobufError('a node has two operators');
        operator = text(field, limits.names);
      } else if (number === 7) {
        if (domain !== '') throw new ProtobufError('a node has two domains');
        domain = text(field, limits.names);
      } else if (number === 5) {
        this.count('attributes');
        attributes.push(field);
      } else if (number in nodeTexts) message(field, nodeTexts[number]);
      else this.unusual(`an unknown part ${number} of a node`);
    }
    // a name with a dot would read like an operator of another domain
    if (!/^\w+$/.test(operator)) this.unusual('an operator without a plain name');
    const name = domain === '' || domain === 'ai.onnx' ? operator : `${domain}.${operator}`;
    if (!(name in this.model.operators)) this.count('operators');
    this.model.operators[name] = (this.model.operators[name] ?? 0) + 1;
    for (const field of attributes) this.attribute(message(field), { depth, operator: name });
  }

  private attribute(bytes: Uint8Array, at: { depth: number; operator: string }): void {
    for (const field of fields(bytes)) {
      const { number } = field;
      if (number === 5 || number === 10) this.tensor(message(field));
      else if (number === 22 || number === 23) this.sparseTensor(message(field));
      else if (number === 6 || number === 11) {
        if (!this.model.graphsIn.includes(at.operator)) this.model.graphsIn.push(at.operator);
        this.graph(message(field), at.depth + 1);
      } else if (number in attributeTexts) message(field, attributeTexts[number]);
      else if (number === 21) this.unusual('attributes that refer to a function');
      else if (![2, 3, 7, 8, 14, 15, 20].includes(number)) {
        this.unusual(`an unknown part ${number} of an attribute`);
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
    this.count('tensors');
    const found = readTensor(bytes);
    for (const what of found.unusual) this.unusual(what);
    this.model.tensorBytes += found.bytes;
    if (!Number.isSafeInteger(this.model.tensorBytes)) {
      throw new ProtobufError('its tensors have an impossible size');
    }
    return found.name;
  }

  private count(what: 'attributes' | 'tensors' | 'operators' | 'opsets'): void {
    this.counts[what] += 1;
    if (this.counts[what] > limits[what]) throw new ProtobufError(`it has more than ${limits[what]} ${what}`);
  }
}
