import { countFixed, countIntegers, fields, integers, message, ProtobufError, text } from './protobuf.ts';

/** What is known of one stored tensor (TensorProto) without loading it. */
export interface StoredTensor {
  name: string;
  /** Bytes that its shape and type say it holds; for strings, what they hold. */
  bytes: number;
  /** What only an unusual tensor has. */
  unusual: string[];
}

const longestName = 1_000;
/** Bytes of one string: of a category, a pattern, an attribute. */
export const longestText = 65_536;
/** Bytes of text that is for people alone. */
export const longestDescription = 1_000_000;

/** TensorProto.DataType → bits an element, and the field that holds the elements where `raw_data` does not. */
const elements: Record<number, { bits: number; field: number; parts?: number }> = {
  1: { bits: 32, field: 4 }, // float
  2: { bits: 8, field: 5 }, // uint8
  3: { bits: 8, field: 5 },
  4: { bits: 16, field: 5 },
  5: { bits: 16, field: 5 },
  6: { bits: 32, field: 5 }, // int32
  7: { bits: 64, field: 7 }, // int64
  9: { bits: 8, field: 5 }, // bool
  10: { bits: 16, field: 5 }, // float16
  11: { bits: 64, field: 10 }, // double
  12: { bits: 32, field: 11 }, // uint32
  13: { bits: 64, field: 11 }, // uint64
  14: { bits: 64, field: 4, parts: 2 }, // complex64
  15: { bits: 128, field: 10, parts: 2 }, // complex128
  16: { bits: 16, field: 5 }, // bfloat16
  17: { bits: 8, field: 5 }, // float8, four kinds
  18: { bits: 8, field: 5 },
  19: { bits: 8, field: 5 },
  20: { bits: 8, field: 5 },
  21: { bits: 4, field: 5 }, // uint4
  22: { bits: 4, field: 5 },
  23: { bits: 4, field: 5 }, // float4
  24: { bits: 8, field: 5 }, // float8e8m0
};
const stringType = 8;

/**
 * Reads a stored tensor: what it says of its size must be what it holds, so that nothing is allocated on a
 * stranger's word. Throws `ProtobufError`.
 */
export function readTensor(bytes: Uint8Array): StoredTensor {
  const found: StoredTensor = { name: '', bytes: 0, unusual: [] };
  const held = { raw: null as number | null, counts: new Map<number, number>(), strings: 0 };
  let size = 1;
  let axes = 0;
  let type: number | null = null;
  const count = (field: number, more: number) => held.counts.set(field, (held.counts.get(field) ?? 0) + more);
  for (const field of fields(bytes)) {
    const { number } = field;
    if (number === 1) {
      for (const axis of integers(field)) {
        size *= Number(BigInt.asIntN(64, axis));
        axes += 1;
        if (!Number.isSafeInteger(size) || size < 0)
          throw new ProtobufError('a tensor has an impossible size');
      }
      if (axes > 64) throw new ProtobufError('a tensor has too many axes');
    } else if (number === 2) {
      if (type !== null) throw new ProtobufError('a tensor has two types');
      type = Number(integers(field)[0]);
    } else if (number === 4) count(4, countFixed(field, 4));
    else if (number === 10) count(10, countFixed(field, 8));
    else if (number === 5 || number === 7 || number === 11) count(number, countIntegers(field));
    else if (number === 6) {
      held.strings += message(field, longestText).length;
      count(6, 1);
    } else if (number === 8) found.name = text(field, longestName);
    else if (number === 9) {
      if (held.raw !== null) throw new ProtobufError('a tensor has its data twice');
      held.raw = message(field).length;
    } else if (number === 13 || (number === 14 && integers(field)[0] !== 0n)) {
      found.unusual.push('data outside of the file');
    } else if (number === 12) message(field, longestDescription);
    else if (number === 16) message(field, longestDescription);
    else if (number !== 14) found.unusual.push(`an unknown part ${number} of a tensor`);
  }
  found.bytes = sizeOf(type, size, held, found.unusual);
  return found;
}

function sizeOf(
  type: number | null,
  size: number,
  held: { raw: number | null; counts: ReadonlyMap<number, number>; strings: number },
  unusual: string[],
): number {
  const lies = 'a tensor that does not hold what it says';
  // what lies elsewhere is refused for that
  const elsewhere = unusual.includes('data outside of the file');
  if (type === stringType) {
    if (!elsewhere && (held.raw !== null || held.counts.size > 1 || (held.counts.get(6) ?? 0) !== size)) {
      unusual.push(lies);
    }
    return held.strings + 16 * (held.counts.get(6) ?? 0);
  }
  const element = type === null ? undefined : elements[type];
  if (element === undefined) {
    unusual.push(`a tensor of the unknown type ${type ?? 'none'}`);
    return 0;
  }
  const { bits, field, parts = 1 } = element;
  const bytes = Math.ceil((size * bits) / 8);
  if (!Number.isSafeInteger(bytes)) throw new ProtobufError('a tensor has an impossible size');
  const stored = held.counts.get(field) ?? 0;
  // elements of 4 bits may be stored two a number
  const listed = bits === 4 ? [size, Math.ceil(size / 2)] : [size * parts];
  const sound =
    held.raw === null
      ? listed.includes(stored) && held.counts.size <= 1
      : held.raw === bytes && held.counts.size === 0;
  if (!sound && !elsewhere) unusual.push(lies);
  return bytes;
}
