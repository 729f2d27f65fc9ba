import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { admissionPolicy, defaultAdmission } from '../../src/evaluation/admission-policy.ts';
import { admitOnnx, checkSignature } from '../../src/evaluation/onnx-admission.ts';
import type { Signature } from '../../src/evaluation/predictor.ts';
import { hostileFiles } from './hostile-files.ts';
import {
  bytes,
  endlessModel,
  graph,
  graphAttribute,
  integer,
  join,
  model,
  node,
  tensor,
  types,
  unaryModel,
  value,
} from './onnx-writer.ts';

const refusal = (file: Uint8Array, policy = defaultAdmission): UserError => {
  try {
    admitOnnx(file, policy);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was admitted');
};

const io = { inputs: [value('x', types.float)], outputs: [value('y', types.float)] };
const identity = node({ operator: 'Identity', inputs: ['x'], outputs: ['y'] });

describe('admission of ONNX files', () => {
  it('reads what a plain file is made of', () => {
    const found = admitOnnx(unaryModel('Sigmoid'));
    expect(found).toMatchObject({
      irVersion: 8,
      opsets: { '': 17 },
      inputs: [{ name: 'x', type: 'float32', shape: [null, 1] }],
      outputs: [{ name: 'y', type: 'float32' }],
      operators: { Sigmoid: 1 },
      nodes: 1,
    });
  });

  it('does not take stored tensors for inputs', () => {
    const weights = tensor({ name: 'w', type: types.float, dims: [2], raw: Buffer.alloc(8) });
    const content = graph({
      nodes: [identity],
      inputs: [...io.inputs, value('w', types.float, [2])],
      outputs: io.outputs,
      initializers: [weights],
    });
    const found = admitOnnx(model(content));
    expect(found.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(found.tensorBytes).toBe(8);
  });

  it.each([
    ['pickle, protocol 4', Buffer.from('\x80\x04\x95\x05\x00', 'latin1'), 'Python pickle'],
    ['pickle, protocol 0', Buffer.from("cposix\nsystem\n(S'id'\ntR."), 'Python pickle'],
    ['zip', Buffer.from('PK\x03\x04rest'), 'zip archive'],
    ['HDF5', Buffer.from('\x89HDF\r\n\x1a\nrest', 'latin1'), 'HDF5'],
    ['NumPy', Buffer.from('\x93NUMPY\x01', 'latin1'), 'NumPy'],
    ['gzip', Buffer.from([0x1f, 0x8b, 8]), 'gzip'],
    ['empty', Buffer.alloc(0), 'no graph'],
    ['text', Buffer.from('hello, I am a model'), 'not a whole ONNX file'],
  ])('refuses a %s by its content', (_name, file, says) => {
    const error = refusal(file);
    expect(error.code).toBe('model_refused');
    expect(error.message).toContain(says);
  });

  it.each([
    ['an endless loop', endlessModel(), 'Loop'],
    [
      'another domain',
      model(
        graph({ nodes: [node({ operator: 'Evil', inputs: [], outputs: ['y'], domain: 'org.evil' })], ...io }),
        {
          domains: ['org.evil'],
        },
      ),
      'org.evil.Evil',
    ],
    [
      'external data',
      model(
        graph({
          nodes: [identity],
          ...io,
          initializers: [tensor({ name: 'w', type: 1, dims: [4], external: '../../etc/passwd' })],
        }),
      ),
      'outside of the file',
    ],
    [
      'external data in a constant',
      model(
        graph({
          nodes: [
            node({
              operator: 'Constant',
              inputs: [],
              outputs: ['y'],
              attributes: [
                join(bytes(1, 'value'), bytes(5, tensor({ name: 'w', type: 1, dims: [1], external: 'w' }))),
              ],
            }),
          ],
          ...io,
        }),
      ),
      'outside of the file',
    ],
    [
      'a tensor whose data only say that they lie elsewhere',
      model(graph({ nodes: [identity], ...io, initializers: [join(integer(2, 1), integer(14, 1))] })),
      'outside of the file',
    ],
    [
      'a tensor that only names another file',
      model(graph({ nodes: [identity], ...io, initializers: [join(integer(2, 1), bytes(13, ''))] })),
      'outside of the file',
    ],
    ['random numbers', unaryModel('RandomNormalLike'), 'RandomNormalLike'],
    [
      'functions',
      model(graph({ nodes: [identity], ...io }), { more: [bytes(25, bytes(1, 'f'))] }),
      'functions',
    ],
    ['training', model(graph({ nodes: [identity], ...io }), { more: [bytes(20, '')] }), 'training'],
    ['two graphs', join(unaryModel('Abs'), unaryModel('Abs')), 'two graphs'],
    [
      'a tensor of impossible size',
      model(graph({ nodes: [identity], ...io, initializers: [tensor({ name: 'w', type: 1, dims: [-1] })] })),
      'impossible size',
    ],
    [
      'tensors beyond the limit',
      model(
        graph({ nodes: [identity], ...io, initializers: [tensor({ name: 'w', type: 1, dims: [2 ** 40] })] }),
      ),
      'its tensors hold',
    ],
  ])('refuses a file with %s', (_name, file, says) => {
    const error = refusal(file);
    expect(error.code).toBe('model_refused');
    expect(error.message).toContain(says);
  });

  it('refuses what is beyond its caps', () => {
    const two = model(graph({ nodes: [identity, identity], ...io }));
    expect(refusal(two, { ...defaultAdmission, maximumNodes: 1 }).message).toContain('2 nodes');
    expect(refusal(two, { ...defaultAdmission, maximumBytes: 10 }).message).toContain('larger');
  });

  it.each(hostileFiles)('[GOV-3] refuses $name', ({ file, says }) => {
    const error = refusal(file);
    expect(error).toMatchObject({ code: 'model_refused', fix: expect.stringContaining('ONNX') });
    expect(error.message).toContain(says);
  });

  it('takes an operator with graphs of its own only where it is allowed by name, and walks the graphs', () => {
    const allowed = admissionPolicy({ allow: ['If'] });
    const branch = (operator: string) =>
      node({
        operator: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: [
          graphAttribute(
            'then_branch',
            graph({ nodes: [node({ operator, inputs: [], outputs: ['y'] })], ...io }),
          ),
        ],
      });
    const file = (operator: string) => model(graph({ nodes: [branch(operator)], ...io }));
    expect(refusal(file('Abs')).fix).toContain('train.admission.allow');
    expect(admitOnnx(file('Abs'), allowed)).toMatchObject({ nodes: 2, graphsIn: ['If'] });
    expect(refusal(file('Evil'), allowed).message).toContain('Evil');
    expect(refusal(endlessModel(), allowed).message).toContain('Loop');
    expect(admitOnnx(endlessModel(), admissionPolicy({ allow: ['Loop'] })).nodes).toBe(3);
  });

  it('takes tensors in each way that they are stored', () => {
    const packed = (field: number, content: Uint8Array) => bytes(field, content);
    const tensors = [
      tensor({ name: 'a', type: types.float, dims: [2], raw: Buffer.alloc(8) }),
      join(integer(1, 2), integer(2, types.float), packed(4, Buffer.alloc(8))),
      join(integer(1, 3), integer(2, types.int64), packed(7, Buffer.from([1, 0x80, 1, 2]))),
      join(integer(1, 2), integer(2, types.int64), integer(7, 5), integer(7, -1)),
      join(integer(1, 2), integer(2, types.string), bytes(6, 'one'), bytes(6, '')),
      join(integer(1, 1), integer(2, types.double), packed(10, Buffer.alloc(8))),
      join(integer(1, 3), integer(2, types.bool), packed(5, Buffer.from([1, 0, 1]))),
      tensor({ name: 'four bits', type: 22, dims: [3], raw: Buffer.alloc(2) }),
      tensor({ name: 'nothing', type: types.float, dims: [0] }),
    ];
    const found = admitOnnx(model(graph({ nodes: [identity], ...io, initializers: tensors })));
    expect(found.tensorBytes).toBe(8 + 8 + 24 + 16 + (3 + 32) + 8 + 3 + 2);
  });

  it('ends in an answer or a refusal for any change of a model, soon and in little memory', () => {
    const models = [
      unaryModel('Sigmoid'),
      endlessModel(),
      ...hostileFiles.map(({ file }) => file).filter((file) => file.length > 0 && file.length < 2_000),
    ];
    const change = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'insert', 'repeat', 'length'),
      noise: fc.uint8Array({ minLength: 1, maxLength: 12 }),
    });
    const before = process.memoryUsage().arrayBuffers;
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        (file, changes) => {
          const changed = changes.reduce(mutate, file);
          try {
            admitOnnx(changed, admissionPolicy({ allow: ['Loop', 'If'] }));
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        },
      ),
      { seed: 1, numRuns: 5_000 },
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  });

  it('ends soon with graphs nested without end', () => {
    let nested = graph({ nodes: [identity], ...io });
    for (let depth = 0; depth < 200; depth++) {
      const attribute = join(bytes(1, 'body'), bytes(6, nested), integer(20, 5));
      nested = graph({
        nodes: [node({ operator: 'If', inputs: ['x'], outputs: ['y'], attributes: [attribute] })],
        ...io,
      });
    }
    expect(refusal(model(nested)).message).toContain('nested too deeply');
  });
});

