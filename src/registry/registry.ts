import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import { type Digest, sha256 } from '../json.ts';
import type { Logger } from '../logger.ts';
import { Name } from '../names.ts';
import { digestsIn } from '../store/digests.ts';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import { checkpointEvery, readHint, writeCheckpoint, writeHint } from './caches.ts';
import { encodeEntry, logDamaged, type Placed } from './chain.ts';
import { type Intent, type LogEntry, manifestsOf } from './entries.ts';
import { fold } from './fold.ts';
import { foldUntil, foldUpTo } from './folded-log.ts';
import { MarkKeeper } from './gc-keeper.ts';
import { findEnd, readEntries, readEntry, requireEntry } from './log.ts';
import { findOperation, indexOperations } from './operations.ts';
import { indexDue, type ModelState, windowStart } from './state.ts';
import { StoreLog } from './store-log.ts';

/** Others may win this often before we give up: more writers than any one model has. */
const tries = 100;

export interface CommitRequest {
  model: string;
  /** Names the operation: committing it again gives the same entry and changes nothing. */
  op_id: string;
  /** Whether an entry with this op_id is this operation; if not, `op_id_reused` is thrown. */
  matches(entry: LogEntry): boolean;
  /**
   * Decides on the newest state, again after each race that was lost. Null: nothing to do. A `UserError`
   * refuses. Must be pure.
   */
  decide(state: ModelState, now: Date): Intent | null;
}

export type Committed =
  | { status: 'committed' | 'replayed'; entry: LogEntry; head: Digest; state: ModelState }
  | { status: 'nothing'; entry: null; head: null; state: ModelState };

/**
 * The registry of models over a store: one append-only, hash-chained log per model, and the fold of it.
 * Creating entry n+1 is the one commit point. Opening a log cold costs a constant number of reads beside
 * those of the entries since the last checkpoint; a state known before is only carried forward. Neither grows
 * with the log.
 */
export class Registry {
  readonly store: Store;
  readonly now: () => Date;
  private readonly logger: Logger;
  private readonly known = new Map<string, ModelState>();

  constructor(options: { store: Store; now: () => Date; logger: Logger }) {
    this.store = options.store;
    this.now = options.now;
    this.logger = options.logger;
    const log = new StoreLog({ storage: this.storage, now: this.now, logger: this.logger });
    this.store.guard(new MarkKeeper({ store: this.store, log }));
  }

  /**
   * The newest state; empty (seq 0) for a model that the registry does not know. One read when nothing is
   * new, so it may be polled. Throws `log_damaged` when the log is not a sound chain.
   */
  async state(model: string): Promise<ModelState> {
    const known = this.known.get(model) ?? (await this.open(model));
    const fresh: Placed[] = [];
    for (;;) {
      const next = await readEntry(this.storage, model, known.seq + fresh.length + 1);
      if (next === null) break;
      fresh.push(next);
    }
    const state = fold(known, fresh);
    this.remember(state);
    return state;
  }

  /**
   * The state as it was at a past moment: of the entries before the first one with a later `at`. The log's
   * order is its numbers; `at` is its writers' clocks, and tells the time as well as they do. Reads one
   * checkpoint that was kept, and the entries after it.
   */
  async stateAt(model: string, time: Date): Promise<ModelState> {
    return foldUntil(this.storage, await this.state(model), time);
  }

  /** Entries with their hashes, oldest first: all, or those in the range, whose bounds belong to it. */
  async entries(model: string, range: { first?: number; last?: number } = {}): Promise<Placed[]> {
    const { seq } = await this.state(model);
    const { first = 1, last = seq } = range;
    return readEntries(this.storage, model, Math.max(1, first), Math.min(seq, last));
  }

  /** The number of the entry that an operation made, among those that the state was folded from; or null. */
  async operation(state: ModelState, op_id: string): Promise<number | null> {
    return state.op_ids.get(op_id) ?? (await findOperation(this.storage, state, op_id));
  }

  /** One entry that is known to exist. Throws `log_damaged` when it is missing. */
  entry(model: string, seq: number): Promise<Placed> {
    return requireEntry(this.storage, model, seq);
  }

