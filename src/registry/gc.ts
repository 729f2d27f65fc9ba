import { randomUUID } from 'node:crypto';
import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import type { Actor } from './entries.ts';
import type { GcState } from './gc-state.ts';
import { reach, type Stored, takeView, type View } from './gc-view.ts';
import { referrersFirst } from './manifest-order.ts';
import type { Registry } from './registry.ts';
import type { StoreLog } from './store-log.ts';

/** So many digests go into one entry of the log: marks, and what one sweep removes in seconds. */
const markBatch = 50_000;
const usualSweep = 500;
const removesAtOnce = 8;
const hour = 3_600_000;

export interface GcRequest {
  actor: Actor;
  /** Milliseconds for which a mark stands before it is swept, and for which what was just written is left alone. */
  grace: number;
  /** Milliseconds for which a cached result keeps what it names. */
  cacheRetention: number;
  /** Says what would happen, and changes nothing. */
  dryRun: boolean;
  /**
   * Milliseconds after which a sweep that did not end was killed, and another may end it; the one that made it stops
   * removing after half of it. An hour, but for tests.
   */
  takeover?: number;
  /** How many digests are swept at a time. 500, but for tests. */
  sweepBatch?: number;
}

export interface Collected {
  /** Digests that this call marked, and all that stand marked after it. */
  marked: number;
  waiting: number;
  /** Digests removed, and their bytes. */
  swept: number;
  bytes: number;
  /** Digests that stay because something leads to them or they are young. */
  kept: number;
  /** Marks taken back, because something leads there again. */
  cancelled: number;
  /** Cached results removed: they named what is gone. */
  caches: number;
}

/**
 * Collects garbage in two phases. Marks what no log entry, cached result or young upload leads to; a later call
 * sweeps what has been marked for the grace without a break, and still nothing leads to. Each step is an entry of the
 * store's log, so that its order decides every race with a writer, who cancels the mark of what it is about to name.
 * Throws `registry_unsound` when the registry cannot say what is garbage.
 */
export async function collect(registry: Registry, log: StoreLog, request: GcRequest): Promise<Collected> {
  const collection = new Collection(registry, log, request);
  return collection.run();
}

class Collection {
  private readonly registry: Registry;
  private readonly storage: Storage;
  private readonly log: StoreLog;
  private readonly request: Required<GcRequest>;

  constructor(registry: Registry, log: StoreLog, request: GcRequest) {
    this.registry = registry;
    this.storage = registry.store.storage;
    this.log = log;
    this.request = { takeover: hour, sweepBatch: usualSweep, ...request };
  }

  async run(): Promise<Collected> {
    const { grace, cacheRetention, dryRun } = this.request;
    // the state before the view: what is marked later is none of this call's business
    const state = await this.log.state();
    const now = this.registry.now().getTime();
    const view = await takeView(this.registry, {
      youngSince: now - grace,
      cachedSince: now - cacheRetention,
    });
    const stays = (digest: Digest) => view.live.has(digest) || !view.stored.has(digest);
    const back = [...state.marks].filter(([digest, mark]) => isMarked(mark) && stays(digest));
    const sweepable = this.sweepable(state, view, now);
    const fresh = [...view.stored.keys()].filter((each) => !view.live.has(each) && !state.marks.has(each));
    const gone = new Set(sweepable);
    const stale = view.staleCaches.filter(({ names }) =>
      names.some((name) => gone.has(name) || !view.stored.has(name)),
    );
    if (dryRun) {
      const waiting = state.marks.size - back.length - sweepable.length + fresh.length;
      const told = { swept: sweepable.length, bytes: bytesOf(sweepable, view), cancelled: back.length };
      return { marked: fresh.length, waiting, kept: view.live.size, caches: stale.length, ...told };
    }
    await this.finishOthers(state, now);
    const cancelled = await this.commit(
      'gc-cancel',
      back.map(([digest]) => digest),
      ({ marks }, digest) => marks.get(digest)?.seq === state.marks.get(digest)?.seq,
    );
    const swept = await this.sweep(sweepable, state, view);
    for (const { key } of stale) await this.storage.remove(key);
    const marked = await this.commit('gc-mark', fresh, ({ marks }, digest) => !marks.has(digest));
    return {
      marked: marked.length,
      waiting: (await this.log.state()).marks.size,
      swept: swept.length,
      bytes: bytesOf(swept, view),
      kept: view.live.size,
      cancelled: cancelled.length,
      caches: stale.length,
    };
  }

