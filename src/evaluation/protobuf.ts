/** The four wire types that are in use, with what stands behind the field's number. */
export type Field =
  | { number: number; wire: 'varint'; value: bigint }
  | { number: number; wire: 'bytes'; value: Uint8Array }
  | { number: number; wire: 'fixed32' | 'fixed64'; value: Uint8Array };

/** The bytes are not a protobuf message. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/**
 * The fields of one protobuf message, in order; embedded messages stay bytes, nothing is copied.
 * Throws `ProtobufError` for anything that is not whole (https://protobuf.dev/programming-guides/encoding).
 */
export function* fields(bytes: Uint8Array): Generator<Field> {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number > 536_870_911) throw new ProtobufError('a field has no valid number');
    const wire = Number(tag & 7n);
    if (wire === 0) yield { number, wire: 'varint', value: reader.varint() };
    else if (wire === 1) yield { number, wire: 'fixed64', value: reader.take(8) };
    else if (wire === 2) yield { number, wire: 'bytes', value: reader.take(reader.length()) };
    else if (wire === 5) yield { number, wire: 'fixed32', value: reader.take(4) };
    else throw new ProtobufError(`wire type ${wire} is not in use`);
  }
}

/** The integers of a repeated field, packed or one by one; more than `limit` are refused, not gathered. */
export function integers(field: Field, limit = 64): bigint[] {
  if (field.wire === 'varint') return [field.value];
  if (field.wire !== 'bytes') throw new ProtobufError('expected integers');
  const reader = new Reader(field.value);
  const values: bigint[] = [];
  while (!reader.done) {
    if (values.length === limit)
      throw new ProtobufError(`more than ${limit} integers where few are expected`);
    values.push(reader.varint());
  }
  return values;
}

/** How many varints a repeated field holds, packed or alone. They are not read. */
export function countIntegers(field: Field): number {
  if (field.wire === 'varint') return 1;
  if (field.wire !== 'bytes') throw new ProtobufError('expected integers');
  let count = 0;
  for (const byte of field.value) if (byte < 128) count += 1;
  if ((field.value.at(-1) ?? 0) >= 128) throw new ProtobufError('it ends too early');
  return count;
}

/** How many numbers of a fixed width in bytes a repeated field holds, packed or alone. */
export function countFixed(field: Field, width: 4 | 8): number {
  if (field.wire === (width === 4 ? 'fixed32' : 'fixed64')) return 1;
  if (field.wire !== 'bytes' || field.value.length % width !== 0) {
    throw new ProtobufError(`expected numbers of ${width} bytes`);
  }
  return field.value.length / width;
}

// A byte order mark is a character like others here: the runtime that reads the name sees it too.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a field, at most `limit` bytes. */
export function text(field: Field, limit = 10_000): string {
  return decoder.decode(message(field, limit));
}

/** The bytes of an embedded message or text. */
export function message(field: Field, limit = Number.POSITIVE_INFINITY): Uint8Array {
  if (field.wire !== 'bytes') throw new ProtobufError('expected bytes');
  if (field.value.length > limit) throw new ProtobufError(`a text is longer than ${limit} bytes`);
  return field.value;
}

class Reader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 127) << shift;
      if (byte < 128) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError('a number is longer than ten bytes');
  }

  length(): number {
    const length = this.varint();
    if (length > BigInt(this.bytes.length - this.at)) throw new ProtobufError('it ends too early');
    return Number(length);
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new ProtobufError('it ends too early');
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new ProtobufError('it ends too early');
    return byte;
  }
}
