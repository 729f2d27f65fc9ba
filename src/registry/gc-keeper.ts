import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { digestsIn } from '../store/digests.ts';
import { keys } from '../store/keys.ts';
import { type Keeper, parseManifest, type Store } from '../store/store.ts';
import type { GcState } from './gc-state.ts';
import type { StoreLog } from './store-log.ts';

const manifestLimit = 8_000_000;
/** A sweep removes some hundred objects: seconds. It is looked at so often, a second apart in the end: a minute. */
const defaultLooks = 65;

interface Closure {
  /** Marked digests that must stay together. */
  marked: Set<Digest>;
  /** Named on the way, and gone or being removed: what names it cannot be kept. */
  lost: Set<Digest>;
}

/**
 * Keeps what is about to be named from being swept: cancels its mark, and the marks of all that it leads to, before
 * it is counted on. The log's order decides the race: a sweep that was written first is waited out, one that comes
 * later sees the mark cancelled and leaves the object alone. What has no mark stays for at least the grace.
 */
export class MarkKeeper implements Keeper {
  private readonly store: Store;
  private readonly log: StoreLog;
  private readonly looks: number;

  constructor(options: { store: Store; log: StoreLog; looks?: number }) {
    this.store = options.store;
    this.log = options.log;
    this.looks = options.looks ?? defaultLooks;
  }

  /** See `Keeper`. Throws `sweeping` when a sweep does not end. */
  async keep(digests: readonly Digest[]): Promise<Digest[]> {
    if ((await this.log.state()).seq === 0) return [];
    const seen = await this.waitOut(digests);
    const there = await Promise.all(digests.map((digest) => this.keepOne(digest, seen)));
    return digests.filter((_, index) => there[index] === false);
  }

  /** Whether it can be counted on from now on; `seen` is a state in which it was not being removed. */
  private async keepOne(digest: Digest, seen: GcState): Promise<boolean> {
    for (let state = seen; ; state = await this.waitOut([digest])) {
      if (!state.marks.has(digest)) return this.store.isThere(digest);
      const there = await this.cancel(digest, state);
      if (there !== null) return there;
    }
  }

  /** The newest state, once none of these is being removed. */
  private async waitOut(digests: readonly Digest[]): Promise<GcState> {
    for (let look = 1; ; look += 1) {
      const state = await this.log.state();
      const swept = digests.find((digest) => state.marks.get(digest)?.state === 'sweeping');
      if (swept === undefined) return state;
      if (look >= this.looks) throw sweeping(swept, this.store.storage.url);
      await sleep(Math.min(1000, 5 * 2 ** look));
    }
  }

  /** Whether a marked one can be counted on from now on; null: the marks have changed meanwhile, look again. */
  private async cancel(digest: Digest, state: GcState): Promise<boolean | null> {
    const closure = await this.closure(digest, state);
    if (closure.lost.size > 0) return false;
    const entry = await this.log.commit(({ marks }) => {
      const objects = [...closure.marked];
      if (!objects.every((each) => marks.get(each)?.state === 'marked')) return null;
      const actor = { name: 'modelgate', via: 'service' as const };
      return { type: 'gc-cancel', op_id: `gc-cancel:${randomUUID()}`, actor, objects };
    });
    return entry === null ? null : this.store.isThere(digest);
  }

  /**
   * What must stay when `digest` does. An unmarked manifest is not entered: a sweep takes nothing that one which
   * stays names.
   */
  private async closure(digest: Digest, { marks }: GcState): Promise<Closure> {
    const closure: Closure = { marked: new Set(), lost: new Set() };
    const queue = [digest];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (closure.marked.has(next)) continue;
      closure.marked.add(next);
      const bytes = await this.store.storage.read(keys.manifest(next), manifestLimit);
      if (bytes === null) {
        if ((await this.store.storage.size(keys.object(next))) === null) closure.lost.add(next);
        continue;
      }
      const manifest = parseManifest(bytes);
      const needed = new Set(
        manifest === null
          ? []
          : [...manifest.files.map(({ sha256 }) => sha256), ...Object.values(manifest.inputs)],
      );
      for (const name of digestsIn(bytes.toString('utf8'))) {
        const state = marks.get(name)?.state;
        if (state === 'marked') queue.push(name);
        else if (needed.has(name) && (state === 'sweeping' || !(await this.store.isThere(name))))
          closure.lost.add(name);
      }
    }
    return closure;
  }
}

function sweeping(digest: Digest, url: string): UserError {
  return new UserError({
    code: 'sweeping',
    message: `Garbage collection is removing ${digest.slice(0, 12)}, and has not ended.`,
    where: url,
    fix: 'Run the same command again; if a collection was killed, `modelgate registry gc` ends it once it is an hour old.',
  });
}
