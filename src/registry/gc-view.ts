import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { digestsIn } from '../store/digests.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import type { Registry } from './registry.ts';
import { verify } from './verify.ts';

const manifestLimit = 8_000_000;
const entriesAtOnce = 1000;
const readsAtOnce = 16;

export interface Stored {
  /** Bytes of the object and the manifest with this digest together. */
  size: number;
  /** When the younger of them was written, in Unix milliseconds. */
  modified: number;
  object: boolean;
  manifest: boolean;
}

/** What stands in the store, and what leads where: taken once, it may be old when it is used. */
export interface View {
  stored: ReadonlyMap<Digest, Stored>;
  /** What each manifest names, of what is stored. */
  names: ReadonlyMap<Digest, readonly Digest[]>;
  /** Reachable from a log entry, a cached result within its retention, or something young. */
  live: ReadonlySet<Digest>;
  /** Keys of cached results past their retention, with what they name that was once stored. */
  staleCaches: readonly { key: string; names: readonly Digest[] }[];
}

export interface ViewRequest {
  /** What was written after this moment, in Unix milliseconds, is young. */
  youngSince: number;
  /** Cached results written after this moment are used. */
  cachedSince: number;
}

/**
 * Reads the whole store. Throws `registry_unsound` for a registry that `verify` does not find sound: what a damaged
 * or shortened log leads to cannot be told from garbage.
 */
export async function takeView(registry: Registry, request: ViewRequest): Promise<View> {
  const { storage } = registry.store;
  await requireSound(storage);
  const stored = await listStored(storage);
  const roots = new Set<Digest>();
  const add = (text: string) => {
    for (const digest of digestsIn(text)) if (stored.has(digest)) roots.add(digest);
  };
  for (const model of await registry.models()) await readLog(registry, model, add);
  const staleCaches = await readCaches(storage, request.cachedSince, add);
  for (const [digest, { modified }] of stored) if (modified > request.youngSince) roots.add(digest);
  const names = await readManifests(storage, stored);
  return { stored, names, live: reach(roots, names), staleCaches };
}

/** Everything that these lead to, themselves too. */
export function reach(roots: Iterable<Digest>, names: View['names']): Set<Digest> {
  const reached = new Set<Digest>();
  const queue = [...roots];
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (reached.has(digest)) continue;
    reached.add(digest);
    for (const name of names.get(digest) ?? []) queue.push(name);
  }
  return reached;
}

async function requireSound(storage: Storage): Promise<void> {
  const { answer, missing, bad, reason } = await verify(storage, { anchor: null, read_data: false });
  if (answer === 'sound') return;
  const first = missing[0] ?? bad[0]?.key ?? reason;
  throw new UserError({
    code: answer === 'unreachable' ? 'storage_unavailable' : 'registry_unsound',
    message: `The registry is ${answer.replace('_', ' ')}${first == null ? '' : ` (${first})`}: what it leads to cannot be told from garbage.`,
    where: storage.url,
    fix: 'Run `modelgate registry verify` and mend what it names; nothing was removed.',
  });
}

async function listStored(storage: Storage): Promise<Map<Digest, Stored>> {
  const stored = new Map<Digest, Stored>();
  for (const kind of ['objects', 'manifests'] as const) {
    for await (const { key, size, modified } of storage.list(`${kind}/`)) {
      const digest = Digest.safeParse(key.split('/').at(-1)).data;
      if (digest === undefined) continue;
      const before = stored.get(digest) ?? { size: 0, modified: 0, object: false, manifest: false };
      stored.set(digest, {
        size: before.size + size,
        modified: Math.max(before.modified, modified.getTime()),
        object: before.object || kind === 'objects',
        manifest: before.manifest || kind === 'manifests',
      });
    }
  }
  return stored;
}

async function readLog(registry: Registry, model: string, add: (text: string) => void): Promise<void> {
  const { seq } = await registry.state(model);
  for (let first = 1; first <= seq; first += entriesAtOnce) {
    const entries = await registry.entries(model, { first, last: first + entriesAtOnce - 1 });
    for (const { entry } of entries) add(JSON.stringify(entry));
  }
}

async function readCaches(
  storage: Storage,
  cachedSince: number,
  add: (text: string) => void,
): Promise<View['staleCaches']> {
  const stale: { key: string; names: Digest[] }[] = [];
  for await (const { key, modified } of storage.list(keys.caches())) {
    const text = (await storage.read(key, manifestLimit).catch(() => null))?.toString('utf8') ?? '';
    if (modified.getTime() > cachedSince) add(text);
    else stale.push({ key, names: [...digestsIn(/"names":\[([^\]]*)\]/.exec(text)?.[1] ?? '')] });
  }
  return stale;
}

async function readManifests(
  storage: Storage,
  stored: ReadonlyMap<Digest, Stored>,
): Promise<Map<Digest, Digest[]>> {
  const names = new Map<Digest, Digest[]>();
  const manifests = [...stored].filter(([, { manifest }]) => manifest).map(([digest]) => digest);
  for (let start = 0; start < manifests.length; start += readsAtOnce) {
    const some = manifests.slice(start, start + readsAtOnce);
    const texts = await Promise.all(some.map((digest) => storage.read(keys.manifest(digest), manifestLimit)));
    for (const [index, digest] of some.entries()) {
      const found = digestsIn(texts[index]?.toString('utf8') ?? '');
      names.set(
        digest,
        [...found].filter((name) => name !== digest && stored.has(name)),
      );
    }
  }
  return names;
}
