import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import type { Manifest, ManifestKind } from './manifest.ts';
import type { Store } from './store.ts';

const lineageLimit = 10_000;

/** All manifests that one was made from, itself first, by digest. Inputs that are no manifests are left out. */
export async function ancestors(store: Store, digest: Digest): Promise<Map<Digest, Manifest>> {
  const found = new Map<Digest, Manifest>();
  const queue = [digest];
  for (let next = queue.shift(); next !== undefined && found.size < lineageLimit; next = queue.shift()) {
    if (found.has(next)) continue;
    const manifest = await readInput(store, next);
    if (manifest === null) continue;
    found.set(next, manifest);
    queue.push(...Object.values(manifest.inputs));
  }
  return found;
}

/** An input may be a plain object, such as an evaluation set's file: then null. */
async function readInput(store: Store, digest: Digest): Promise<Manifest | null> {
  try {
    return await store.readManifest(digest);
  } catch (error) {
    if (error instanceof UserError && error.code === 'object_missing' && (await store.has(digest)))
      return null;
    throw error;
  }
}

/** The nearest ancestor of a kind. */
export function nearest(
  manifests: ReadonlyMap<Digest, Manifest>,
  kind: ManifestKind,
): [Digest, Manifest] | null {
  return [...manifests].find(([, manifest]) => manifest.kind === kind) ?? null;
}