function mutate(file: Buffer, { at, kind, noise }: { at: number; kind: string; noise: Uint8Array }): Buffer {
  const place = file.length === 0 ? 0 : at % file.length;
  const [head, tail] = [file.subarray(0, place), file.subarray(place)];
  if (kind === 'cut') return Buffer.from(head);
  if (kind === 'insert') return join(head, noise, tail);
  if (kind === 'repeat') return join(head, tail, file.subarray(place, place + 40), tail);
  const changed = Buffer.from(file);
  for (let i = 0; i < noise.length && place + i < changed.length; i++) {
    changed[place + i] = kind === 'length' ? 0xff : changed[place + i]! ^ noise[i]!;
  }
  return changed;
}

describe('signature', () => {
  const signature: Signature = { inputs: [{ name: 'x', type: 'float32' }], task: 'regression', output: 'y' };
  const features = [{ name: 'x', type: 'number' as const }];
  const complaint = (change: {
    signature?: Partial<Signature>;
    features?: typeof features;
    file?: Buffer;
  }) => {
    try {
      checkSignature(
        admitOnnx(change.file ?? unaryModel('Abs')),
        { ...signature, ...change.signature },
        change.features ?? features,
      );
    } catch (error) {
      if (error instanceof UserError && error.code === 'model_signature') return error.message;
      throw error;
    }
    return null;
  };

  it('accepts what fits, and features that the model does not use', () => {
    expect(complaint({})).toBeNull();
    expect(complaint({ features: [...features, { name: 'more', type: 'number' }] })).toBeNull();
  });

  it('names an input that the features do not have', () => {
    expect(complaint({ features: [{ name: 'z', type: 'number' }] })).toContain('the model wants "x"');
  });

  it('refuses another type, another output and an input that is not there', () => {
    expect(complaint({ signature: { inputs: [{ name: 'x', type: 'int64' }] } })).toContain('does not state');
    expect(complaint({ signature: { output: 'label' } })).toContain('no output "label"');
    expect(
      complaint({ signature: { inputs: [...signature.inputs, { name: 'q', type: 'string' }] } }),
    ).toContain('no input "q"');
  });

  it('refuses an input that is not one column and an output that is no number', () => {
    const wide = (outputs: Buffer[]) =>
      model(graph({ nodes: [identity], inputs: [value('x', types.float, ['N', 8])], outputs }));
    expect(complaint({ file: wide(io.outputs) })).toContain('not one column');
    expect(complaint({ file: wide([value('y', types.int64)]) })).toContain('not a tensor of floats');
  });
});
