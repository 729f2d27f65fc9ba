import type { UserError } from '../errors.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { decodeEntry, entryLimit, logDamaged, type Placed } from './chain.ts';

/** How many entries are asked for at once: a store far away answers in tens of milliseconds. */
const batch = 16;

/** One entry, or null when there is none. Its place in the chain is the caller's to check. */
export async function readEntry(storage: Storage, model: string, seq: number): Promise<Placed | null> {
  const key = keys.log(model, seq);
  const bytes = await storage.read(key, entryLimit);
  return bytes === null ? null : decodeEntry(bytes, `${storage.url}/${key}`);
}

/** An entry that is known to exist. Throws `log_damaged` when it is missing. */
export async function requireEntry(storage: Storage, model: string, seq: number): Promise<Placed> {
  const placed = await readEntry(storage, model, seq);
  if (placed === null) throw missing(storage, model, seq);
  return placed;
}

/** Entries `first` to `last`, both inclusive, in order. Throws `log_damaged` when one is missing. */
export async function readEntries(
  storage: Storage,
  model: string,
  first: number,
  last: number,
): Promise<Placed[]> {
  const entries: Placed[] = [];
  for (let start = first; start <= last; start += batch) {
    const length = Math.min(batch, last - start + 1);
    const read = await Promise.all(
      Array.from({ length }, (_, index) => readEntry(storage, model, start + index)),
    );
    for (const [index, placed] of read.entries()) {
      if (placed === null) throw missing(storage, model, start + index);
      entries.push(placed);
    }
  }
  return entries;
}

/**
 * The number of the newest entry, 0 for an empty log: doubles its steps forward from `hint` until nothing
 * is there, then halves them. Needs no LIST, and O(log n) reads at any length.
 */
export async function findEnd(storage: Storage, model: string, hint: number): Promise<number> {
  const exists = async (seq: number) => (await storage.size(keys.log(model, seq))) !== null;
  let there = hint > 0 && (await exists(hint)) ? hint : 0;
  let step = 1;
  while (await exists(there + step)) {
    there += step;
    step *= 2;
  }
  let absent = there + step;
  while (absent - there > 1) {
    const middle = Math.floor((there + absent) / 2);
    if (await exists(middle)) there = middle;
    else absent = middle;
  }
  return there;
}

function missing(storage: Storage, model: string, seq: number): UserError {
  return logDamaged('A log entry is missing.', `${storage.url}/${keys.log(model, seq)}`);
}