  /** Names of the models, sorted: the folders of logs. For people, not for decisions. */
  async models(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of this.storage.folders(keys.logs())) {
      if (Name.safeParse(name).success) names.push(name);
    }
    return names.sort();
  }

  /**
   * Commits one entry: reads the state, lets `decide` judge it, creates entry n+1, and starts again when
   * somebody else was faster. Of any number of concurrent committers exactly one gets each place. Durable
   * when it returns. Throws `op_id_reused`, `lost_race`, and whatever `decide` throws.
   */
  async commit(request: CommitRequest): Promise<Committed> {
    let searched = 0;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const state = await this.state(request.model);
      // older entries do not change: they are searched again only when the window has moved on
      const older = windowStart(state.seq) > searched;
      const done = await this.replay(request, state, older);
      searched = windowStart(state.seq);
      if (done !== null) return await this.told(done);
      const now = this.now();
      const intent = request.decide(state, now);
      if (intent === null) return await this.told({ status: 'nothing', entry: null, head: null, state });
      if (intent.op_id !== request.op_id) throw new Error('decide changed the op_id');
      const entry: LogEntry = {
        schema: 'modelgate.log/1',
        seq: state.seq + 1,
        prev: state.head,
        at: now.toISOString(),
        ...intent,
      };
      const { bytes, head } = encodeEntry(entry);
      const next = fold(state, [{ entry, head }]);
      await this.keepNamed(entry);
      await this.guardTruncation(state);
      if ((await this.storage.create(keys.log(request.model, entry.seq), bytes)) === 'created') {
        this.remember(next);
        await this.writeCaches(next);
        return { status: 'committed', entry, head, state: next };
      }
      this.logger.debug(`entry ${entry.seq} of ${request.model} went to somebody else; deciding again`);
      await sleep(pause(request.op_id, attempt));
    }
    throw new UserError({
      code: 'lost_race',
      message: `Others wrote to the log of ${request.model} ${tries} times in a row.`,
      where: this.storage.url,
      fix: 'Run the same command again.',
    });
  }

  /** Frees the memory of a model's state, for whoever goes over many models; it is read again when asked for. */
  forget(model: string): void {
    this.known.delete(model);
  }

  private get storage() {
    return this.store.storage;
  }

  /** The entry that this operation made before, by us or by another process. */
  private async replay(request: CommitRequest, state: ModelState, older: boolean): Promise<Committed | null> {
    const { op_id } = request;
    const seq = older ? await this.operation(state, op_id) : (state.op_ids.get(op_id) ?? null);
    if (seq === null) return null;
    const { entry, head } = await this.entry(request.model, seq);
    if (entry.op_id !== request.op_id) {
      throw logDamaged(
        'A log entry does not have the operation id that it had.',
        this.where(request.model, seq),
      );
    }
    if (request.matches(entry)) return { status: 'replayed', entry, head, state };
    throw new UserError({
      code: 'op_id_reused',
      message: `The operation id ${JSON.stringify(request.op_id)} belongs to entry ${seq}, another operation (${entry.type}).`,
      where: '--op-id',
      fix: 'Give each operation an id of its own; leave --op-id out to have one made.',
    });
  }

  /** What another process committed is told as done only when no power loss can undo it. */
  private async told(committed: Committed): Promise<Committed> {
    const { model, seq } = committed.state;
    if (seq > 0) await this.storage.persist(keys.log(model, seq));
    return committed;
  }

  /** What an entry names is kept first: garbage collection must not sweep it meanwhile. */
  private async keepNamed({ prev: _, ...entry }: LogEntry): Promise<void> {
    const named = digestsIn(JSON.stringify(entry));
    if (named.size > 0) await this.store.keep(manifestsOf(entry), named);
  }

  /** A log that lost entries which this process has seen must not go on as if they had not been. */
  private async guardTruncation({ model, seq }: ModelState): Promise<void> {
    if (seq === 0 || (await this.storage.size(keys.log(model, seq))) !== null) return;
    throw logDamaged('The newest log entry is gone.', this.where(model, seq));
  }

  /** Opens a log cold: hint, newest checkpoint, then the entries since. */
  private async open(model: string): Promise<ModelState> {
    const hint = await readHint(this.storage, model);
    const end = await findEnd(this.storage, model, hint?.seq ?? 0);
    if (hint !== null && hint.seq > end) {
      this.logger.warn(
        `The log of ${model} ends at entry ${end}, but entry ${hint.seq} was once there: run \`modelgate registry verify\`.`,
      );
    }
    return foldUpTo(this.storage, model, end);
  }

  private remember(state: ModelState): void {
    if (state.seq > (this.known.get(state.model)?.seq ?? 0)) this.known.set(state.model, state);
  }

  /** Hint, checkpoint and index are caches: the commit stands without them. */
  private async writeCaches(state: ModelState): Promise<void> {
    try {
      if (state.head !== null) {
        await writeHint(this.storage, state.model, { seq: state.seq, head: state.head });
      }
      if (indexDue(state.seq)) await indexOperations(this.storage, state);
      if (state.seq % checkpointEvery === 0) await writeCheckpoint(this.storage, state);
    } catch (error) {
      this.logger.debug(
        `no hint, checkpoint or index written: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  private where(model: string, seq: number): string {
    return `${this.storage.url}/${keys.log(model, seq)}`;
  }
}

/** Milliseconds before the next try: growing, and different for different operations. */
function pause(op_id: string, attempt: number): number {
  const share = Number.parseInt(sha256(`${op_id} ${attempt}`).slice(0, 8), 16) / 0xffffffff;
  return share * Math.min(100, 2 ** attempt);
}
