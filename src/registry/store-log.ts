import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { canonicalJson, Digest, digestOf, parseJson } from '../json.ts';
import type { Logger } from '../logger.ts';
import { keys, storeLog } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { readHint, writeHint } from './caches.ts';
import { encodeEntry, logDamaged } from './chain.ts';
import type { Intent, LogEntry } from './entries.ts';
import { emptyGcState, foldGc, type GcState } from './gc-state.ts';
import { findEnd, readEntries, readEntry } from './log.ts';

const tries = 100;
/** A checkpoint is written at every entry whose number this divides, in the place of the one before. */
const checkpointEvery = 20;
const checkpointLimit = 128_000_000;

const Checkpoint = z.object({
  schema: z.literal('modelgate.gc-checkpoint/1'),
  seq: z.number().int().positive(),
  head: Digest,
  marks: z.array(
    z.object({
      state: z.enum(['marked', 'sweeping']),
      seq: z.number().int().positive(),
      at: z.iso.datetime(),
      objects: z.array(Digest),
    }),
  ),
});
const Sealed = z.object({ checkpoint: Checkpoint, digest: Digest });

/**
 * The log of the whole store, for what all models share: which objects garbage collection has marked, and which it
 * sweeps. Same entries, chain and commit point as a model's log.
 */
export class StoreLog {
  private readonly storage: Storage;
  private readonly now: () => Date;
  private readonly logger: Logger;
  private known: GcState | null = null;

  constructor(options: { storage: Storage; now: () => Date; logger: Logger }) {
    this.storage = options.storage;
    this.now = options.now;
    this.logger = options.logger;
  }

  /** The newest state. One read when nothing is new. Throws `log_damaged`. */
  async state(): Promise<GcState> {
    let state = this.known ?? (await this.open());
    for (;;) {
      const next = await readEntry(this.storage, storeLog, state.seq + 1);
      if (next === null) break;
      state = foldGc(state, [next]);
    }
    if (state.seq >= (this.known?.seq ?? 0)) this.known = state;
    return state;
  }

  /**
   * Commits what `decide` makes of the newest state, again after each race that was lost; null: nothing to do.
   * Durable when it returns. Throws `lost_race` and what `decide` throws.
   */
  async commit(decide: (state: GcState, now: Date) => Intent | null): Promise<LogEntry | null> {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const state = await this.state();
      const now = this.now();
      const intent = decide(state, now);
      if (intent === null) return null;
      const seq = state.seq + 1;
      const entry: LogEntry = {
        schema: 'modelgate.log/1',
        seq,
        prev: state.head,
        at: now.toISOString(),
        ...intent,
      };
      const { bytes, head } = encodeEntry(entry);
      const next = foldGc(state, [{ entry, head }]);
      // a log that lost entries which this process has seen must not go on as if they had not been
      const newest = keys.log(storeLog, Math.max(1, state.seq));
      if (state.seq > 0 && (await this.storage.size(newest)) === null) {
        throw logDamaged('The newest log entry is gone.', `${this.storage.url}/${newest}`);
      }
      if ((await this.storage.create(keys.log(storeLog, seq), bytes)) === 'created') {
        this.known = next;
        await this.writeCaches(next);
        return entry;
      }
      await sleep(Math.random() * Math.min(100, 2 ** attempt));
    }
    throw new UserError({
      code: 'lost_race',
      message: `Others wrote to the log of the store ${tries} times in a row.`,
      where: this.storage.url,
      fix: 'Run the same command again.',
    });
  }

  private async open(): Promise<GcState> {
    const hint = await readHint(this.storage, storeLog);
    const end = await findEnd(this.storage, storeLog, hint?.seq ?? 0);
    if (end === 0) return emptyGcState;
    const start = (await readGcCheckpoint(this.storage, end)) ?? emptyGcState;
    return foldGc(start, await readEntries(this.storage, storeLog, start.seq + 1, end));
  }

  /** Hint and checkpoint are caches: the commit stands without them. */
  private async writeCaches(state: GcState): Promise<void> {
    try {
      if (state.head === null) return;
      await writeHint(this.storage, storeLog, { seq: state.seq, head: state.head });
      if (state.seq % checkpointEvery === 0) await writeGcCheckpoint(this.storage, state);
    } catch (error) {
      this.logger.debug(`no hint written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The stored fold, when it belongs to this log and ends at or before `end`; null for any other. */
export async function readGcCheckpoint(storage: Storage, end: number): Promise<GcState | null> {
  const bytes = await storage.read(keys.checkpoint(storeLog, 1), checkpointLimit).catch(() => null);
  if (bytes === null) return null;
  let parsed: z.infer<typeof Sealed>;
  try {
    parsed = Sealed.parse(parseJson(bytes.toString('utf8'), checkpointLimit));
  } catch {
    return null;
  }
  const { checkpoint, digest } = parsed;
  if (digestOf(checkpoint) !== digest || checkpoint.seq > end) return null;
  const placed = await readEntry(storage, storeLog, checkpoint.seq);
  if (placed?.head !== checkpoint.head) return null;
  const marks = checkpoint.marks.flatMap(({ objects, ...mark }) =>
    objects.map((object) => [object, mark] as const),
  );
  return { seq: checkpoint.seq, head: checkpoint.head, marks: new Map(marks) };
}

async function writeGcCheckpoint(storage: Storage, state: GcState): Promise<void> {
  const checkpoint = checkpointOf(state);
  const content = canonicalJson({ checkpoint, digest: digestOf(checkpoint) });
  await storage.replace(keys.checkpoint(storeLog, 1), Buffer.from(content));
}

/** Equal for equal states. */
export function gcStateDigest(state: GcState): Digest {
  return digestOf(checkpointOf(state));
}

/** Marks of one entry share its number and time: they are written once, not for each of a hundred thousand. */
function checkpointOf({ seq, head, marks }: GcState) {
  const groups = new Map<number, { state: string; seq: number; at: string; objects: Digest[] }>();
  for (const [object, mark] of marks) {
    const group = groups.get(mark.seq) ?? { ...mark, objects: [] };
    group.objects.push(object);
    groups.set(mark.seq, group);
  }
  const sorted = [...groups.values()].sort((a, b) => a.seq - b.seq);
  return {
    schema: 'modelgate.gc-checkpoint/1' as const,
    seq,
    head,
    marks: sorted.map((group) => ({ ...group, objects: group.objects.sort() })),
  };
}
