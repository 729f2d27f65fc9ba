import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import type { ModelState } from '../registry/state.ts';
import { ancestors, nearest } from '../store/lineage.ts';
import type { Store } from '../store/store.ts';

/** So many versions are looked at, the newest first: each takes a few reads, and older ones are of older data. */
export const versionsSought = 50;

/** The newest version that was trained on a dataset, or null where none of the newest fifty was. */
export async function versionMadeFrom(
  store: Store,
  { versions }: Pick<ModelState, 'versions'>,
  dataset: Digest,
): Promise<number | null> {
  const looked = new Set<Digest>();
  for (const { version, manifest } of versions.slice(-versionsSought).reverse()) {
    if (looked.has(manifest)) continue;
    looked.add(manifest);
    if ((await trainedOn(store, manifest)) === dataset) return version;
  }
  return null;
}

/** Null for a package that was retired and collected. */
async function trainedOn(store: Store, model: Digest): Promise<Digest | null> {
  try {
    return nearest(await ancestors(store, model), 'dataset')?.[0] ?? null;
  } catch (error) {
    if (error instanceof UserError && error.code === 'object_missing') return null;
    throw error;
  }
}
