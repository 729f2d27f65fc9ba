import { z } from 'zod';
import { CountsReader, CountsWriter } from '../data/packed-counts.ts';
import { Digest, digestOf, type Json } from '../json.ts';
import type { Store } from '../store/store.ts';

/** Bytes of kept blocks that are read. */
const limit = 64_000_000;
const Kept = z.object({ object: Digest });
/** Part of every key: a new number where what is kept under a key means something else. */
const generation = 2;

/** A value that follows from `key` alone, and how it is kept: as JSON, with its counts packed beside it. */
export interface Keepable<T> {
  key: Json;
  pack: (value: T, counts: CountsWriter) => unknown;
  /** Reads a stranger's JSON; null where it is none of `pack`. */
  read: (value: unknown, counts: CountsReader) => T | null;
}

/**
 * A value that follows from its key: made once, kept in the store as an object and found again by the key.
 * What cannot be read back is made anew. `registry gc` keeps it for its cache retention.
 */
export async function kept<T>(store: Store, wanted: Keepable<T> & { make: () => Promise<T> }): Promise<T> {
  const found = await readKept(store, wanted);
  if (found !== null) return found;
  const made = await wanted.make();
  await keep(store, wanted, made);
  return made;
}

/** Null where it was not kept, or cannot be read back. */
export async function readKept<T>(store: Store, wanted: Keepable<T>): Promise<T | null> {
  const found = Kept.safeParse(await store.readCache('monitor-blocks', digestOfKey(wanted)));
  if (!found.success) return null;
  const bytes = await store.readBytes(found.data.object, limit).catch(() => null);
  return bytes === null ? null : fromBytes(bytes, wanted);
}

export async function keep<T>(store: Store, wanted: Keepable<T>, value: T): Promise<void> {
  const object = await store.putBytes(toBytes(value, wanted));
  await store.writeCache('monitor-blocks', digestOfKey(wanted), { object });
}

function digestOfKey<T>({ key }: Keepable<T>): Digest {
  return digestOf({ key, generation });
}

const wordBytes = 4;

/**
 * A word with the length of the JSON text in words, the text with spaces behind it, and the words of the counts. Where
 * words have another order of bytes the length is too large, so that the value is made anew.
 */
function toBytes<T>(value: T, { pack }: Keepable<T>): Buffer {
  const counts = new CountsWriter();
  const text = Buffer.from(JSON.stringify(pack(value, counts)));
  const length = Math.ceil(text.length / wordBytes);
  const words = new Uint32Array(1 + length + counts.words.length);
  words[0] = length;
  words.set(counts.words, 1 + length);
  const bytes = Buffer.from(words.buffer);
  bytes.fill(' ', wordBytes, wordBytes * (1 + length));
  bytes.set(text, wordBytes);
  return bytes;
}

function fromBytes<T>(bytes: Buffer, { read }: Keepable<T>): T | null {
  if (bytes.length < wordBytes || bytes.length % wordBytes !== 0) return null;
  // words lie at multiples of their size
  const { buffer, byteOffset } = bytes.byteOffset % wordBytes === 0 ? bytes : new Uint8Array(bytes);
  const words = new Uint32Array(buffer, byteOffset, bytes.length / wordBytes);
  const from = 1 + (words[0] as number);
  if (from > words.length) return null;
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8', wordBytes, wordBytes * from));
    return read(json, new CountsReader(words.subarray(from)));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
