/** Writes small ONNX files, sound and hostile ones, without any library (the field numbers are onnx.proto's). */

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
};

export const integer = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field * 8), ...varint(value)]);
export const bytes = (field: number, value: Uint8Array | string): Buffer => {
  const content = Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
};
export const join = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);

export const types = { float: 1, int64: 7, string: 8, bool: 9, double: 11 };

/** ValueInfoProto of a tensor; an axis is a size or a name. */
export function value(name: string, type: number, axes: (number | string)[] = ['N', 1]): Buffer {
  const shape = axes.map((axis) => bytes(1, typeof axis === 'number' ? integer(1, axis) : bytes(2, axis)));
  return join(bytes(1, name), bytes(2, bytes(1, join(integer(1, type), bytes(2, join(...shape))))));
}

export interface Node {
  operator: string;
  inputs: string[];
  outputs: string[];
  domain?: string;
  attributes?: Buffer[];
}

export function node({ operator, inputs, outputs, domain, attributes = [] }: Node): Buffer {
  return join(
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, operator),
    ...attributes.map((attribute) => bytes(5, attribute)),
    ...(domain === undefined ? [] : [bytes(7, domain)]),
  );
}

/** AttributeProto with a graph. */
export const graphAttribute = (name: string, graph: Buffer): Buffer =>
  join(bytes(1, name), bytes(6, graph), integer(20, 5));
/** AttributeProto with an integer. */
export const integerAttribute = (name: string, number: number): Buffer =>
  join(bytes(1, name), integer(3, number), integer(20, 2));

export interface Tensor {
  name: string;
  type: number;
  dims: number[];
  raw?: Buffer;
  /** Location of external data. */
  external?: string;
}

export function tensor({ name, type, dims, raw, external }: Tensor): Buffer {
  return join(
    ...dims.map((size) => integer(1, size)),
    integer(2, type),
    bytes(8, name),
    ...(raw === undefined ? [] : [bytes(9, raw)]),
    ...(external === undefined
      ? []
      : [bytes(13, join(bytes(1, 'location'), bytes(2, external))), integer(14, 1)]),
  );
}

export interface Graph {
  nodes: Buffer[];
  inputs: Buffer[];
  outputs: Buffer[];
  initializers?: Buffer[];
}

export function graph({ nodes, inputs, outputs, initializers = [] }: Graph): Buffer {
  return join(
    ...nodes.map((one) => bytes(1, one)),
    bytes(2, 'graph'),
    ...initializers.map((one) => bytes(5, one)),
    ...inputs.map((one) => bytes(11, one)),
    ...outputs.map((one) => bytes(12, one)),
  );
}

export function model(
  content: Buffer,
  options: { domains?: string[]; more?: Buffer[]; version?: number } = {},
): Buffer {
  const opset = (domain: string, version: number) => bytes(8, join(bytes(1, domain), integer(2, version)));
  return join(
    integer(1, 8),
    bytes(2, 'test'),
    bytes(7, content),
    opset('', options.version ?? 17),
    ...(options.domains ?? []).map((domain) => opset(domain, 1)),
    ...(options.more ?? []),
  );
}

/** One operator over the column `x`. */
export function unaryModel(operator: string, version = 17): Buffer {
  return model(
    graph({
      nodes: [node({ operator, inputs: ['x'], outputs: ['y'] })],
      inputs: [value('x', types.float)],
      outputs: [value('y', types.float)],
    }),
    { version },
  );
}

/** A sound model that differs from others in its description alone. */
export const describedModel = (description: string): Buffer => join(unaryModel('Abs'), bytes(6, description));

const scalar = (name: string, type: number, raw: Buffer) => tensor({ name, type, dims: [], raw });
const int64 = (number: bigint) => {
  const raw = Buffer.alloc(8);
  raw.writeBigInt64LE(number);
  return raw;
};

/** A loop of 2^62 rounds: valid, loads at once, never ends. */
export function endlessModel(): Buffer {
  const body = graph({
    nodes: [
      node({ operator: 'Identity', inputs: ['going'], outputs: ['goes_on'] }),
      node({ operator: 'Identity', inputs: ['before'], outputs: ['after'] }),
    ],
    inputs: [value('round', types.int64, []), value('going', types.bool, []), value('before', types.float)],
    outputs: [value('goes_on', types.bool, []), value('after', types.float)],
  });
  const loop = node({
    operator: 'Loop',
    inputs: ['rounds', 'start', 'x'],
    outputs: ['y'],
    attributes: [graphAttribute('body', body)],
  });
  return model(
    graph({
      nodes: [loop],
      inputs: [value('x', types.float)],
      outputs: [value('y', types.float)],
      initializers: [
        scalar('rounds', types.int64, int64(2n ** 62n)),
        scalar('start', types.bool, Buffer.from([1])),
      ],
    }),
  );
}
