import {
  bytes,
  endlessModel,
  graph,
  graphAttribute,
  integer,
  join,
  model,
  type Node,
  node,
  tensor,
  types,
  unaryModel,
  value,
} from './onnx-writer.ts';

/** Files that must not be admitted, by what they are. */
export interface HostileFile {
  name: string;
  file: Buffer;
  /** Part of the refusal. */
  says: string;
}

const hex = (text: string) => Buffer.from(text, 'hex');
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** `os.system('true')` when it is loaded: Python's own pickles, by protocol. */
const pickledCalls = [
  '63706f7369780a73797374656d0a70300a2856747275650a70310a7470320a5270330a2e',
  '63706f7369780a73797374656d0a71002858040000007472756571017471025271032e',
  '800263706f7369780a73797374656d0a710058040000007472756571018571025271032e',
  '800363706f7369780a73797374656d0a710058040000007472756571018571025271032e',
  '8004951f000000000000008c05706f736978948c0673797374656d9493948c047472756594859452942e',
  '8005951f000000000000008c05706f736978948c0673797374656d9493948c047472756594859452942e',
].map(hex);
/** A mapping with a list of numbers. */
const pickledValues = [
  '286470300a56776569676874730a70310a286c70320a49310a6149320a6149330a61732e',
  '7d710058070000007765696768747371015d7102284b014b024b0365732e',
  '80027d710058070000007765696768747371015d7102284b014b024b0365732e',
  '80037d710058070000007765696768747371015d7102284b014b024b0365732e',
  '80049518000000000000007d948c0777656967687473945d94284b014b024b0365732e',
  '80059518000000000000007d948c0777656967687473945d94284b014b024b0365732e',
].map(hex);
const zip = hex(
  '504b0304140000000000607b755ddfad94f0030000000300000010000000617263686976652f646174612e706b6c80022e504b01021403140000000000607b755ddfad94f00300000003000000100000000000000000000000800100000000617263686976652f646174612e706b6c504b050600000000010001003e000000310000000000',
);
const emptyZip = hex('504b0506000000000000000000000000000000000000');
const hdf5 = Buffer.concat([latin1('\x89HDF\r\n\x1a\n'), Buffer.alloc(504)]);
const safetensors = () => {
  const header = Buffer.from('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4)]);
};

const io = { inputs: [value('x', types.float)], outputs: [value('y', types.float)] };
const identity = node({ operator: 'Identity', inputs: ['x'], outputs: ['y'] });
const body = graph({ nodes: [identity], ...io });
const oneNode = (more: Partial<Node>) =>
  model(graph({ nodes: [node({ operator: 'Identity', inputs: ['x'], outputs: ['y'], ...more })], ...io }));
const stored = (...initializers: Buffer[]) => model(graph({ nodes: [identity], ...io, initializers }));
const floats = (more: object) => tensor({ name: 'w', type: types.float, dims: [2], ...more });
const sound = unaryModel('Abs');
/** A sound model that holds other bytes in a place where nobody looks. */
const hiding = (other: Buffer) => join(sound, bytes(6, other));
const random = Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7919 + 104_729) % 251));

