import type { Storage } from '../store/storage.ts';
import { checkpointNumbers, keptCheckpoints, readCheckpoint } from './caches.ts';
import { Folding } from './fold.ts';
import { readEntries, requireEntry } from './log.ts';
import { emptyState, type ModelState } from './state.ts';

/** Entries held at once while a long log is read. */
const readAtOnce = 1000;

/** The state after entry `last`: the newest checkpoint there is up to it, and the entries since. Throws `log_damaged`. */
export async function foldUpTo(storage: Storage, model: string, last: number): Promise<ModelState> {
  const folding = new Folding(await newestCheckpoint(storage, model, last));
  for (let first = folding.last + 1; first <= last; first += readAtOnce) {
    const until = Math.min(last, first + readAtOnce - 1);
    for (const placed of await readEntries(storage, model, first, until)) folding.add(placed);
  }
  return folding.state();
}

/**
 * The state before the first entry with an `at` later than `time`, of the log that `newest` is the fold of: one
 * checkpoint that was kept, and the entries after it. Throws `log_damaged`.
 */
export async function foldUntil(storage: Storage, newest: ModelState, time: Date): Promise<ModelState> {
  const isPast = ({ latest }: ModelState) => latest === null || Date.parse(latest) <= time.getTime();
  if (isPast(newest)) return newest;
  const { model, seq: end } = newest;
  const folding = new Folding(await lastKept(storage, { model, end, satisfies: isPast }));
  for (let first = folding.last + 1; first <= end; first += readAtOnce) {
    const until = Math.min(end, first + readAtOnce - 1);
    for (const placed of await readEntries(storage, model, first, until)) {
      if (Date.parse(placed.entry.at) > time.getTime()) return folding.state();
      folding.add(placed);
    }
  }
  return folding.state();
}

async function newestCheckpoint(storage: Storage, model: string, last: number): Promise<ModelState> {
  for (const seq of checkpointNumbers(last)) {
    const checkpoint = await trustedCheckpoint(storage, model, seq);
    if (checkpoint !== null) return checkpoint;
  }
  return emptyState(model);
}

/** The newest of the kept checkpoints that satisfy, which the earlier ones do too; the empty state if none. */
async function lastKept(
  storage: Storage,
  { model, end, satisfies }: { model: string; end: number; satisfies: (state: ModelState) => boolean },
): Promise<ModelState> {
  const { every, count } = keptCheckpoints(end);
  let found = emptyState(model);
  let low = 1;
  let high = count;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const checkpoint = await trustedCheckpoint(storage, model, middle * every);
    // a missing one decides nothing: starting earlier costs reads alone
    if (checkpoint === null || !satisfies(checkpoint)) high = middle - 1;
    else {
      found = checkpoint;
      low = middle + 1;
    }
  }
  return found;
}

/** The checkpoint of an entry, when it is one of this log's history; null for any other. */
async function trustedCheckpoint(storage: Storage, model: string, seq: number): Promise<ModelState | null> {
  const checkpoint = await readCheckpoint(storage, model, seq);
  if (checkpoint === null) return null;
  return (await requireEntry(storage, model, seq)).head === checkpoint.head ? checkpoint : null;
}