  /**
   * What may be removed: marked for the whole grace, not alive, and named by no manifest that stays. What leads
   * somewhere comes before what it leads to, so that a sweep that is killed leaves no manifest without its files.
   */
  private sweepable({ marks }: GcState, view: View, now: number): Digest[] {
    const old = new Set<Digest>();
    for (const [digest, mark] of marks) {
      if (!isMarked(mark) || view.live.has(digest) || !view.stored.has(digest)) continue;
      if (now - Date.parse(mark.at) >= this.request.grace) old.add(digest);
    }
    const stays = reach(
      [...view.names.keys()].filter((manifest) => !old.has(manifest)),
      view.names,
    );
    return referrersFirst(
      [...old].filter((digest) => !stays.has(digest)),
      (digest) => view.names.get(digest) ?? [],
    );
  }

  private async sweep(digests: readonly Digest[], seen: GcState, view: View): Promise<Digest[]> {
    if (digests.length === 0) return [];
    await this.requireRemoval();
    const swept: Digest[] = [];
    const { sweepBatch } = this.request;
    for (let start = 0; start < digests.length; start += sweepBatch) {
      const some = digests.slice(start, start + sweepBatch);
      // the very mark that was seen: one that was cancelled and made again is young
      const same = ({ marks }: GcState, digest: Digest) =>
        marks.get(digest)?.state === 'marked' && marks.get(digest)?.seq === seen.marks.get(digest)?.seq;
      const since = this.registry.now().getTime();
      const claimed = await this.commit('gc-sweep', some, same);
      if (claimed.length === 0) continue;
      if (!(await this.remove(claimed, view.stored, since))) return swept;
      await this.commit('gc-swept', claimed, isSweeping);
      swept.push(...claimed);
    }
    return swept;
  }

  /** Ends what a collection that was killed began: nobody has counted on these since. */
  private async finishOthers({ marks }: GcState, now: number): Promise<void> {
    const left = [...marks].filter(
      ([, { state, at }]) => state === 'sweeping' && now - Date.parse(at) >= this.request.takeover,
    );
    if (left.length === 0) return;
    const digests = left.map(([digest]) => digest);
    const both: Stored = { size: 0, modified: 0, object: true, manifest: true };
    const all = new Map(digests.map((digest) => [digest, both]));
    if (!(await this.remove(digests, all, now))) return;
    const entryOf = new Map(left.map(([digest, { seq }]) => [digest, seq]));
    await this.commit(
      'gc-swept',
      digests,
      (state, digest) => isSweeping(state, digest) && state.marks.get(digest)?.seq === entryOf.get(digest),
    );
  }

  /** False when it took so long that another collection may have ended it: then nothing more is removed. */
  private async remove(
    digests: readonly Digest[],
    stored: ReadonlyMap<Digest, Stored>,
    since: number,
  ): Promise<boolean> {
    for (let start = 0; start < digests.length; start += removesAtOnce) {
      if (this.registry.now().getTime() - since > this.request.takeover / 2) return false;
      await Promise.all(
        digests.slice(start, start + removesAtOnce).map(async (digest) => {
          const { manifest, object } = stored.get(digest) ?? { manifest: true, object: true };
          if (manifest) await this.storage.remove(keys.manifest(digest));
          if (object) await this.storage.remove(keys.object(digest));
        }),
      );
    }
    return true;
  }

  /** Commits one kind of entry about those digests of which the newest state allows it; gives them. */
  private async commit(
    type: 'gc-mark' | 'gc-cancel' | 'gc-sweep' | 'gc-swept',
    digests: readonly Digest[],
    allowed: (state: GcState, digest: Digest) => boolean,
  ): Promise<Digest[]> {
    const done: Digest[] = [];
    for (let start = 0; start < digests.length; start += markBatch) {
      const some = digests.slice(start, start + markBatch);
      const entry = await this.log.commit((state) => {
        const objects = some.filter((digest) => allowed(state, digest));
        if (objects.length === 0) return null;
        return { type, op_id: `${type}:${randomUUID()}`, actor: this.request.actor, objects };
      });
      if (entry !== null && 'objects' in entry) done.push(...entry.objects);
    }
    return done;
  }

  /** A role that may not remove must not begin to sweep: what it claimed would be of no use to anybody. */
  private async requireRemoval(): Promise<void> {
    const key = keys.probe(randomUUID(), 'gc');
    await this.storage.create(key, Buffer.from('gc'));
    try {
      await this.storage.remove(key);
    } catch (error) {
      throw new UserError({
        code: 'storage_unavailable',
        message: 'This role may not remove anything, so it cannot sweep.',
        where: this.storage.url,
        fix: 'Run gc with a role of its own that has s3:DeleteObject, or write permission on the folder.',
        cause: error,
      });
    }
  }
}

const isMarked = ({ state }: { state: string }) => state === 'marked';
const isSweeping = ({ marks }: GcState, digest: Digest) => marks.get(digest)?.state === 'sweeping';

function bytesOf(digests: readonly Digest[], { stored }: View): number {
  return digests.reduce((sum, digest) => sum + (stored.get(digest)?.size ?? 0), 0);
}