const formats: [string, Buffer, string][] = [
  ...pickledCalls.map((file, i): [string, Buffer, string] => [
    `a call, pickle protocol ${i}`,
    file,
    'Python pickle',
  ]),
  ...pickledValues.map((file, i): [string, Buffer, string] => [
    `values, pickle protocol ${i}`,
    file,
    'Python pickle',
  ]),
  ['a zip archive (torch.save)', zip, 'zip archive'],
  ['an empty zip archive', emptyZip, 'zip archive'],
  ['joblib, zlib', hex('789c6b608a2d64f0664cd403000be9022c'), 'zlib'],
  ['joblib, gzip', hex('1f8b08000000000002036b608a2d64f0664cd40300ada7e2ad09000000'), 'gzip'],
  ['joblib, bzip2', latin1('BZh91AY&SY'), 'bzip2'],
  ['joblib, xz', hex('fd377a585a000004e6d6b446'), 'xz'],
  ['joblib, lzma', hex('5d00008000ffffffffffffffff0040008749d7812e7e0d816881927fffd9ec0000'), 'LZMA'],
  ['joblib, lz4', hex('04224d186470b9'), 'LZ4'],
  ['HDF5 (Keras)', hdf5, 'HDF5'],
  ['NumPy', latin1('\x93NUMPY\x01\x00'), 'NumPy'],
  ['safetensors', safetensors(), 'safetensors'],
  ['safetensors with data behind its end', Buffer.concat([safetensors(), pickledCalls[2]!]), 'safetensors'],
  ['GGUF', latin1('GGUF\x03\x00\x00\x00'), 'GGUF'],
  ['TensorFlow Lite', latin1('\x1c\x00\x00\x00TFL3'), 'TensorFlow Lite'],
  ['ORT format', latin1('\x1c\x00\x00\x00ORTM'), 'ORT format'],
  ['a tar archive', Buffer.concat([Buffer.alloc(257), latin1('ustar\x0000')]), 'tar archive'],
  ['an ELF program', latin1('\x7fELF\x02\x01\x01'), 'a program'],
  ['a Windows program', latin1('MZ\x90\x00\x03'), 'not a whole ONNX file'],
  ['a shell script', Buffer.from('#!/bin/sh\nrm -rf /\n'), 'not a whole ONNX file'],
  ['JSON', Buffer.from('{"model": 1}'), 'JSON'],
  ['HTML', Buffer.from('<html><script>'), 'not a whole ONNX file'],
];

const polyglots: [string, Buffer, string][] = [
  ['a sound model with a zip archive behind it', hiding(zip), 'zip archive behind'],
  [
    'a sound model with HDF5 at its user block',
    hiding(join(Buffer.alloc(512 - sound.length - 3), hdf5)),
    'HDF5 file behind',
  ],
  ['a pickle with a model behind it', join(pickledCalls[4]!, sound), 'Python pickle'],
  [
    'a sound model in a field that ONNX does not know',
    join(sound, bytes(99, pickledCalls[4]!)),
    'unknown field 99',
  ],
  ['a model whose first field makes it a pickle', join(hex('80048101'), sound), 'Python pickle'],
  ['a sound model with bytes behind it', join(sound, Buffer.from([0])), 'not a whole ONNX file'],
];

const broken: [string, Buffer, string][] = [
  ['an empty file', Buffer.alloc(0), 'no graph'],
  ['zeros', Buffer.alloc(100), 'not a whole ONNX file'],
  ['random bytes', random, 'not a whole ONNX file'],
  ['a model cut in its graph', sound.subarray(0, 20), 'not a whole ONNX file'],
  ['a model cut before its last byte', sound.subarray(0, -1), 'not a whole ONNX file'],
  ['a graph without nodes', model(graph({ nodes: [], ...io })), 'no nodes'],
  ['two graphs', join(sound, sound), 'two graphs'],
  ['a length beyond the file', hex('3affffffff0f'), 'ends too early'],
  ['a number without end', hex('08ffffffffffffffffffffff01'), 'longer than ten bytes'],
  [
    'a name that is not text',
    oneNode({ outputs: [] as string[], attributes: [bytes(1, hex('ff'))], operator: '\ud800' }),
    'uses',
  ],
];

