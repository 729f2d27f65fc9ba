import { z } from 'zod';
import { Digest, digestOf, type Json, parseJson } from '../json.ts';
import type { Store } from '../store/store.ts';

/** Bytes of kept blocks that are read. */
const limit = 64_000_000;
const Kept = z.object({ object: Digest });
/** Part of every key: a new number where what is kept under a key means something else. */
const generation = 1;

/**
 * A JSON value that follows from `key` alone: made once, kept in the store as an object and found again by the key.
 * What cannot be read back is made anew. `registry gc` keeps it for its cache retention.
 */
export async function keptJson<T>(
  store: Store,
  kept: {
    key: Json;
    schema: z.ZodType<T>;
    make: () => Promise<T>;
    /** What is written in its place; the schema reads it. */
    pack: (value: T) => unknown;
  },
): Promise<T> {
  const key = digestOf({ key: kept.key, generation });
  const found = Kept.safeParse(await store.readCache('monitor-blocks', key));
  if (found.success) {
    const bytes = await store.readBytes(found.data.object, limit).catch(() => null);
    const parsed = bytes === null ? null : kept.schema.safeParse(parseJson(bytes.toString('utf8'), limit));
    if (parsed?.success === true) return parsed.data;
  }
  const made = await kept.make();
  const object = await store.putBytes(Buffer.from(JSON.stringify(kept.pack(made))));
  await store.writeCache('monitor-blocks', key, { object });
  return made;
}
