import type { Storage, StoredEntry } from '../store/storage.ts';
import { type Findings, isUnavailable } from './findings.ts';

/** Reads under way at once: a store far away answers in tens of milliseconds. */
const width = 16;

/**
 * The contents of keys, in their order, read ahead; null for what could not be read, which `findings` then tells.
 * Holds at most 16 contents of `limit` bytes.
 */
export async function* readAhead(
  storage: Storage,
  keys: Iterable<string>,
  limit: number,
  findings: Findings,
): AsyncGenerator<Buffer | null> {
  const read = async (key: string) => {
    try {
      const bytes = await storage.read(key, limit);
      if (bytes === null) findings.missing(key);
      return bytes;
    } catch (error) {
      findings.failed(key, error);
      return null;
    }
  };
  const pending: Promise<Buffer | null>[] = [];
  try {
    for (const key of keys) {
      const content = read(key);
      content.catch(() => undefined); // it may fail before its turn comes
      pending.push(content);
      if (pending.length >= width) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** Does `work` for each item, some at once; ends with the first error. */
export async function forEachAtOnce<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const runner = async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width / 2 }, runner));
}

/**
 * All plain files under a prefix. What is none goes to `findings`, and so does a folder that cannot be listed: a
 * store that cannot be reached at all throws.
 */
export async function* listPlain(
  storage: Storage,
  prefix: string,
  findings: Findings,
): AsyncGenerator<StoredEntry> {
  const listing = storage.list(prefix, { irregular: true })[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<StoredEntry>;
    try {
      next = await listing.next();
    } catch (error) {
      if (isUnavailable(error)) throw error;
      findings.failed(prefix, error);
      return;
    }
    if (next.done === true) return;
    if (next.value.irregular === true) findings.bad(next.value.key, 'not a plain file');
    else yield next.value;
  }
}