const structure: [string, Buffer, string][] = [
  ['an endless loop', endlessModel(), 'Loop'],
  ['a branch', oneNode({ operator: 'If', attributes: [graphAttribute('then_branch', body)] }), 'If'],
  [
    'a graph in a node that takes none',
    oneNode({ attributes: [graphAttribute('body', body)] }),
    'graphs within Identity',
  ],
  [
    'an unknown operator in a subgraph',
    oneNode({
      operator: 'Loop',
      attributes: [
        graphAttribute(
          'body',
          graph({ nodes: [node({ operator: 'Evil', inputs: [], outputs: [] })], ...io }),
        ),
      ],
    }),
    'Evil',
  ],
  ['a domain of its own', oneNode({ domain: 'com.microsoft' }), 'com.microsoft'],
  ['a domain that is only imported', model(body, { domains: ['org.evil'] }), 'org.evil'],
  ['a domain with a byte order mark', model(body, { domains: ['\ufeff'] }), 'needs operators'],
  ['a domain that is a prototype', model(body, { domains: ['__proto__'] }), '__proto__'],
  ['an operator with a dot', oneNode({ operator: 'ai.onnx.ml.Scaler' }), 'without a plain name'],
  ['an operator without a name', oneNode({ operator: '' }), 'without a plain name'],
  [
    'a node with two operators',
    model(graph({ nodes: [join(identity, bytes(4, 'Abs'))], ...io })),
    'two operators',
  ],
  ['a function', model(body, { more: [bytes(25, bytes(1, 'Relu'))] }), 'functions'],
  ['an operator within a function', model(body, { more: [bytes(25, bytes(7, bytes(4, 'Evil')))] }), 'Evil'],
  ['training', model(body, { more: [bytes(20, '')] }), 'training'],
  [
    'runtime settings',
    model(body, { more: [bytes(14, join(bytes(1, 'session.use_env'), bytes(2, '1')))] }),
    'runtime settings',
  ],
  ['random numbers', unaryModel('RandomUniformLike'), 'RandomUniformLike'],
  ['a name of 2,000 bytes', oneNode({ outputs: ['y'.repeat(2_000)] }), 'a text is longer'],
  [
    'an attribute with a text of 100,000 bytes',
    oneNode({ attributes: [join(bytes(1, 'a'), bytes(4, 'a'.repeat(100_000)))] }),
    'a text is longer',
  ],
  [
    'a part of a node that ONNX does not know',
    model(graph({ nodes: [join(identity, bytes(77, 'x'))], ...io })),
    'unknown part 77 of a node',
  ],
];

const external = { external: '../../etc/passwd' };
const tensors: [string, Buffer, string][] = [
  ['data outside of the file', stored(floats(external)), 'outside of the file'],
  ['data outside by an absolute path', stored(floats({ external: '/dev/zero' })), 'outside of the file'],
  ['data outside, without saying where', stored(join(integer(2, 1), integer(14, 1))), 'outside of the file'],
  [
    'data outside in a constant',
    oneNode({ operator: 'Constant', inputs: [], attributes: [bytes(5, floats(external))] }),
    'outside of the file',
  ],
  [
    'data outside in a subgraph',
    oneNode({
      operator: 'If',
      attributes: [
        graphAttribute('b', graph({ nodes: [identity], ...io, initializers: [floats(external)] })),
      ],
    }),
    'outside of the file',
  ],
  [
    'data outside in a sparse tensor',
    model(join(body, bytes(15, bytes(1, floats(external))))),
    'outside of the file',
  ],
  ['less data than it says', stored(floats({ raw: Buffer.alloc(4) })), 'does not hold what it says'],
  ['more data than it says', stored(floats({ raw: Buffer.alloc(12) })), 'does not hold what it says'],
  ['no data at all', stored(tensor({ name: 'w', type: 1, dims: [1_000_000] })), 'does not hold what it says'],
  [
    'data in two places',
    stored(join(floats({ raw: Buffer.alloc(8) }), bytes(4, Buffer.alloc(8)))),
    'does not hold what it says',
  ],
  ['an impossible size', stored(tensor({ name: 'w', type: 1, dims: [-1] })), 'impossible size'],
  [
    'a size beyond all numbers',
    stored(tensor({ name: 'w', type: 1, dims: [2 ** 40, 2 ** 40] })),
    'impossible size',
  ],
  ['a type that is not known', stored(tensor({ name: 'w', type: 99, dims: [] })), 'unknown type'],
  ['a million axes', stored(bytes(1, Buffer.alloc(1_000_000, 1))), 'more than 64 integers'],
];

export const hostileFiles: HostileFile[] = [
  ...formats,
  ...polyglots,
  ...broken,
  ...structure,
  ...tensors,
].map(([name, file, says]) => ({ name, file, says }));
