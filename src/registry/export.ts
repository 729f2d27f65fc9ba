import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { requireApart } from '../store/apart.ts';
import { digestsIn } from '../store/digests.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { decodeEntry, entryLimit, follows, logDamaged } from './chain.ts';
import { type CopiedContent, copyContent } from './copy-content.ts';
import { type LogEntry, manifestsOf } from './entries.ts';
import { requireKnownModel } from './known.ts';
import { requireEntry } from './log.ts';
import { redoCaches } from './reconcile-caches.ts';
import type { Registry } from './registry.ts';
import type { ModelState } from './state.ts';

const entriesAtOnce = 16;

export interface Copied extends CopiedContent {
  /** Log entries of the model, and those of them that were sent by this call. */
  entries: number;
  entries_sent: number;
  /** The newest entry's number and hash, the same in both stores. */
  seq: number;
  head: Digest;
}

/**
 * Copies a model with its whole history from one store to another: the manifests and objects that its log leads to,
 * each verified on its way, and then the log, byte for byte. The log's entries come last and in order, so that what
 * the target names is always there; a copy that was killed goes on where it stopped. Throws `log_diverged` when the
 * target's log of the model is not the beginning of this one, `usage` when one store lies in the other.
 */
export async function copyModel(source: Registry, target: Registry, model: string): Promise<Copied> {
  const [from, to] = [source.store.storage, target.store.storage];
  await requireApart(from.url, to.url);
  const state = await source.state(model);
  await requireKnownModel(source, state);
  await to.prepare();
  const known = (await target.state(model)).seq;
  if (known > state.seq) throw diverged(model, to.url);
  const roots = new Set<Digest>();
  const also = new Set<Digest>();
  for await (const { seq, bytes, entry } of readLog(from, state)) {
    if (seq <= known) await requireSame(to, model, { seq, bytes });
    for (const digest of manifestsOf(entry)) roots.add(digest);
    // `prev` is no object's
    for (const digest of digestsIn(JSON.stringify({ ...entry, prev: null }))) also.add(digest);
  }
  const content = await copyContent(source.store, target.store, { roots, also });
  for await (const { seq, bytes } of readLog(from, state, known)) {
    if ((await to.create(keys.log(model, seq), bytes)) === 'exists')
      await requireSame(to, model, { seq, bytes });
  }
  await redoCaches(target, model);
  const { seq, head } = await target.state(model);
  // somebody may have gone on writing there at once
  if (head === null || seq !== state.seq || head !== state.head) throw diverged(model, to.url);
  return { entries: seq, entries_sent: seq - known, ...content, seq, head };
}

interface RawEntry {
  seq: number;
  bytes: Buffer;
  entry: LogEntry;
}

/**
 * The log's bytes after entry `after`, up to the entry that `end` is the fold of, checked as a chain to there. In
 * batches, so that a long log is never held whole.
 */
async function* readLog(storage: Storage, end: ModelState, after = 0): AsyncGenerator<RawEntry> {
  const { model } = end;
  const where = (seq: number) => `${storage.url}/${keys.log(model, seq)}`;
  let previous = { seq: after, head: after === 0 ? null : (await requireEntry(storage, model, after)).head };
  for (let first = after + 1; first <= end.seq; first += entriesAtOnce) {
    const length = Math.min(entriesAtOnce, end.seq - first + 1);
    const read = await Promise.all(
      Array.from({ length }, (_, index) => storage.read(keys.log(model, first + index), entryLimit)),
    );
    for (const [index, bytes] of read.entries()) {
      const seq = first + index;
      if (bytes === null) throw logDamaged('A log entry is missing.', where(seq));
      const placed = decodeEntry(bytes, where(seq));
      if (!follows(previous, placed)) {
        throw logDamaged('A log entry does not follow on the one before it.', where(seq));
      }
      yield { seq, bytes, entry: placed.entry };
      previous = { seq, head: placed.head };
    }
  }
  if (previous.head !== end.head) throw logDamaged('The newest log entry has changed.', where(end.seq));
}

/** Throws `log_diverged` unless the target has the very bytes there. */
async function requireSame(
  target: Storage,
  model: string,
  { seq, bytes }: { seq: number; bytes: Buffer },
): Promise<void> {
  const there = await target.read(keys.log(model, seq), entryLimit);
  if (there === null || !there.equals(bytes)) throw diverged(model, target.url);
}

function diverged(model: string, url: string): UserError {
  return new UserError({
    code: 'log_diverged',
    message: `The other store has entries of ${model} that this one has not: one history would replace another.`,
    where: url,
    fix: 'Copy to a store that has no such model, or one that was copied from here and not written to since.',
  });
}
